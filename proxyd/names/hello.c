// SPDX-License-Identifier: GPL-2.0-only
/*
 * hello.c - the first message of a connection: which export it is to be.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxyd/data/proxy.h"
#include "proxyd/life/log.h"
#include "proxyd/names/hello.h"

static uint32_t welcome_flags(const struct export_rules *rules)
{
	return (rules->ro ? CCFS_WELCOME_RO : 0) |
	       (rules->nodev ? CCFS_WELCOME_NODEV : 0) |
	       (rules->nosuid ? CCFS_WELCOME_NOSUID : 0) |
	       /* root has no rights over those whom the map does not name */
	       (rules->squash == CONF_SQUASH_ROOT || rules->nmaps ? CCFS_WELCOME_SQUASH_ROOT : 0) |
	       (rules->squash == CONF_SQUASH_ALL ? CCFS_WELCOME_SQUASH_ALL : 0);
}

int hello_open(const struct proxy *proxy, struct msg *in, struct hello *hello,
	       char *why, size_t len)
{
	struct ccfs_hello said;
	struct export_rules rules = { 0 };
	char *path = NULL;
	int ret;

	ret = msg_get(in, &said, sizeof(said));
	if (!ret && said.revision != CCFS_REVISION) {
		snprintf(why, len, "%s speaks revision %d of the protocol, not %u",
			 proxy->owner, CCFS_REVISION, said.revision);
		return -EPROTONOSUPPORT;
	}
	if (!ret)
		ret = msg_get_str(in, CCFS_PATH_MAX, &path);
	if (!ret)
		ret = msg_end(in);
	if (ret)
		goto free_path;
	ret = export_open(proxy->config, proxy->owner, proxy->client, path,
			  said.flags & CCFS_HELLO_RO, &rules, why, len);
	log_say("mount of %s: %s", path, ret < 0 ? why : "granted");
	if (ret < 0)
		goto free_path;
	*hello = (struct hello) {
		.id = in->head.id, .root = ret, .rules = rules,
		.flags = welcome_flags(&rules) |
			 (proxy->local ? CCFS_WELCOME_LOCAL : 0),
	};
	ret = 0;
free_path:
	free(path);
	return ret;
}

void hello_refusal(const struct proxy *proxy, uint64_t id, int error, const char *why,
		   struct msg *out)
{
	char text[256];

	snprintf(text, sizeof(text), "%s cannot take the mount: %s", proxy->owner,
		 strerror(-error));
	if (!*why)
		why = text;
	msg_start(out, CCFS_HELLO, id, 0);
	msg_put_str(out, why, strlen(why));
	out->head.error = error;
}

int hello_read(const struct proxy *proxy, int fd, struct hello *hello)
{
	struct msg in = { 0 }, out = { 0 };
	char why[256] = "";
	int ret;

	ret = msg_recv(fd, &in);
	if (!ret)
		ret = in.head.op == CCFS_HELLO && !in.head.error ? msg_skip_cred(&in) : -EPROTO;
	if (!ret) {
		ret = hello_open(proxy, &in, hello, why, sizeof(why));
		if (ret && ret != -EPROTO) {
			hello_refusal(proxy, in.head.id, ret, why, &out);
			msg_send(fd, &out);
			msg_free(&out);
		}
	}
	if (ret == -EPROTO)
		log_say("malformed message: connection closed");
	msg_free(&in);
	return ret;
}
