# SPDX-License-Identifier: GPL-2.0-only
#
# What the box tests share. Sourced with $BOX set to box/box; the box is up.
#
#   on IMAGE CMD...       run a command on an image, at most 120 s (SLOW times that)
#   ctl ARG...            ccctl on the boot image
#   check "WHAT" CMD...   run CMD, end the test with WHAT if it fails
#   refuses "PART" CMD... CMD must fail, soon, and PART be in what it prints
#   state IMAGE           its state, one word; field IMAGE NAME: of status --json
#   is_up IMAGE...        running, and takes commands
#   holds_nothing IMAGE.. none of the owner's frames
#   work IMAGE, work_ends a process that uses shared files meanwhile
#   proxy_of IMAGE [DIR]  the process id of its proxy for the file system of DIR
#                         (/srv/shared), on the owner; alive PID, dead PID
#   all_back IMAGE PID    an image that has ended left no frame and no proxy
#   starve IMAGE          makes it silent
#   kept IMAGE            frames that it was asked for and still uses
#   counter IMAGE LINE NAME  of its /sys/kernel/debug/sharedpc/counters
#
# A test must leave all images running, as it found them. What an image said in
# a life that ends is kept in $LIVES, for the runner to look for warnings.

set -u
BOX=${BOX:-box/box}
export LC_ALL=C

fail() { echo "FAILED: $*"; exit 1; }
on() { local image=$1; shift; timeout $((120 * ${SLOW-1})) "$BOX" exec "$image" -- "$@"; }
ctl() {
	case $1 in
	start|restart)	save_lives "${@:2}" ;;
	up|down)	save_lives $(clients) ;;
	esac
	timeout 240 "$BOX" exec boot -- ccctl "$@" </dev/null
}

# A start clears the console of an image: keep what it has.
save_lives() {
	local image

	[ -n "${LIVES-}" ] || return 0
	for image; do
		[[ $image == [a-z]* ]] || continue
		timeout 60 "$BOX" exec boot -- ccctl log "$image" </dev/null \
			>>"$LIVES/$image.log" 2>/dev/null
	done
	return 0
}

check() {
	local what=$1 out

	shift
	out=$("$@" 2>&1) || fail "$what: status $?: $out"
}

refuses() {
	local part=$1 out rc t0=$SECONDS

	shift
	out=$("$@" 2>&1) && fail "$* succeeded: $out"
	rc=$?
	[ "$rc" != 124 ] || fail "$* hung"
	[[ $out == *"$part"* ]] || fail "$* said: $out (wanted: $part)"
	[ $((SECONDS - t0)) -lt 100 ] || fail "$* took $((SECONDS - t0)) s"
}

field() {
	ctl status --json | python3 -c '
import json, sys
for image in json.load(sys.stdin):
	if image["name"] == sys.argv[1]:
		print(image[sys.argv[2]])' "$1" "$2"
}

state() { field "$1" state; }

is_up() {
	local image

	for image; do
		[ "$(state "$image")" = running ] || fail "$image is $(state "$image")"
		check "command on $image" on "$image" true
	done
}

# await SECONDS CMD...: until CMD succeeds.
await() {
	local end=$((SECONDS + $1 * ${SLOW-1}))

	shift
	until ("$@") >/dev/null 2>&1; do	# a shell of its own: it may fail()
		[ $SECONDS -lt $end ] || return 1
		sleep 0.2
	done
}

# The proxy of image $1: the process that said so last. Is it there?
proxy_of() {
	on boot sh -c 'for p in $(sed -n "s/^proxyd\[$1\]: starts, process \([0-9]*\), for device $(
		stat -c %Hd:%Ld "$2")\$/\1/p" /run/ccluster/proxyd.log); do
		! grep -qs "^proxyd$" /proc/$p/comm || echo "$p"; done | tail -n 1' \
		sh "$1" "${2-/srv/shared}"
}
# All proxies of image $1 that there are.
proxies_of() {
	on boot sh -c 'for p in $(sed -n "s/^proxyd\[$1\]: starts, process \([0-9]*\),.*/\1/p" \
		/run/ccluster/proxyd.log); do
		! grep -qs "^proxyd$" /proc/$p/comm || echo "$p"; done' sh "$1"
}
no_proxy() { [ -z "$(proxies_of "$1")" ]; }
alive() { on boot kill -0 "$1"; }
dead() { [ -n "$1" ] && on boot test ! -e "/proc/$1"; }

