# SPDX-License-Identifier: GPL-2.0-only
#
# What programs do with lock files: numbers in a file that each adds 1 to.
#
#   count DIR KIND SECONDS	KIND of lock: flock, dot (a name that only one can make), none;
#				prints how often
#   install DIR WHO SECONDS	dpkg installs packages in DIR/root, again if somebody else has its
#				lock: prints their number
#   check DIR			dpkg's own checks; prints how many are installed

cmd=$1 dir=$2
add() { n=; read -r n <"$dir/$1" || :; echo $((n + 1)) >"$dir/$1"; }

set -e
case $cmd in
count)
	end=$(($(date +%s) + $4)) i=0
	while i=$((i + 1)); do
		case $3 in
		flock)	exec 9>>"$dir/flock.lock"; flock 9; add flock; exec 9>&- ;;
		dot)	until (set -C; : >"$dir/dot.lock") 2>/dev/null; do :; done
			add dot; rm "$dir/dot.lock" ;;
		none)	add none ;;
		esac
		[ $((i % 10)) != 0 ] || [ "$(date +%s)" -lt $end ] || break
	done
	echo $i ;;
install)
	end=$(($(date +%s) + $4)) i=0 tmp=$(mktemp -d)
	while i=$((i + 1)); do
		name=$3-$i
		mkdir -p "$tmp/$name/DEBIAN" "$tmp/$name/usr/share/$name"
		seq $i $((i + 500)) >"$tmp/$name/usr/share/$name/file"
		printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: box <box@box>\nDescription: %s\n' \
			"$name" "$name" >"$tmp/$name/DEBIAN/control"
		(cd "$tmp/$name" && find usr -type f -exec md5sum {} + >DEBIAN/md5sums)
		dpkg-deb -Znone -b "$tmp/$name" "$tmp/deb" >/dev/null
		until dpkg --root="$dir/root" --force-unsafe-io -i "$tmp/deb" >"$tmp/out" 2>&1; do
			grep -q 'lock was locked by ' "$tmp/out" || { cat "$tmp/out"; exit 1; }
			sleep 0.1
		done
		rm -rf "${tmp:?}/$name"
		[ "$(date +%s)" -lt $end ] || break
	done
	rm -rf "$tmp"
	echo $i ;;
check)
	[ -z "$(dpkg --root="$dir/root" --audit)" ]
	[ -z "$(dpkg --root="$dir/root" --verify)" ]
	dpkg-query --admindir="$dir/root/var/lib/dpkg" -W -f '${db:Status-Status}\n' | grep -cx installed ;;
esac
