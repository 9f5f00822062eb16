#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
#
# Root of an image is not root of the box. What it changes in its root stays in its
# memory; what an export forbids (squash, nodev, nosuid, ro) the owner refuses, whatever
# the client's kernel believes; and nothing leads out of an export. The control is the
# owner, and an export that forbids nothing.

. "$(dirname "$0")/lib.sh"

CONF=/etc/ccluster/partitions.conf
read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}

restore() {
	for image in "$a" "$b"; do
		on "$image" sh -c 'for t in narrow none wide mapped; do umount /tmp/$t; done' 2>/dev/null
	done
	on boot sh -c "[ ! -e $CONF.saved ] || mv $CONF.saved $CONF
		umount /srv/trust && rmdir /srv/trust" 2>/dev/null
}
trap restore EXIT
as() { local image=$1; shift; on "$image" setpriv --reuid 1234 --regid 1234 --clear-groups "$@"; }

dmesg_mark
# Its root: changed, removed and replaced there, and there alone.
check "preload" on "$a" sh -c "echo x >/etc/ld.so.preload"
check "program" on "$a" sh -c "cp /bin/false /usr/bin/true; rm /usr/bin/perl; mkdir /srv/new"
for image in boot "$b"; do
	on "$image" test -e /etc/ld.so.preload && fail "$image has the preload of $a"
	check "$image has its programs" on "$image" sh -c "true && perl -e 1 && ! test -e /srv/new"
done
[ "$(on "$a" sh -c 'rm /etc/ld.so.preload; cmp -s /usr/bin/true /bin/false && ! test -e /usr/bin/perl && echo changed')" = changed ] ||
	fail "$a does not keep what it changed"
# The owner's ACLs count below the overlay.
check "ACL" on boot sh -ec "echo x >/usr/local/acl; chmod 640 /usr/local/acl; chgrp 77 /usr/local/acl
	setfacl -m u:1234:r,g::---,m::r /usr/local/acl"
check "named in the ACL" as "$a" cat /usr/local/acl
refuses "Permission denied" on "$a" setpriv --reuid 1235 --regid 77 --clear-groups cat /usr/local/acl
check "no ACL" on boot rm /usr/local/acl
check "restart" ctl restart "$a"
is_up "$a"
check "as it was after a restart" on "$a" sh -c "true && perl -e 1"
# Nor below the overlay: the mount that it has from the owner is read-only there, too.
check "another mount of the root" on "$a" sh -c "mkdir -p /tmp/none && mount -t ccfs -o ro boot:/ /tmp/none"
refuses "Read-only" on "$a" sh -c "echo x >/tmp/none/etc/ld.so.preload"
refuses "read-only" on "$a" sh -c "mkdir -p /tmp/wide; mount -t ccfs -o rw boot:/ /tmp/wide"
on "$a" mount -o remount,rw /tmp/none 2>/dev/null
refuses "Read-only" on "$a" sh -c "echo x >/tmp/none/etc/ld.so.preload"
check "umount" on "$a" umount /tmp/none
check "the plan is out of reach" on "$a" sh -c "! echo x >>/var/lib/ccluster/plan || rm /var/lib/ccluster/plan"
check "the owner's plan" on boot test -s /var/lib/ccluster/plan

# One directory, exported in two ways, and one of it for everybody who is nobody.
check "exports" on boot sh -ec "cp $CONF $CONF.saved; mkdir -p /srv/trust
	mount -t tmpfs -o mode=755 none /srv/trust
	mkdir -m 1777 /srv/trust/narrow; mkdir /srv/trust/narrow/all; chmod 777 /srv/trust/narrow/all
	echo secret >/srv/trust/secret; for f in f g; do echo of root >/srv/trust/narrow/\$f; chmod 600 /srv/trust/narrow/\$f; done
	cp /usr/bin/id /srv/trust/narrow/id; chmod 4755 /srv/trust/narrow/id
	mknod -m 666 /srv/trust/narrow/null c 1 3
	mkdir -m 700 /srv/trust/narrow/closed; echo x >/srv/trust/narrow/closed/x
	install -m 4777 /usr/bin/id /srv/trust/narrow/writable
	printf 'export narrow {\n path = \"/srv/trust/narrow\"\n to = {\"*\"}\n}\n' >>$CONF
	printf 'export wide {\n path = \"/srv/trust\"\n to = {\"*\"}\n squash = \"none\"\n nosuid = \"no\"\n nodev = \"no\"\n}\n' >>$CONF
	mkdir -m 700 /srv/trust/mapped; chown 100000:100000 /srv/trust/mapped
	touch /srv/trust/mapped/of-root; chmod 600 /srv/trust/mapped/of-root
	printf 'export mapped {\n path = \"/srv/trust/mapped\"\n to = {\"*\"}\n squash = \"none\"\n map = {\"0:100000:2000\"}\n}\n' >>$CONF
	printf 'export none {\n path = \"/srv/trust/narrow/all\"\n to = {\"*\"}\n squash = \"all\"\n}\n' >>$CONF"
