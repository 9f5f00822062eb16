# SPDX-License-Identifier: GPL-2.0-only
#
# Trees of files: one changes them while others copy.
#
#   make DIR			a tree
#   change DIR SECONDS		each file gets other content as a whole, by rename: prints how often
#   sync DIR WHO SECONDS	rsync's copies of it: each file is whole; prints how many
#   tar DIR WHO SECONDS		tar's archives of what does not change, compared: prints how many
#   check DIR WHO		the copy is as the tree
#   compare DIR			so are all archives, and what was unpacked

cmd=$1 dir=$2
case $cmd in
change)	end=$(($(date +%s) + $3)) ;;
sync|tar) end=$(($(date +%s) + $4)) ;;
esac
goes_on() { [ "$(date +%s)" -lt $end ]; }
# fill FILE N: 300 lines that are all N.
fill() { yes "$2" | head -n 300 >"$1.new" && mv "$1.new" "$1"; }

set -e
case $cmd in
make)
	for d in 1 2 3 4; do
		mkdir -p "$dir/tree/$d" "$dir/still/$d/deep/er"
		for f in 1 2 3 4 5 6; do
			fill "$dir/tree/$d/$f" 0
			head -c $((f * 7000)) /usr/bin/git >"$dir/still/$d/deep/er/$f"
		done
		ln -s "deep/er/1" "$dir/still/$d/link"
		ln "$dir/still/$d/deep/er/2" "$dir/still/$d/hard"
	done
	chmod 640 "$dir"/still/*/deep/er/3
	truncate -s 1M "$dir/still/holes" ;;
change)
	n=0
	while n=$((n + 1)); do
		for f in "$dir"/tree/*/[0-9]; do
			fill "$f" $n
		done
		goes_on || break
	done
	echo $n ;;
sync)
	n=0
	while n=$((n + 1)); do
		rsync -a --exclude='*.new' --delete "$dir/tree/" "$dir/copy.$3"
		for f in "$dir/copy.$3"/*/*; do
			[ "$(sort -u "$f" | wc -l)" = 1 ] && [ "$(wc -l <"$f")" = 300 ] ||
				{ echo "$f is not whole"; exit 1; }
		done
		goes_on || break
	done
	echo $n ;;
tar)
	n=0
	while n=$((n + 1)); do
		tar -C "$dir" -cSf "$dir/$3.tar" still
		tar -C "$dir" --compare -f "$dir/$3.tar"
		rm -rf "$dir/out.$3"
		mkdir "$dir/out.$3"
		tar -C "$dir/out.$3" -xf "$dir/$3.tar"
		diff -r --no-dereference "$dir/still" "$dir/out.$3/still"
		goes_on || break
	done
	echo $n ;;
check)
	rsync -a --exclude='*.new' --delete "$dir/tree/" "$dir/copy.$3"
	[ -z "$(rsync -ainc --delete "$dir/tree/" "$dir/copy.$3")" ]
	diff -r "$dir/tree" "$dir/copy.$3" ;;
compare)
	for t in "$dir"/*.tar; do
		tar -C "$dir" --compare -f "$t"
	done
	for t in "$dir"/out.*; do
		diff -r --no-dereference "$dir/still" "$t/still"
	done ;;
esac
