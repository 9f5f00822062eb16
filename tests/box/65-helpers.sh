#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 180
#
# What the kernel of a client starts by itself runs in the image's root: a file system, a
# device, a socket family and a cipher load by their use, a core goes to core_pattern's
# pipe, a key comes from request-key. Then the image is stopped: while a helper of its
# kernel runs on, and while one waits in a root that does not answer, nothing stays
# behind. The control: with /proc/sys/kernel/modprobe at a path that does not exist nothing
# loads.

. "$(dirname "$0")/lib.sh"

MODPROBE=/proc/sys/kernel/modprobe
PATTERN=/proc/sys/kernel/core_pattern
D=/srv/shared/helpers
MODULES="xfs loop algif_hash md4 af_alg af_key"
read -ra clients < <(clients)
a=${clients[0]}

restore() {
	[ -z "${stopped-}" ] || on boot kill -CONT "$stopped" 2>/dev/null
	state_is "$a" running || ctl start "$a" >/dev/null 2>&1
	on "$a" sh -c "echo $modprobe >$MODPROBE; echo '$pattern' >$PATTERN; umount /tmp/xfs
		rm -rf /tmp/xfs /tmp/xfs.img; modprobe -ra $MODULES" >/dev/null 2>&1
	on boot rm -rf $D
}

# No module of these is there when it is needed.
unload() {
	local module loaded

	on "$a" modprobe -qra $MODULES
	loaded=$(on "$a" cat /proc/modules) || fail "no list of modules on $a"
	for module in $MODULES; do
		! grep -q "^$module " <<<"$loaded" || fail "$module is loaded on $a"
	done
	! on "$a" grep -qw xfs /proc/filesystems || fail "$a has xfs"
}
loaded() { on "$a" grep -q "^$1 " /proc/modules; }

# Each uses what one module has.
device() { on "$a" sh -c ': </dev/loop-control'; }
filesystem() { on "$a" mount -t xfs -o loop /tmp/xfs.img /tmp/xfs; }
family() { on "$a" python3 -c 'import socket; socket.socket(15, socket.SOCK_RAW, 2)'; }
cipher() {
	on "$a" python3 -c 'import socket
s = socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)
s.bind(("hash", "md4"))
o = s.accept()[0]
o.sendall(b"abc")
print(o.recv(16).hex())'
}

try_modules() {
	# With what each stands on, but not itself.
	check "no modprobe" on "$a" sh -c "echo /no/modprobe >$MODPROBE"
	refuses "No such device" device
	check "modprobe by hand" on "$a" modprobe -a loop af_alg algif_hash
	refuses "unknown filesystem type" filesystem
	refuses "Address family not supported" family
	refuses "No such file or directory" cipher

	unload
	check "modprobe again" on "$a" sh -c "echo $modprobe >$MODPROBE"
	check "device" device
	loaded loop || fail "loop is not loaded"
	check "file system" filesystem
	loaded xfs || fail "xfs is not loaded"
	check "socket family" family
	loaded af_key || fail "af_key is not loaded"
	[ "$(cipher)" = a448017aaf21d8525fc10ae87aa6729d ] || fail "md4: $(cipher 2>&1)"
	loaded md4 || fail "md4 is not loaded"
	check "umount" on "$a" umount /tmp/xfs
	unload
}

# A program of the image's root, in $D: core PID, its input is the core.
try_core() {
	local pid kind

	check "core_pattern" on "$a" sh -ec "cat >$D/core; chmod 755 $D/core
		echo '|$D/core %p' >$PATTERN" <<-PROGRAM
		#!/bin/sh
		exec >$D/log 2>&1
		cat >$D/core.\$1
		pwd
		cut -d ' ' -f 2 /proc/self/mounts
		mv $D/core.\$1 $D/the.core.\$1
	PROGRAM
	pid=$(on "$a" sh -c 'sh -c "echo \$\$; kill -SEGV \$\$"; true' 2>/dev/null)
	await 20 on boot test -e "$D/the.core.$pid" ||
		fail "no core of $pid: $(on boot sh -c "ls -l $D; cat $D/log" 2>&1)"
	kind=$(on boot file "$D/the.core.$pid")
	[[ $kind == *"ELF 64-bit LSB core file"*"kill -SEGV"* ]] || fail "the core is $kind"
	[ "$(on boot sed -n 1p $D/log)" = / ] || fail "a helper starts in $(on boot sed -n 1p $D/log)"
	[ "$(on boot sed 1d $D/log)" = "$(on "$a" cut -d ' ' -f 2 /proc/self/mounts)" ] ||
		fail "a helper sees other mounts: $(on boot sed 1d $D/log)"
}

try_key() {
	local key

	key=$(on "$a" sh -c 'keyctl session - sh -c "keyctl pipe \
		\$(keyctl request2 user debug:helpers hello @s)" 2>/dev/null')
	[ "$key" = "Debug hello" ] || fail "the key is '$key'"
}

# The image ends in order, though a helper of its kernel runs.
try_stop() {
	local proxy log t0

	proxy=$(proxy_of "$a")
	check "helper that stays" on "$a" sh -ec "printf '#!/bin/sh\ncat >/dev/null\nexec >$D/stays
		echo here; sleep 1000\n' >$D/core; sh -c 'kill -SEGV \$\$' || true"
	await 20 on boot test -s $D/stays || fail "no helper that stays"
	t0=$SECONDS
	check "stop" ctl stop "$a"
	[ $((SECONDS - t0)) -lt $((20 * ${SLOW-1})) ] || fail "the stop took $((SECONDS - t0)) s"
	log=$(ctl log "$a")
	[[ $log == *"ccinit: going down"* ]] || fail "$a did not go down: $log"
	[[ $log != *"cannot be unmounted"* ]] || fail "$a could not unmount: $log"
	all_back "$a" "$proxy"
	await 20 on boot sh -c "tail -n 2 /run/ccluster/proxyd.log | grep -q 'client is gone\|nothing left'" ||
		fail "the proxies end otherwise: $(on boot tail -n 5 /run/ccluster/proxyd.log)"
	check "start" ctl start "$a"
}

# The owner's proxy for the root is silent, and modprobe waits for it.
try_silent_root() {
	local t0 user

	unload
	stopped=$(proxy_of "$a" /)
	check "silence" on boot kill -STOP "$stopped"
	timeout 100 "$BOX" exec "$a" -- sh -c 'read -r _ </dev/loop-control' >/dev/null 2>&1 &
	user=$!
	sleep 1
	kill -0 $user 2>/dev/null || fail "nobody waits for the root"
	t0=$SECONDS
	check "stop" ctl stop "$a"
	[ $((SECONDS - t0)) -lt $((30 * ${SLOW-1})) ] || fail "the stop took $((SECONDS - t0)) s"
	wait $user
	check "noise" on boot kill -CONT "$stopped"
	all_back "$a" "$stopped"
	stopped=
	check "start" ctl start "$a"
}

dmesg_mark
is_up "$a"
modprobe=$(on "$a" cat $MODPROBE) pattern=$(on "$a" cat $PATTERN)
trap restore EXIT
check "directory" on boot sh -c "rm -rf $D; mkdir $D"
check "file system" on "$a" sh -ec "mkdir -p /tmp/xfs; truncate -s 320M /tmp/xfs.img
	mkfs.xfs -q /tmp/xfs.img"
unload
for what in modules core key stop silent_root; do
	t0=$SECONDS
	try_$what
	echo "$what: $((SECONDS - t0)) s"
done
is_up "$a"
dmesg_clean
echo "what the kernel of $a starts runs in its root, and ends with it"