for t in narrow:/narrow wide: none:/narrow/all mapped:/mapped; do
	check "mount" on "$a" sh -c "mkdir -p /tmp/${t%%:*} && mount -t ccfs boot:/srv/trust${t#*:} /tmp/${t%%:*}"
done
N=/tmp/narrow W=/tmp/wide

# squash: root is nobody; others are who they are; with "all" nobody is anybody.
refuses "Permission denied" on "$a" cat $N/f
refuses "Permission denied" on "$a" sh -c "echo x >>$N/f"
refuses "not permitted" on "$a" chmod 644 $N/f
refuses "not permitted" on "$a" chown 1234 $N/f
check "root creates" on "$a" touch $N/made
[ "$(on boot stat -c %u:%g /srv/trust/narrow/made)" = 65534:65534 ] || fail "root created as root"
check "a user creates" as "$a" touch $N/mine
[ "$(on boot stat -c %u:%g /srv/trust/narrow/mine)" = 1234:1234 ] || fail "a user is somebody else"
refuses "Permission denied" on "$a" sh -c "echo x >>$N/mine"
check "a user in none" as "$a" touch /tmp/none/made
[ "$(on boot stat -c %u:%g /srv/trust/narrow/all/made)" = 65534:65534 ] || fail "a user is himself"
check "control: the wide one" on "$a" cat $W/narrow/f
refuses "Permission denied" on "$a" cat $N/f	# though it is remembered by now

# map: root and the users of an image are others, and have no rights but theirs.
P=/tmp/mapped
check "root makes" on "$a" sh -c "echo x >$P/f && chmod 777 $P"
check "a user makes" as "$a" touch $P/u
[ "$(on boot stat -c %u:%g /srv/trust/mapped/f /srv/trust/mapped/u | tr '\n' ' ')" = "100000:100000 101234:101234 " ] ||
	fail "mapped files belong to $(on boot stat -c %u:%g /srv/trust/mapped/f /srv/trust/mapped/u | tr '\n' ' ')"
[ "$(on "$a" stat -c %u:%g $P/f $P/u $P/of-root | tr '\n' ' ')" = "0:0 1234:1234 65534:65534 " ] ||
	fail "$a sees owners $(on "$a" stat -c %u:%g $P/f $P/u $P/of-root | tr '\n' ' ')"
refuses "Permission denied" on "$a" cat $P/of-root
refuses "Value too large" on "$a" chown 1 $P/of-root
refuses "Value too large" on "$a" setpriv --reuid 5000 --regid 5000 --clear-groups touch $P/v
check "written" on "$a" sh -c "chown 77 $P/f && echo more >>$P/f"
[ "$(on boot stat -c %u /srv/trust/mapped/f)" = 100077 ] || fail "chown made it $(on boot stat -c %u /srv/trust/mapped/f)"

# nosuid: nobody gets a program that runs as another one, nor does one that is there.
check "program" as "$a" cp /usr/bin/id $N/own
refuses "not permitted" as "$a" chmod 4755 $N/own
refuses "not permitted" as "$a" chmod 2755 $N/own
refuses "not permitted" on "$a" setfattr -n security.capability \
	-v 0x0100000200200000000000000000000000000000 $N/made
refuses "not permitted" on "$a" python3 -c "import os; os.open('$N/new', os.O_CREAT | os.O_WRONLY, 0o6755)"
as "$a" $N/id | grep -q euid && fail "a set-user-ID program works"
check "control: it does in the wide one" as "$a" sh -c "$W/narrow/id | grep -q euid=0"

