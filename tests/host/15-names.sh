#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A name leads to one file: no function that other files can call is defined
# twice in the tree, not even in objects that are never linked together, as of
# two programs or of a program and a module. The symbols are those of the
# objects that the sources were compiled to; what older sources have left in
# build/ does not count. Runs in the top directory of the sources, in the build
# root.

# main and the two ends of a module are the programs' and the modules' own.
own='main init_module cleanup_module'

. tests/host/objects.lib

files '*.[cS]' >"$tmp/sources"
while read -r source; do
	object=$(object_of "$source")
	[ -e "$object" ] || { fail "$source: no $object: make all"; continue; }
	nm --defined-only "$object" >"$tmp/nm" || fail "$object: no symbols"
	awk -v source="$source" '$2 == "T" { print $3, source }' "$tmp/nm"
done <"$tmp/sources" >"$tmp/output"
grep '^FAIL' "$tmp/output" && failed=1
grep -v '^FAIL' "$tmp/output" >"$tmp/functions"
count=$(wc -l <"$tmp/functions")
[ "$count" -ge 400 ] || fail "only $count functions found"

allowed="^($(echo "$own" | tr ' ' '|'))\$"
awk -v allowed="$allowed" '
	$1 !~ allowed { files[$1] = files[$1] " " $2; n[$1]++ }
	END { for (name in n) if (n[name] > 1) print name ":" files[name] }
' "$tmp/functions" | sort >"$tmp/twice"
while read -r line; do
	fail "two functions are called $line"
done <"$tmp/twice"

[ "$failed" = 0 ] && echo "PASS: $count functions"
exit "$failed"
