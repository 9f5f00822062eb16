#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
#
# The proxies on the owner: one for each client and file system, whatever comes over
# their socket; gone with the image, back with it.

. "$(dirname "$0")/lib.sh"

read -ra clients < <(clients)
a=${clients[0]} b=${clients[-1]}
DIR=/srv/shared/proxies

log() { on boot cat /run/ccluster/proxyd.log; }

dmesg_mark
check "directory" on boot sh -c "rm -rf $DIR; mkdir -m 777 $DIR"
n=$(on boot pgrep -c '^proxyd$')
[ "$n" -le $((2 + 2 * ${#clients[@]})) ] || fail "$n processes for ${#clients[@]} clients"
pa=$(proxy_of "$a") pb=$(proxy_of "$b")
[ -n "$pa" ] && [ -n "$pb" ] && [ "$pa" != "$pb" ] || fail "proxies: '$pa' '$pb'"
[ "$(proxy_of "$a" /)" != "$pa" ] || fail "one proxy for two file systems"
check "proxy of $a" alive "$pa"
check "second mount" on "$a" sh -c 'mkdir -p /tmp/p && mount -t ccfs boot:/srv/shared /tmp/p'
[ "$(proxy_of "$a")" = "$pa" ] || fail "a second mount started a second proxy"
check "umount" on "$a" umount /tmp/p
check "proxy of $a after umount" alive "$pa"

# A user who is not root has no reserved port: nobody talks to him.
cat >/tmp/vsock.$$ <<'EOT'
import os, random, socket, sys
what = sys.argv[1]
def talk(data, port):
	s = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
	s.settimeout(20)
	if port:
		s.bind((socket.VMADDR_CID_ANY, port))
	s.connect((16, 2049))
	try:
		s.sendall(data)
		s.shutdown(socket.SHUT_WR)
		return len(s.recv(100))
	except (ConnectionError, OSError) as e:
		if isinstance(e, TimeoutError):
			raise
		return 0
	finally:
		s.close()
if what == "user":
	os.setuid(1234)
	try:
		talk(b"", 700)
		sys.exit("a user got a reserved port")
	except PermissionError:
		pass
	sys.exit(talk(b"ccfs" * 100, 0))
random.seed(1)
for i in range(200):
	n = random.choice([0, 4, 31, 32, 33, 500, 70000])
	data = random.randbytes(n)
	if i % 2 and n >= 32:
		data = b"ccfs" + n.to_bytes(4, "little") + bytes([1 + i % 31, 0, 0, 0]) + \
			bytes(4) + (i + 1).to_bytes(8, "little") + data[24:]
	if talk(data, 620 + i):
		sys.exit("garbage %d got an answer" % i)
EOT
check "program" "$BOX" cp /tmp/vsock.$$ "boot:$DIR/vsock.py"
rm -f /tmp/vsock.$$
check "an unprivileged caller" on "$a" python3 $DIR/vsock.py user
check "garbage" on "$a" python3 $DIR/vsock.py garbage
check "proxy of $a after garbage" alive "$pa"
[ "$(proxy_of "$a")" = "$pa" ] || fail "garbage brought up another proxy"
check "$a works on" on "$a" sh -c "echo x >$DIR/f && grep -q x $DIR/f"
log | grep -q 'refused' || fail "proxyd did not say that it refused somebody"

# A proxy that dies takes along its client's mounts of that file system, no other's.
check "kill" on boot kill -9 "$pb"
t0=$SECONDS
timeout 100 "$BOX" exec "$b" -- cat $DIR/f >/dev/null 2>&1 && fail "$b reads without a proxy"
[ $((SECONDS - t0)) -lt 90 ] || fail "$b took $((SECONDS - t0)) s to notice"
check "$a is not touched" on "$a" cat $DIR/f
check "the root of $b is not touched" on "$b" ls -l /usr/bin
on boot grep "^client $(field "$b" id) device $(on boot stat -c %Hd:%Ld /srv/shared) " \
	/sys/kernel/debug/sharedpc/files && fail "$b has frames and no proxy"
check "kill the other" on boot kill -9 "$(proxy_of "$b" /)"
no_frames() { [ "$(field "$b" frames)" = 0 ]; }
await 20 no_frames || fail "$b has $(field "$b" frames) frames and no proxy"
check "restart" ctl restart "$b"
await 60 is_up "$b" || fail "$b does not come back"
check "$b works again" on "$b" grep -q x $DIR/f

# Stopped and started: another proxy.
pb=$(proxy_of "$b")
check "proxy of $b" alive "$pb"
check "stop" ctl stop "$b"
await 20 dead "$pb" || fail "the proxy of $b outlives it"
check "start" ctl start "$b"
await 60 is_up "$b" || fail "$b does not come back"
[ "$(proxy_of "$b")" != "$pb" ] || fail "no new proxy for $b"
check "clean up" on boot rm -rf $DIR
dmesg_clean
echo "one proxy per client and file system, and none too many"