on boot test -u /srv/trust/narrow/writable || fail "there is no set-user-ID program to be changed"
check "a program that is there" on "$a" sh -c "exec 3<>$N/writable"
on boot test -u /srv/trust/narrow/writable && fail "who may change a set-user-ID program leaves it one"
check "a sparse file of a user" as "$a" sh -c "umask 077; truncate -s 1M $N/sparse; echo x >>$N/sparse; cat $N/sparse >/dev/null"
check "a second open" as "$a" python3 -c "import os
f = os.open('$N/sparse', os.O_RDONLY)
os.fsync(f)
assert os.lseek(f, 0, os.SEEK_DATA) <= 1 << 20"
check "copy" as "$a" sh -c "cp --sparse=always $N/sparse $N/copy && cmp $N/sparse $N/copy"

# nodev: no device file can be made, none works.
refuses "not permitted" on "$a" mknod $N/disk b 259 0
refuses "Permission denied" on "$a" sh -c ": >$N/null"
check "control: the wide one" on "$a" sh -c ": >$W/narrow/null && mknod $W/disk b 259 0 && rm $W/disk"

# Root of an image has a device that reads a size wherever one lies: not anywhere.
cat >/tmp/sizes.$$ <<'EOT'
import fcntl, os, struct, sys
dev = os.open("/dev/sharedpc", os.O_RDWR)
image = bytearray(320)
fcntl.ioctl(dev, 3 << 30 | 320 << 16 | 0x5002, image)
epoch = struct.unpack_from("<I", image, 8)[0]
def backing(phys):
	try:
		os.close(fcntl.ioctl(dev, 1 << 30 | 48 << 16 | 0x500a, bytearray(struct.pack("<IIQQQQII",
			0, epoch, 1 << 60, phys, 0, 0, 0, int(sys.argv[1])))))
		return 0
	except OSError as e:
		return e.errno
for what, phys in [w.split("=") for w in sys.argv[3:]]:
	if backing(int(phys, 0)) != 22:
		sys.exit("a size may lie in %s" % what)
if backing(int(sys.argv[2], 0)):
	sys.exit("the control: no size may lie in the owner's memory")
EOT
check "sizes" "$BOX" cp /tmp/sizes.$$ "$a:/tmp/sizes.py"
rm -f /tmp/sizes.$$
server=$(on boot sed -nE "s/^server client $(field "$a" id) number ([0-9]+) .*/\1/p" /sys/kernel/debug/sharedpc/counters | head -n 1)
where() { on "$1" sed -nE "s/^ *([0-9a-f]+)-[0-9a-f]+ : $2.*/0x\1/p" /proc/iomem | tail -n 1; }
check "where a size may lie" on "$a" python3 /tmp/sizes.py "$server" 0x100000 \
	APIC=0xfee00008 nowhere=0xffff00000000 "own=$(where "$a" "System RAM")" \
	"region=$(where "$a" "sharedpc region")"

# It also has the way to its proxies: what is no request there, of no mount, too long or
# nowhere gets an error, and the proxy goes on. The control: what is one.
cat >/tmp/asks.$$ <<'EOT'
import errno, fcntl, os, struct, sys
JOIN, ASK, LEAVE = 1 << 30 | 16 << 16 | 0x5013, 3 << 30 | 32 << 16 | 0x5014, 0x5015
def opened(): return os.open("/dev/sharedpc", os.O_RDWR)
dev = opened()
image = bytearray(320)
fcntl.ioctl(dev, 3 << 30 | 320 << 16 | 0x5002, image)
epoch, server = struct.unpack_from("<I", image, 8)[0], int(sys.argv[1])
import ctypes
head, body = ctypes.create_string_buffer(32), ctypes.create_string_buffer(1 << 20)
def call(fd, code, arg=b""):
	try:
		fcntl.ioctl(fd, code, arg)
		return 0
	except OSError as e:
		return e.errno
def want(what, got, *errors):
	if got not in errors: sys.exit("%s: error %d, not %s" % (what, got, errors))
def join(fd, owner=0, epoch=epoch, server=server, reserved=0):
	return call(fd, JOIN, struct.pack("<IIII", owner, epoch, server, reserved))
def ask(fd, mount=1, h=None, b=None, length=20, room=1024, magic=0x73666363, op=5, size=None, error=0):
	head.raw = struct.pack("<IIHHiQQ", magic, (32 + length) & 0xffffffff if size is None else size, op, 0, error, 7, 1)
	body.raw = struct.pack("<5I", 0, 0, 1, 0o22, 0)
	return call(fd, ASK, bytearray(struct.pack("<QQQII", mount, ctypes.addressof(head) if h is None else h,
		ctypes.addressof(body) if b is None else b, length, room)))
