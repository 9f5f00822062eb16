#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
#
# An overlay whose layers are all on the shared file system, mounted on a client: what comes up,
# what is taken away and what is made opaque is the same as on the owner's ext4, in the overlay
# and in its upper layer; and another client that mounts it afterwards finds it so, too.

. "$(dirname "$0")/lib.sh"

D=/srv/shared/layers
M=/tmp/layers
read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}
out=$(mktemp -d)

restore() {
	for image in boot "$a" "$b"; do
		on "$image" sh -c "umount $M; rmdir $M" 2>/dev/null
	done
	on boot rm -rf $D.here $D
	rm -rf "$out"
}
trap restore EXIT

# layers IMAGE DIR: mount those of DIR.
layers() {
	check "overlay on $1" on "$1" sh -c "modprobe overlay; mkdir -p $M; mount -t overlay \
		-o lowerdir=$2/two:$2/one,upperdir=$2/upper,workdir=$2/work layers $M"
}
# shows IMAGE DIR: what there is, by kind, mode, links, size and content, and overlayfs's own marks.
shows() {
	on "$1" sh -c "cd $2 && find . -printf '%P %y %m %s %l\n' | sed 's/^\([^ ]* d [0-9]*\) .*/\1/' | sort
		find . -type f | sort | xargs grep -H ''
		getfattr -Rhd -m 'trusted.overlay.(opaque|whiteout|redirect)' . 2>/dev/null"
}

cat >"$out/work" <<'EOF'
set -e
cd $1
echo more >>file
rm gone
mv old new
ln file second
rm -r dir
mkdir dir
echo fresh >dir/fresh
mkdir made
echo x >made/x
ln -s made link
rm both
chmod 600 mode
truncate -s 5 long
! rmdir full 2>/dev/null
rm full/f
rmdir full
echo back >gone
rm gone
EOF
cat >"$out/make" <<'EOF'
set -e
rm -rf $1
mkdir -p $1/one/dir $1/one/full $1/two $1/upper $1/work
cd $1
for f in file gone old both mode full/f dir/a dir/b; do echo "one $f" >one/$f; done
echo two >two/both
seq 1000 >two/long
EOF
dmesg_mark
for dir in $D $D.here; do
	check "layers" on boot sh -c "$(cat "$out/make")" sh $dir
done
layers boot $D.here
layers "$a" $D
check "work on boot" on boot sh -c "$(cat "$out/work")" sh $M
check "work on $a" on "$a" sh -c "$(cat "$out/work")" sh $M
shows boot $M >"$out/want"
shows "$a" $M >"$out/got"
[ "$(wc -l <"$out/want")" -gt 15 ] || fail "only $(cat "$out/want")"
diff "$out/want" "$out/got" >"$out/diff" || fail "the overlay of $a: $(cat "$out/diff")"
check "umount" on "$a" umount $M
check "umount" on boot umount $M
for layer in one two upper; do
	shows boot $D.here/$layer >"$out/want"
	shows boot $D/$layer >"$out/got"
	diff "$out/want" "$out/got" >"$out/diff" || fail "$layer: $(cat "$out/diff")"
done
grep -q "^gone c " "$out/got" || fail "no whiteout: $(cat "$out/got")"
layers "$b" $D
layers boot $D.here
shows boot $M >"$out/want"
shows "$b" $M >"$out/got"
diff "$out/want" "$out/got" >"$out/diff" || fail "the overlay of $b: $(cat "$out/diff")"
dmesg_clean
echo "three layers, the same as locally"
