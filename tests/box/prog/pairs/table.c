// SPDX-License-Identifier: GPL-2.0-only
/* table.c - which operation is seen in which ways */
#include <stdio.h>
#include <string.h>

#include "pairs.h"

#define MAX_ROWS	512

/*
 * "*" is what is remembered, "~" what is not exact at once, "!" what a client does not see
 * (README has it): what its kernel answers without asking the file system.
 */
static const struct {
	const char *op, *sees;
} table[] = {
	/* what is in a file */
	{ "write", "read read-held pread load mtime mtime-fstat" },
	{ "write-close", "read map load mtime* mtime-statx*" },
	{ "pwrite", "pread readv direct load sendfile-from splice-from" },
	{ "writev", "readv load map" },
	{ "write-dsync", "pread load" },
	{ "write-fsync", "read load" },
	{ "write-direct", "read direct load" },
	{ "store", "read read-held pread direct load map sendfile-from splice-from" },
	{ "store-msync", "read load" },
	{ "store-munmap", "pread load" },
	{ "sendfile", "read load mtime" },
	{ "splice", "pread load" },
	{ "copy-range", "read load" },
	{ "punch", "read pread load seek-hole" },
	{ "zero-range", "pread load" },
	{ "collapse", "read load size mtime" },
	{ "insert", "pread load size-fstat" },
	{ "replace", "read* map*" },
	/* how long it is */
	{ "truncate-up", "size* size-statx* size-fstat seek-end read-all fionread! pages append-at" },
	{ "truncate-down", "size* size-statx* size-fstat seek-end read-all fionread! pages append-at" },
	{ "ftruncate-up", "size seek-end pages" },
	{ "ftruncate-down", "size size-fstat read-all pages" },
	{ "open-trunc", "size* size-fstat read-all seek-end pages" },
	{ "append", "size* size-fstat seek-end read-all fionread! append-at" },
	{ "write-past", "size size-fstat read-all pages" },
	{ "allocate", "size size-fstat seek-end pages" },
	{ "zero-past", "size-fstat read-all" },
	{ "sendfile-past", "size read-all" },
	{ "copy-past", "size-fstat read-all" },
	{ "write-far", "seek-data" },
	{ "punch-inner", "seek-hole" },
	/* names */
	{ "create", "stat* lstat* statx* access* open* open-path* open-excl list* list-type* list-ino* rewinddir* seekdir* ino* handle* dir-mtime*" },
	{ "creat", "stat* open* list*" },
	{ "mkdir", "stat* chdir* open* list-type* dir-links* mkdir-there dir-mtime*" },
	{ "mknod", "lstat* list-type*" },
	{ "symlink", "lstat* readlink* list-type* open-excl" },
	{ "symlink-over", "readlink*" },
	{ "symlink-turned", "read*" },
	{ "link", "stat-b* open-b* ino-b* links* links-statx* links-fstat* list-b* ctime*" },
	{ "unlink", "stat* lstat* access* open* open-path* list* list-ino* rewinddir* links-fstat handle*" },
	{ "unlink-one", "links* links-fstat* stat-b*" },
	{ "rmdir", "stat* chdir* open* list* dir-links* mkdir-there links-fstat" },
	{ "rename", "stat* stat-b* open-b* ino-b* list* list-b* rewinddir* seekdir* fd-path!" },
	{ "rename-noreplace", "access* access-b*" },
	{ "rename-over", "ino* stat-b* read* links-fstat handle*" },
	{ "exchange", "ino* ino-b* read* handle* fd-path!" },
	{ "rename-dir", "stat* chdir* stat-b* getcwd! getcwd-looked fd-path! list-type*" },
	{ "rename-up", "stat* stat-b* open* open-b* ino-b* fd-path!" },
	{ "rename-cross", "stat* stat-b* above! above-looked getcwd! getcwd-looked" },
	{ "name-tmpfile", "stat* open* ino*" },
	{ "fill", "statfs~" },
	{ "last-close", "statfs~" },
	/* attributes, and programs */
	{ "chmod", "mode* mode-statx* mode-fstat* ctime*" },
	{ "fchmod", "mode mode-fstat" },
	{ "chmod-off", "user-open* user-access*" },
	{ "chmod-on", "user-open* user-access*" },
	{ "chmod-dir", "user-stat* user-open*" },
	{ "chown", "uid gid uid-fstat" },
	{ "fchown", "uid gid" },
	{ "lchown", "user-open* user-access*" },
	{ "utimensat", "mtime mtime-statx mtime-fstat" },
	{ "futimens", "mtime mtime-fstat" },
	{ "setxattr", "getxattr* fgetxattr* listxattr*" },
	{ "fsetxattr", "getxattr fgetxattr" },
	{ "removexattr", "getxattr listxattr" },
	{ "set-acl", "acl* mode* user-open* user-access*" },
	{ "remove-acl", "acl user-open*" },
	{ "program", "exec" },
	{ "program-over", "exec*" },
	{ "program-chmod", "exec*" },
	{ "program-unlink", "exec*" },
	/* locks */
	{ "lock", "trylock trylock-read trylock-ofd getlk" },
	{ "lock-wait", "trylock" },
	{ "lock-ofd", "trylock trylock-ofd" },
	{ "flock", "try-flock try-flock-shared" },
	{ "unlock", "trylock trylock-ofd getlk" },
	{ "unlock-ofd", "trylock" },
	{ "unflock", "try-flock" },
	{ "flock-shared", "try-flock-shared" },
	{ "close-locked", "trylock getlk" },
	{ "close-dup", "trylock" },
	{ "close-flocked", "try-flock" },
	{ "kill-locker", "trylock getlk" },
};

#define MARKS "*~! "

static const struct op *find_op(const char *name)
{
	static const struct op *const all[] = {
		data_ops, size_ops, name_ops, attr_ops, lock_ops, NULL,
	};

	for (int i = 0; all[i]; i++)
		for (const struct op *op = all[i]; op->name; op++)
			if (!strcmp(op->name, name))
				return op;
	fprintf(stderr, "pairs: no operation '%s'\n", name);
	return NULL;
}

static const struct see *find_see(const char *name, size_t n)
{
	static const struct see *const all[] = {
		data_sees, name_sees, attr_sees, lock_sees, NULL,
	};

	for (int i = 0; all[i]; i++)
		for (const struct see *see = all[i]; see->name; see++)
			if (strlen(see->name) == n && !strncmp(see->name, name, n))
				return see;
	fprintf(stderr, "pairs: no observation '%.*s'\n", (int)n, name);
	return NULL;
}

int table_rows(const struct row **rows)
{
	static struct row all[MAX_ROWS];
	int n = 0;

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const struct op *op = find_op(table[i].op);

		for (const char *s = table[i].sees; *s; s += strspn(s, MARKS)) {
			const size_t len = strcspn(s, MARKS);
			const struct see *see = find_see(s, len);

			if (!op || !see || n == MAX_ROWS)
				return -1;
			s += len;
			all[n++] = (struct row) { op, see, *s == '*', *s == '~', *s == '!' };
		}
	}
	*rows = all;
	return n;
}