want("ask without join", ask(dev), errno.EINVAL)
want("join myself", join(dev, owner=int(sys.argv[2])), errno.EINVAL)
want("join nobody", join(dev, owner=99), errno.EINVAL)
want("join another life", join(dev, epoch=epoch + 1), errno.ENOTCONN)
want("join server 0", join(dev, server=0), errno.EINVAL)
want("join, reserved", join(dev, reserved=1), errno.EINVAL)
want("join", join(dev), 0)
want("join twice", join(dev), errno.EINVAL)
for mount in 0, 1 << 20, 1 << 63:
	want("no such mount", ask(dev, mount), errno.ESTALE)
live = [m for m in range(1, 100) if not ask(dev, m)]
if not live: sys.exit("the control: no mount takes a request")
want("no memory", ask(dev, live[0], h=8), errno.EFAULT)
want("no memory for the body", ask(dev, live[0], b=8), errno.EFAULT)
want("too long", ask(dev, live[0], length=(1 << 32) - 1), errno.EMSGSIZE)
want("much", ask(dev, live[0], length=1 << 20), errno.EMSGSIZE)
want("much room", ask(dev, live[0], room=(1 << 32) - 1), 0)
want("no room", ask(dev, live[0], room=0), errno.EMSGSIZE)
want("another size", ask(dev, live[0], size=5), errno.EPROTO)
want("another magic", ask(dev, live[0], magic=1), errno.EPROTO)
want("still there", ask(dev, live[0]), 0)
other = opened()
want("join no server", join(other, server=server + 1000), 0)
want("no server", ask(other, live[0]), errno.ENOTCONN, errno.EIO)
call(dev, LEAVE)
want("after leave", ask(dev, live[0]), errno.ENOTCONN)
for op in 1, 2, 4, 17, 99:	# HELLO, PING, FORGET, DROP, none, of no mount (of one: test-asked)
	dev = opened()
	want("join", join(dev), 0)
	want("op %d" % op, ask(dev, 1 << 40, op=op), errno.ESTALE, errno.EPROTO)
os.setuid(1234)
want("not root: join", call(os.open("/dev/sharedpc", os.O_RDWR), JOIN, struct.pack("<IIII", 0, epoch, server, 0)), errno.EPERM)
want("not root: ask", ask(dev, live[0]), errno.EPERM)
EOT
check "asks" "$BOX" cp /tmp/asks.$$ "$a:/tmp/asks.py"
rm -f /tmp/asks.$$
check "who asks the proxies" on "$a" python3 /tmp/asks.py "$server" "$(field "$a" id)"

# The way out: by "..", by a link, by a handle that is guessed or stale.
[ "$(on "$a" sh -c "cd $N && ls ..")" = "$(on "$a" ls /tmp)" ] || fail ".. leads out of the mount"
check "link" as "$a" ln -s /srv/trust/secret $N/all/link
refuses "No such file" on "$a" cat $N/all/link
check "link to a directory" as "$a" sh -c "ln -s ../.. $N/all/up; ln -s / $N/all/root"
[ "$(on "$a" sh -c "cd -P $N/all/up && pwd")" = /tmp ] || fail "a link leads out of the export"

# A kernel that lies: it says what no kernel of ours would.
cat >/tmp/liar.$$ <<'EOT'
import random, socket, struct, sys
(HELLO, LOOKUP, FORGET, GETATTR, SETATTR, OPEN, READDIR, FALLOCATE, LSEEK, COPY, REVALIDATE,
 HANDLE, PRESENT, DOT) = (1, 3, 4, 5, 6, 15, 18, 22, 23, 24, 30, 31, 32, 33)
EACCES, EBADF, ESTALE = 13, 9, 116
def mount(path):
	s = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
	s.settimeout(20)
	for port in random.sample(range(600, 1000), 400):
		try:
			s.bind((socket.VMADDR_CID_ANY, port))
			break
		except OSError as e:	# somebody has it
			if e.errno != 98:
				raise
	s.connect((16, 2049))
	return s
def text(t): return struct.pack("<I", len(t)) + t.encode()
def recvn(s, n):
	data = b""
	while len(data) < n:
		more = s.recv(n - len(data))
		if not more: raise EOFError
		data += more
	return data
