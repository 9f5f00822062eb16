#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Nothing in a lower layer knows what is above it: no file calls a function, uses a
# variable or includes a header of a folder that is not below its own. A line here has
# the layers of a program, from below; folders of one layer do not know each other, and
# programs do not, but for the library and what "also" says. All may use include/. Calls
# are those of the objects that the sources were compiled to. Runs in the top directory
# of the sources, in the build root.

layers='
boot/text boot/init | boot/machine | boot/conf | boot/plan | boot/load | boot/host | boot/image | boot/ccctl
sharedpc/box | sharedpc/link sharedpc/words sharedpc/tty | sharedpc/image sharedpc/vsock | sharedpc/owner sharedpc/client | sharedpc/cache sharedpc/futex | sharedpc/serve sharedpc/debug | sharedpc
proxyd/export | proxyd/life | proxyd/data | proxyd/names | proxyd
boot/kmod
fs
box
lib
include
'
# What ccboot.ko is offered by sharedpc.ko; partitions.conf is read by the owner, too.
also='
boot/kmod sharedpc/image
proxyd/export boot/conf
proxyd/export boot/text
proxyd boot/conf
'

. tests/host/objects.lib

# The folder of header $2, which a file of $1 includes; nothing: a system's.
folder_of()
{
	for path in "$2" "include/$2" "sharedpc/$2" "lib/$2" "$1/$2"; do
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
		object=$(object_of "$source")
		[ -e "$object" ] || echo "$(dirname "$source") nowhere $object"
		nm -g "$object" | awk -v dir="$(dirname "$source")" '
			NF == 2 && $1 == "U" { print "U", $2, dir }
			NF == 3 && $2 ~ /^[TDBR]$/ { print "D", $3, dir }'
	done <"$tmp/sources" >"$tmp/symbols"
	grep ' nowhere ' "$tmp/symbols"
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

# Of such lines, those that go up, aside or elsewhere.
judge()
{
	awk -v layers="$layers" -v also="$also" '
		BEGIN {
			n = split(layers, line, "\n")
			for (i = 1; i <= n; i++) {
				m = split(line[i], layer, "|")
				for (k = 1; k <= m; k++) {
					l = split(layer[k], dir, " ")
					for (j = 1; j <= l; j++) {
						program[dir[j]] = i
						at[dir[j]] = k
					}
				}
			}
			n = split(also, line, "\n")
			for (i = 1; i <= n; i++)
				allowed[line[i]] = 1
		}
		{
			if (!($1 in at) || !($2 in at))
				print $1 " and " $2 " (" $3 "): no layer for one of them"
			else if ($2 == "include" || ($2 == "lib" && $1 != "include"))
				next
			else if (($1 " " $2) in allowed)
				next
			else if (program[$1] != program[$2] || at[$2] >= at[$1])
				print $1 " uses " $3 " of " $2
		}'
}

files '*.[cS]' >"$tmp/sources"
files '*.h' >"$tmp/headers"
find include -name '*.h' >>"$tmp/headers"
uses >"$tmp/uses" || fail "cannot say who uses what"
count=$(wc -l <"$tmp/uses")
[ "$count" -ge 300 ] || fail "only $count uses found"
judge <"$tmp/uses" | sort -u >"$tmp/wrong"
while read -r line; do
	fail "$line"
done <"$tmp/wrong"

# It would notice.
for up in "lib boot/ccctl x" "sharedpc/link sharedpc/client x" "include lib x" \
	"sharedpc/owner sharedpc/client x" "fs proxyd/names x" "nowhere lib x"; do
	[ -n "$(echo "$up" | judge)" ] || fail "'$up' is not noticed"
done

[ "$failed" = 0 ] && echo "PASS: $count uses of other folders"
exit "$failed"
