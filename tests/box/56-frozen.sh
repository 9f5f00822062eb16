#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# may log: ^lives/.*
# timeout: 400
# long: FREEZE=60
# long timeout: 600
#
# A file system that stands still holds up nobody else: while one export is frozen, and
# eight processes on a client create, write and store there, the client's root and a third
# export work as fast as before, and after the thaw all goes on where it was. The same
# while another client is silent, until it is fenced.
#
# The control is the frozen export itself: nothing is done there meanwhile.

. "$(dirname "$0")/lib.sh"

CONF=/etc/ccluster/partitions.conf
T=/usr/lib/ccluster/tests
DIR=/srv/shared/frozen
FREEZE=${FREEZE:-20}	# seconds
read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}

restore() {
	on boot sh -c "fsfreeze -u /srv/shared; rm -f $DIR/stop" 2>/dev/null
	on boot touch $DIR/stop 2>/dev/null
	on "$a" umount /tmp/third 2>/dev/null
	on boot sh -c "[ ! -e $CONF.saved ] || mv $CONF.saved $CONF
		umount /srv/third && rmdir /srv/third" 2>/dev/null
}
trap restore EXIT

# The median and the longest of some rounds, in ms, of what is done on two other file
# systems.
others() {
	on "$a" sh -c 'for i in $(seq 5); do
			t=$(date +%s%N)
			ls /usr/bin >/dev/null && ls /tmp/third >/dev/null && /usr/bin/true &&
				echo $i >/tmp/third/f && [ "$(cat /tmp/third/f)" = $i ] &&
				mv /tmp/third/f /tmp/third/g || exit 1
			echo $((($(date +%s%N) - t) / 1000000))
		done | sort -n | sed -n "3p;5p" | tr "\n" " "'
}
# others, until CMD... says so, three times at least: the worst in $worst, the last in $all.
others_while() {
	local i w

	worst=0
	for ((i = 0; i < 3; i++)); do
		all=$(others) || fail "the other file systems do not work"
		w=${all#* }
		[ "${w% }" -le $worst ] || worst=${w% }
		! "$@" || i=0
	done
	[ $worst -lt 5000 ] || fail "a round of the others took $worst ms"
}
rounds() { on boot sh -c "cat $DIR/d*/n" | awk '{ n += $1 } END { print n + 0 }'; }

dmesg_mark
is_up "$a" "$b"
check "third export" on boot sh -ec "cp $CONF $CONF.saved; mkdir -p /srv/third
	mount -t tmpfs none /srv/third
	printf 'export third {\n path = \"/srv/third\"\n to = {\"*\"}\n squash = \"none\"\n}\n' >>$CONF"
check "third mount" on "$a" sh -c 'mkdir -p /tmp/third && mount -t ccfs boot:/srv/third /tmp/third'
others_while false
said="alone $all"
check "directories" on boot sh -ec "rm -rf $DIR; mkdir $DIR; for i in 1 2 3 4 5 6 7 8; do
	mkdir $DIR/d\$i; truncate -s 64K $DIR/d\$i/m; done"

# Each creates, writes and renames; the mapped store is one in a page of its own.
for i in 1 2 3 4 5 6 7 8; do
	timeout 390 "$BOX" exec "$a" -- sh -ec "n=0; cd $DIR/d$i; while [ ! -e ../stop ]; do
		n=\$((n + 1)); echo \$n >f; [ \$(cat f) = \$n ]; mv f g; mkdir x; rmdir x
		$T/mapped store m \$((n % 16 * 4096)) \$n
		echo \$n >n.new; mv n.new n; done" >"/tmp/frozen.$$.$i" 2>&1 &
	pids[i]=$!
done
begun() { [ "$(on boot sh -c "ls $DIR/d*/n 2>/dev/null | wc -l")" = 8 ]; }
await 60 begun || fail "not all work: $(cat /tmp/frozen.$$.*)"
others_while false
said+="busy $all"

check "freeze" on boot fsfreeze -f /srv/shared
sleep 3
n=$(rounds)
t0=$SECONDS
others_while eval '[ $((SECONDS - t0)) -lt "$FREEZE" ]'
said+="frozen $all"
[ "$(rounds)" = "$n" ] || fail "the control: work goes on in what is frozen"
check "thaw" on boot fsfreeze -u /srv/shared
more() { [ "$(rounds)" -gt $((n + 16)) ]; }
await 60 more || fail "nothing goes on after the thaw"

# A silent client that has a page of the file: who cuts it waits, and what he locks.
check "file" on boot sh -c "rm -f $DIR/fence; truncate -s 64K $DIR/fence"
timeout 100 "$BOX" exec "$b" -- $T/mapped await $DIR/fence 0 1 >/dev/null 2>&1 &
holder=$!
mapped() { [ "$(on boot $T/mapped read $DIR/fence 8)" = 1 ]; }
await 20 mapped || fail "$b does not map the file"
starve "$b"
check "rotting" on boot sh -c "truncate -s 0 $DIR/fence >/dev/null 2>&1 &"
others_while false
said+="silent $all"
await 60 state_is "$b" fenced || fail "$b is $(state "$b")"
wait $holder $starver
check "start" ctl start "$b"
is_up "$a" "$b"

check "stop" on boot touch $DIR/stop
for i in 1 2 3 4 5 6 7 8; do
	wait "${pids[i]}" || fail "process $i: $(cat "/tmp/frozen.$$.$i")"
done
rm -f /tmp/frozen.$$.*
check "clean up" on boot rm -rf $DIR
dmesg_clean
echo "rounds elsewhere, median and longest in ms: $said"
