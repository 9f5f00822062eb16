#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 1600
# long: OWN_MOUNT=yes
# long timeout: 1600
#
# Every file system call, with all flags, on files of all kinds, with all errors, as root and
# as two users, on the owner's ext4, on a client's mount and (OWN_MOUNT=yes) on the owner's own:
# the same results (prog/semantics). What differs, and why, is in semantics.differs, and in README: a
# difference that is not listed, or that is listed and no more there, is a failure. Controls:
# lines that differ, or are missing; a list with a line too few, or too many; tmpfs.

. "$(dirname "$0")/lib.sh"

S=/usr/lib/ccluster/tests/semantics
D=/srv/shared/semantics
OWN=/tmp/semantics-own
OWN_MOUNT=${OWN_MOUNT-no}
places=ccfs
[ $OWN_MOUNT = no ] || places='ccfs own'
LIST=$(dirname "$0")/semantics.differs
RULES=(fs.protected_symlinks=1 fs.protected_hardlinks=1 fs.protected_regular=2 fs.protected_fifos=2)
read -ra clients < <(clients)
a=${clients[0]}
out=$(mktemp -d)
declare -A rules

restore() {
	local image

	for image in boot "$a"; do
		on "$image" sh -c "pkill -9 -x semantics"
		[ -z "${rules[$image]-}" ] || on "$image" sysctl -q -w ${rules[$image]}
	done
	on boot sh -c "umount $OWN; rmdir $OWN; rm -rf $D-* /tmp/semantics-*"
	rm -rf "$out"
} >/dev/null 2>&1
trap restore EXIT

# run PLACE IMAGE DIR: the lines, to $out/PLACE; how it failed, to $out/PLACE.ends.
run() {
	timeout $((1500 * ${SLOW-1})) "$BOX" exec "$2" -- $S "$3" </dev/null >"$out/$1" 2>"$out/$1.errors" ||
		echo "$1: semantics ends with $?, $(wc -l <"$out/$1") lines: $(cat "$out/$1.errors")" >"$out/$1.ends"
}

# compare PLACE LIST: no difference but those of the list, and all of these. A line of the
# list is "PLACE NAME: RESULT | REASON"; in PLACE, NAME and RESULT * and ? are patterns.
compare() {
	python3 - "$1" "$out/local" "$out/$1" "$2" >"$out/said" 2>&1 <<-'EOF'
	import sys
	from fnmatch import fnmatchcase

	def cases(path):
	    return dict((line.rstrip("\n") + " ").split(": ", 1) for line in open(path))

	place = sys.argv[1]
	want, got = cases(sys.argv[2]), cases(sys.argv[3])
	listed = [line.split(" | ")[0].split(": ", 1)
	          for line in open(sys.argv[4]) if line.strip() and line[0] != "#"]
	listed = {(name, result): 0 for name, result in listed
	          if fnmatchcase(place, name.split(" ", 1)[0])}
	bad = 0
	for name in {**want, **got}:
	    is_, was = got.get(name, "nothing").strip(), want.get(name, "nothing").strip()
	    if is_ == was:
	        continue
	    for line in listed:
	        if fnmatchcase(f"{place} {name}", line[0]) and fnmatchcase(is_, line[1]):
	            listed[line] += 1
	            break
	    else:
	        print(f"{place} {name}: {is_}, not {was}")
	        bad += 1
	for line in listed:
	    if not listed[line]:
	        print(f"listed, but not so: {line[0]}: {line[1]}")
	        bad += 1
	print(f"{bad} differences not expected, {sum(listed.values())} expected, by {len(listed)} lines")
	sys.exit(bad > 0 or len(want) < 1000)
	EOF
}

dmesg_mark
for image in boot "$a"; do
	rules[$image]=$(on "$image" sysctl -e "${RULES[@]%=*}" | tr -d ' ')
	check "rules" on "$image" sysctl -q -w "${RULES[@]}"
done
check "own mount" on boot sh -c "mkdir -p $OWN && mount -t ccfs boot:/srv/shared $OWN"

run ccfs "$a" $D-ccfs &
run local boot $D-local
[ $OWN_MOUNT = no ] || run own boot $OWN/semantics-own
wait
echo "$(wc -l <"$out/local") cases"

cat "$out"/*.ends 2>/dev/null && fail "not all ran to their end"
bad=no
for place in $places; do
	if compare $place "$LIST"; then
		echo "$place: $(tail -n 1 "$out/said")"
	else
		cat "$out/said"
		bad=yes
	fi
done
[ $bad = no ] || fail "not the same results"

# Controls: whether a difference would be seen.
: >"$out/none"
compare local "$out/none" || fail "the same lines differ: $(cat "$out/said")"
compare ccfs "$out/none" && fail "without a list nothing differs"
control='user path.mkdir.absent'
sed "s/^$control: .*/$control: EIO/" "$out/local" >"$out/other"
compare other "$out/none" && fail "a difference is not noticed"
grep -q "^other $control: EIO, not ok" "$out/said" || fail "a difference: $(cat "$out/said")"
grep -v "^$control:" "$out/local" >"$out/other"
compare other "$out/none" && fail "a case that is missing is not noticed"
echo "local $control: EIO | for the control" >"$out/list"
compare local "$out/list" && fail "a listed difference that is not there is not noticed"
check "tmpfs" on boot sh -c "$S /tmp/semantics-tmpfs user stat >/tmp/semantics-lines"
on boot cat /tmp/semantics-lines >"$out/tmpfs"
grep '^user stat' "$out/local" >"$out/want"
cmp -s "$out/want" "$out/tmpfs" && fail "tmpfs is taken for ext4"
dmesg_clean
