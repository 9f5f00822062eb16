# SPDX-License-Identifier: GPL-2.0-only
#
# What the kernels of the box have written: saved, shown, judged. Sourced, after
# box/machine.sh.

# What no kernel log may have.
SPLAT='WARNING:|BUG:|Oops|Call Trace:|general protection|UBSAN|KASAN:|inconsistent lock state|locking correctness validator|possible (circular|recursive) locking|blocked for more than|rcu.*(stall|detected)|soft lockup|hard LOCKUP|Unexpected|Bad page|memory leak'
# Where, if there is any of that.
WHERE='rcu:[[:space:]]+[0-9]+-|NMI backtrace for cpu|RIP: [0-9]|task:'

# image_states [SECONDS]: "NAME STATE" of each image, the boot image first.
image_states() {
	timeout "${1:-20}" "$TOP/box/box" exec - -- ccctl status --json </dev/null 2>/dev/null |
		grep -oE '"(name|state)": *"[^"]*"' | cut -d'"' -f4 | paste -d' ' - -
}

# save_logs DIR [SECONDS]: of every image, DIR/NAME.log; of the boot image the
# machine's console, DIR/boot.log. Prints which log of an image that runs cannot
# be had. SECONDS is the limit of each question to the machine.
save_logs() {
	local dir=$1 limit=${2:-20} name state

	mkdir -p "$dir"
	tr -d '\r' <"$RUNDIR/console.log" >"$dir/boot.log" || true
	grep -asqF 'Linux version' "$dir/boot.log" || echo "boot: no kernel log"
	machine_runs || return 0
	image_states "$limit" >"$dir/states" || echo "no list of images: ccctl status failed"
	while read -r name state; do
		timeout "$limit" "$TOP/box/box" exec - -- ccctl log "$name" \
			</dev/null 2>"$dir/$name.err" | tr -d '\r' >"$dir/new" &&
			mv "$dir/new" "$dir/$name.log" || rm -f "$dir/new"
		[ "$state" = running ] || continue
		# of a long log the beginning may be gone
		grep -asqF 'Linux version' "$dir/$name.log" ||
			grep -qF 'have been overwritten' "$dir/$name.err" ||
			echo "$name: no kernel log: $(tail -n 1 "$dir/$name.err")"
	done < <(tail -n +2 "$dir/states")
}

# show_logs DIR: the last lines of each.
show_logs() {
	local f

	for f in "$1"/*.log; do
		[ -s "$f" ] || continue
		echo "    --- console of $(basename "$f" .log), last lines:"
		tail -n 15 "$f" | cut -c 1-160 | sed 's/^/    | /'
	done
}

# splats DIR [SINCE [MAY]]: warnings of the boot image after line SINCE, of the
# other images since their last start and in the lives that a test ended; what
# matches MAY is none.
splats() {
	local f

	for f in "$1"/*.log "$1"/lives/*.log; do
		[ -e "$f" ] || continue
		case $f in
		*/lives/*) tr -d '\r' <"$f" ;;
		*/boot.log) tail -n "+$((${2:-0} + 1))" "$f" ;;
		*)	tac "$f" | sed '/Linux version/q' | tac ;;
		esac | grep -aE "$SPLAT|$WHERE" | sed "s|^|${f#"$1"/}: |" |
			grep -avE "${3:-^$}" | if_any || true
	done
}

# Lines that only say where it was, if there is one that says that it was.
if_any() {
	local text

	text=$(cat)
	! grep -qaE "$SPLAT" <<<"$text" || printf '%s\n' "$text"
}
