#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
#
# proxyd and all its proxies die. Whoever works on shared files gets errors in
# bounded time, nothing hangs, and `ccctl up` and restarts bring all back.

. "$(dirname "$0")/lib.sh"

read -ra clients < <(clients)
a=${clients[0]}
M=/tmp/proxyd-gone

# Programs on $a that have a shared file open and mapped when it happens; they
# are static and lie in a tmpfs, since the text of others goes as well.
DIR=/srv/shared/gone
P=/tmp/mapped
dmesg_mark
check "directory" on boot sh -c "rm -rf $DIR; mkdir $DIR; truncate -s 64K $DIR/f; mkdir -p $M"
check "program" on "$a" cp /usr/lib/ccluster/tests/mapped $P
timeout 150 "$BOX" exec "$a" -- $P await $DIR/f 0 5 >"/tmp/gone.$$.map" 2>&1 &
mapped=$!
timeout 150 "$BOX" exec "$a" -- $P poll $DIR/f 0 >"/tmp/gone.$$.read" 2>&1 &
reads=$!
await 20 grep -q polling "/tmp/gone.$$.read" || fail "nobody reads"
await 20 sh -c "[ \$($BOX exec boot -- /usr/lib/ccluster/tests/mapped read $DIR/f 8) = 1 ]" ||
	fail "nobody has mapped it"

check "kill" on boot sh -c 'pkill -9 -x proxyd; sleep 0.2; ! pgrep -x proxyd'
wait $mapped
rc=$?
[ $rc = 135 ] || fail "the mapping ended with $rc, not SIGBUS: $(cat "/tmp/gone.$$.map")"
wait $reads && fail "reads went on"
grep -q "pread: Input/output error" "/tmp/gone.$$.read" ||
	fail "read said: $(cat "/tmp/gone.$$.read")"
rm -f "/tmp/gone.$$".*
refuses "" on "$a" cat $DIR/f		# whatever of cat itself is gone first
refuses "proxyd" on boot mount.ccfs boot:/srv/shared $M
for image in "${clients[@]}"; do
	[ "$(field "$image" frames)" = 0 ] || fail "$image has $(field "$image" frames) frames and no proxy"
done

check "up" ctl up
check "the owner's mount" on boot sh -c "cat /mnt/shared/gone/f >/dev/null"
for image in "${clients[@]}"; do check "restart $image" ctl restart "$image"; done
is_up "${clients[@]}"
[ "$(on "$a" cksum $DIR/f)" = "$(on boot cksum $DIR/f)" ] || fail "$a reads something else"
check "clean up" on boot rm -rf $DIR
dmesg_clean
echo "without proxyd: errors, no hang, and back"