# work IMAGE: a process there that works on shared files until work_ends, which
# fails unless it worked all the time.
WORK=/srv/shared/work
work() {
	check "directory for work" on boot sh -c "rm -rf $WORK; mkdir $WORK"
	timeout 900 "$BOX" exec "$1" -- sh -ec "n=0; while [ ! -e $WORK/stop ]; do
		n=\$((n + 1)); echo \$n >$WORK/f; [ \$(cat $WORK/f) = \$n ]
		mv $WORK/f $WORK/g; done; echo \$n >$WORK/rounds" >"/tmp/work.$$" 2>&1 &
	worker=$!
	await 20 on boot test -e $WORK/g || fail "the work does not begin"
}
worked() { [ "$(on boot cat $WORK/g)" -gt 10 ]; }
work_ends() {
	kill -0 $worker 2>/dev/null || fail "the work ended: $(cat "/tmp/work.$$")"
	# How fast it is says nothing: that it goes on, does.
	await 60 worked || fail "the work stands still at $(on boot cat $WORK/g)"
	check "stop the work" on boot touch $WORK/stop
	wait $worker || fail "the work failed: $(cat "/tmp/work.$$")"
	rm -f "/tmp/work.$$"
	[ "$(on boot cat $WORK/rounds)" -gt 10 ] || fail "only $(on boot cat $WORK/rounds) rounds of work"
	check "clean up" on boot rm -rf $WORK
}

# IMAGE... runs no program and has no file open: the owner has all frames back.
# What is only kept for later opens is given up first, and kept again after.
holds_nothing() {
	local image kept=/sys/module/sharedpc/parameters/spare_files

	for image; do
		[ "$(on "$image" cat $kept)" = 0 ] ||
			on "$image" sh -c "echo 0 >$kept" || return 1
	done
	for image; do
		[ "$(field "$image" frames)" = 0 ] || return 1
	done
	for image; do
		on "$image" sh -c "echo 1024 >$kept" || return 1
	done
}

state_is() { [ "$(state "$1")" = "$2" ]; }

# The images that are not the boot image.
clients() { timeout 60 "$BOX" exec boot -- ccctl status --json </dev/null | python3 -c '
import json, sys
print(*[i["name"] for i in json.load(sys.stdin) if i["id"]])'; }

# What of the owner's frames IMAGE keeps though they were revoked.
kept() {
	on boot sed -n "s/^image [0-9]* name $1 .* kept \\([0-9]*\\) .*/\\1/p" \
		/sys/kernel/debug/sharedpc/images
}

# IMAGE has ended: the owner has all of its frames back, and no proxy PID for it.
all_back() {
	[ "$(field "$1" frames)" = 0 ] || fail "$1 has ended and holds $(field "$1" frames) frames"
	[ "$(kept "$1")" = 0 ] || fail "$1 has ended and keeps $(kept "$1") frames"
	await 20 dead "$2" || fail "the proxy of $1 outlives it"
	await 20 no_proxy "$1" || fail "a proxy of $1 outlives it: $(proxies_of "$1")"
}

# starve IMAGE: its kernel answers nobody any more, though its CPU runs. The program
# that does it is $starver here.
starve() {
	# Real-time programs may take all the time, and nobody has a share put by.
	check "no mercy" on "$1" sh -c 'echo -1 >/proc/sys/kernel/sched_rt_runtime_us
		for f in /sys/kernel/debug/sched/fair_server/cpu*/runtime; do echo 0 >$f; done'
	timeout 100 "$BOX" exec "$1" -- chrt -f 99 sh -c 'while :; do :; done' >/dev/null 2>&1 &
	starver=$!
	silent() { ctl status | grep "^$1 .*no heartbeat"; }
	await 30 silent "$1" || fail "status does not say that $1 is silent: $(ctl status)"
}

# counter IMAGE "LINE" NAME: the number after NAME in that line of its counters.
counter() {
	on "$1" sed -nE "s/^$2 .*\\b$3 ([0-9]+).*/\\1/p" /sys/kernel/debug/sharedpc/counters
}

# No warning in the boot image's kernel log since the test began.
dmesg_mark() { on boot sh -c 'echo box-test-mark >/dev/kmsg'; }
dmesg_clean() {
	local bad

	bad=$(on boot sh -c 'dmesg | tac | sed /box-test-mark/q' |
		grep -E 'WARNING:|BUG:|Oops|Call Trace|stuck' || true)
	[ -z "$bad" ] || fail "the boot image's kernel log: $bad"
}
