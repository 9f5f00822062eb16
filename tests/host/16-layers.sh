#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Nothing in a lower layer knows what is above it: no file calls a function, uses a
# variable or includes a header of a folder that is not below its own. Layers, from
# below, are the lines here; folders of one line do not know each other. All may use
# include/. Calls are those of the objects that the sources were compiled to. Runs
# in the top directory of the sources, in the build root.

layers='
lib
boot/text boot/init sharedpc/box
boot/machine sharedpc/link sharedpc/words sharedpc/tty
boot/conf sharedpc/image sharedpc/vsock
boot/plan sharedpc/owner sharedpc/client proxyd/export
boot/load sharedpc/cache proxyd/life
boot/host sharedpc/serve sharedpc/debug proxyd/data
boot/image boot/kmod sharedpc proxyd/names
boot/ccctl fs box proxyd
'

. tests/host/objects.lib

# The folder of header $2, which a file of $1 includes; nothing: include/, a library.
folder_of()
{
	for path in "$2" "sharedpc/$2" "lib/$2" "$1/$2"; do
		if [ -e "$path" ]; then
			dirname "$path"
			return
		fi
	done
}

# Lines "FOLDER FOLDER what": the first uses the second.
uses()
{
	while read -r source; do
		nm -g "$(object_of "$source")" | awk -v dir="$(dirname "$source")" '
			NF == 2 && $1 == "U" { print "U", $2, dir }
			NF == 3 && $2 ~ /^[TDBR]$/ { print "D", $3, dir }'
	done <"$tmp/sources" >"$tmp/symbols"
	awk '$1 == "D" { home[$2] = $3 }
		$1 == "U" { user[$2] = user[$2] " " $3 }
		END { for (name in user) {
			n = split(user[name], dir, " ")
			for (i = 1; i <= n; i++)
				if (name in home && home[name] != dir[i])
					print dir[i], home[name], name
		} }' "$tmp/symbols"
	grep -H '^#include "' $(cat "$tmp/sources" "$tmp/headers") |
		sed -E 's#^([^:]*)/[^/:]*:\#include "([^"]*)".*#\1 \2#' | sort -u |
		while read -r dir header; do
			home=$(folder_of "$dir" "$header")
			[ -z "$home" ] || [ "$home" = "$dir" ] || echo "$dir $home $header"
		done
}

# Of such lines, those that go up or aside.
judge()
{
	awk -v layers="$layers" '
		BEGIN {
			n = split(layers, line, "\n")
			for (i = 1; i <= n; i++) {
				m = split(line[i], dir, " ")
				for (k = 1; k <= m; k++)
					at[dir[k]] = i
			}
		}
		{
			if ($2 == "include")
				next
			if (!($1 in at) || !($2 in at))
				print $1 " and " $2 ": no layer for one of them"
			else if (at[$2] >= at[$1])
				print $1 " uses " $3 " of " $2
		}'
}

files '*.[cS]' >"$tmp/sources"
files '*.h' >"$tmp/headers"
uses >"$tmp/uses" || fail "cannot say who uses what"
count=$(wc -l <"$tmp/uses")
[ "$count" -ge 300 ] || fail "only $count uses found"
judge <"$tmp/uses" | sort -u >"$tmp/wrong"
while read -r line; do
	fail "$line"
done <"$tmp/wrong"

# It would notice.
for up in "lib boot/ccctl x" "sharedpc/link sharedpc/client x" \
	"sharedpc/owner sharedpc/client x" "nowhere lib x"; do
	[ -n "$(echo "$up" | judge)" ] || fail "'$up' is not noticed"
done

[ "$failed" = 0 ] && echo "PASS: $count uses of other folders"
exit "$failed"