def ask(s, op, node, body, uid=1234, answer=True):
	cred = struct.pack("<5I", uid, uid, 1, 0o22, 0)
	s.sendall(struct.pack("<IIHHiQQ", 0x73666363, 52 + len(body), op, 0, 0, 7, node) + cred + body)
	if not answer: return
	head = struct.unpack("<IIHHiQQ", recvn(s, 32))
	return -head[4], recvn(s, head[1] - 32)
def want(what, got, error):
	if got[0] != error: sys.exit("%s: error %d, not %d" % (what, got[0], error))
	return got[1]
s = mount(sys.argv[1])
want("hello", ask(s, HELLO, 1, struct.pack("<II", 9, 0) + text(sys.argv[1])), 0)
for node in [0, 2, 3, 1000, 1 << 32, (1 << 64) - 1]:
	want("guessed node %d" % node, ask(s, GETATTR, node, b""), ESTALE)
	want("name of it", ask(s, REVALIDATE, 1, struct.pack("<Q", node) + text("g")), ESTALE)
node = struct.unpack("<Q", want("lookup", ask(s, LOOKUP, 1, text("g")), 0)[:8])[0]
size = struct.pack("<IIIIQqqII", 0x108, 0, 0, 0, 0, 0, 0, 0, 0)	# SIZE | OPENED
want("size of what is not open", ask(s, SETATTR, node, size), EBADF)
want("the same as root", ask(s, SETATTR, node, size, 0), EBADF)
piece = struct.pack("<QQII", 0, 4096, 3, 0)	# punch a hole
want("hole in what is not open", ask(s, FALLOCATE, node, piece), EBADF)
want("data of what is not open", ask(s, LSEEK, node, struct.pack("<QQII", 0, 0, 3, 0)), EBADF)
want("copy of what is not open", ask(s, COPY, node, struct.pack("<QQQQ", 0, node, 0, 1)), EBADF)
for uid in 0, 1234:
	want("run what is no program", ask(s, OPEN, node, struct.pack("<IIQ", 0, 0x20, 0), uid), EACCES)
	want("open", ask(s, OPEN, node, struct.pack("<IIQ", 0, 0, 0), uid), EACCES)
closed = struct.unpack("<Q", want("lookup", ask(s, LOOKUP, 1, text("closed")), 0)[:8])[0]
for uid in 0, 1234:
	want("read a closed directory", ask(s, READDIR, closed, struct.pack("<QII", 0, 65536, 1), uid), EACCES)
handle = want("handle", ask(s, HANDLE, node, b""), 0)
want("what was given", ask(s, PRESENT, 1, handle), 0)
root = want("handle of the root", ask(s, HANDLE, 1, b""), 0)
want("the seal of another", ask(s, PRESENT, 1, root[:8] + handle[8:]), ESTALE)
want("no seal", ask(s, PRESENT, 1, bytes(8) + handle[8:]), ESTALE)
for bit in range(8 * len(handle)):
	forged = bytearray(handle)
	forged[bit // 8] ^= 1 << bit % 8
	if struct.unpack_from("<I", forged, 12)[0] > 128: continue	# ends the connection
	want("forged, bit %d" % bit, ask(s, PRESENT, 1, bytes(forged)), ESTALE)
above = want("above the root", ask(s, DOT, 1, struct.pack("<Q", 2)), 0)
if struct.unpack_from("<Q", above)[0] != 1: sys.exit(".. leads out of the export")
ask(s, FORGET, 1, struct.pack("<QQQ", 1, node, 2), answer=False)
want("stale node", ask(s, GETATTR, node, b""), ESTALE)
for name in "..", ".", "all/..", "/etc/passwd", "a\0b", "":
	s = mount(sys.argv[1])
	want("hello", ask(s, HELLO, 1, struct.pack("<II", 9, 0) + text(sys.argv[1])), 0)
	try:
		got = ask(s, LOOKUP, 1, text(name))
		if not got[0]: sys.exit("name %r was found" % name)
	except (EOFError, ConnectionError):
		pass
EOT
check "liar" "$BOX" cp /tmp/liar.$$ "$a:/tmp/liar.py"
rm -f /tmp/liar.$$
check "a kernel that lies" on "$a" python3 /tmp/liar.py /srv/trust/narrow
[ "$(on boot cat /srv/trust/narrow/g)" = "of root" ] || fail "a file of root was changed"
check "clean up" on boot rm -r /srv/trust/narrow
dmesg_clean
echo "root of $a is root of $a"
