#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
#
# Tools that people have, on one tree and two images: what one image has made the
# other goes on with, and a third, the owner, says whether it is right. One after the
# other: at once is 74-programs.

. "$(dirname "$0")/lib.sh"

D=/srv/shared/tools
read -ra clients < <(clients)
a=${clients[0]} b=${clients[-1]}
trap 'rm -f /tmp/tools.$$.*' EXIT

# on_it, work_on IMAGE COMMANDS: in the directory.
on_it() {
	on "$1" env HOME=/tmp GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=box GIT_AUTHOR_EMAIL=box@box \
		GIT_COMMITTER_NAME=box GIT_COMMITTER_EMAIL=box@box sh -ec "cd $D; $2"
}
work_on() { check "$2 on $1" on_it "$1" "$2"; }

# says WANT IMAGE COMMANDS
says() {
	local got

	got=$(on_it "$2" "$3" 2>&1) || fail "$3 on $2: $got"
	[ "$got" = "$1" ] || fail "$3 on $2 says '$got', not '$1'"
}

# sums DIR: of all files there, without git's own, as each image reads them.
sums() {
	local image

	for image in boot "$a" "$b"; do
		on_it "$image" "cd $1; find . -name .git -prune -o -type f -print0 | sort -z |
			xargs -0 sha256sum" >/tmp/tools.$$."$image" || fail "$image cannot read $1"
		[ -s /tmp/tools.$$."$image" ] || fail "$image finds nothing in $1"
		cmp -s /tmp/tools.$$.boot /tmp/tools.$$."$image" || fail "$1 on $image:
$(diff /tmp/tools.$$.boot /tmp/tools.$$."$image" | head)"
	done
}

try_git() {
	work_on "$a" 'git init -q --bare hub; git clone -q hub wa 2>/dev/null; cd wa
		for i in $(seq 30); do mkdir -p d$((i % 5)); seq $i $((i * 40)) >d$((i % 5))/$i; done
		ln -s d1/1 link; chmod 755 d2/2; git add .; git commit -qm first; git push -q origin HEAD'
	work_on "$b" 'git clone -q hub wb; diff -r --exclude=.git wa wb; cd wb
		git checkout -q -b side; echo side >>d1/1; git mv d2/2 moved; git rm -q d3/3
		git commit -qam second; git push -q origin side'
	sums wb
	# What one image wrote into the index of what files are like, the other finds.
	says "" "$b" 'cd wa; git diff-files; git status --porcelain'
	says "" "$a" 'cd wb; git diff-files; git status --porcelain'
	work_on "$a" 'cd wa; git fetch -q; git merge -q --no-edit origin/side; git push -q origin HEAD
		git gc -q; git fsck --strict --no-progress; git checkout -q HEAD~1; git checkout -q -'
	work_on "$b" 'cd wb; git checkout -q -; git pull -q; git gc -q --prune=now; git fsck --no-progress'
	work_on "$b" 'cd hub; git gc -q; git fsck --no-progress; diff -r --exclude=.git ../wa ../wb'
	# The repository of one image, committed to by the other.
	work_on "$b" 'cd wa; echo more >d4/new; git add d4/new; git commit -qm third'
	says "$(on_it "$b" 'git -C wa rev-parse HEAD')" "$a" 'cd wa; git fsck --no-progress >/dev/null; git rev-parse HEAD'
	says "" boot 'for r in wa wb hub; do git -c safe.directory="*" -C $r fsck --no-progress --no-dangling; done; git -C wa diff-files'
	sums wa
}

try_sqlite() {
	local sum='pragma integrity_check; select count(*), sum(length(t)) from t;'
	local text="replace(hex(zeroblob(20)), '00', 'x')"

	work_on "$a" "sqlite3 db \"create table t(i integer primary key, t text); create index x on t(t);
		with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000)
		insert into t select i, i || $text from n;\""
	says "$(on_it boot "sqlite3 db '$sum'")" "$b" "sqlite3 db '$sum'"
	work_on "$b" "sqlite3 db \"delete from t where i % 3 = 0; update t set t = t || 'b' where i % 2; vacuum;\""
	says "$(on_it boot "sqlite3 db '$sum'")" "$a" "sqlite3 db '$sum'"
	work_on "$a" 'sqlite3 db .dump | sqlite3 copy'
	says "$(on_it boot "sqlite3 db '$sum'")" "$b" "sqlite3 copy '$sum'"
	[[ $(on_it "$b" "sqlite3 copy '$sum'") == ok*1334* ]] || fail "sqlite3: $(on_it "$b" "sqlite3 copy '$sum'")"
}

# All that a copy has to keep, of a tree.
like='find . -printf "%P %y %m %U:%G %n %T@ %l %s\n" | sort; find . -type f -print0 | sort -z | xargs -0 sha256sum
	getfacl -RPn . ; find . ! -type l -print0 | sort -z | xargs -0 getfattr -d -m "^user" -e hex'

try_copies() {
	local image copy

	# Old times for all: rsync leaves one alone that differs by less than a second.
	work_on "$a" 'mkdir -p from/d/e from/empty; cd from; seq 5000 >d/f; ln d/f d/hard; ln -s ../d/f d/e/soft
		mkfifo d/p; mknod d/n c 1 3; head -c 300000 /dev/zero >zeros; truncate -s 1M holes
		chmod 4711 zeros; chown 1000:100 d/f; setfacl -m u:1000:r,g:50:rwx zeros
		setfacl -d -m u:1000:rx d/e; setfattr -n user.colour -v blue d/f; chmod 1777 empty
		touch -d "2001-02-03 04:05:06.789" d/f d/n d/p empty holes zeros; touch -h -d 2002-03-04 d/e/soft
		touch -d "2003-04-05 06:07:08.123456789" d d/e .'
	work_on "$b" 'cp -a from cp; rsync -aHAX from/ rsync
		tar --format=posix --acls --xattrs -cf t.tar -C from .; mkdir tar'
	work_on "$a" 'tar --acls --xattrs -xpf t.tar -C tar'
	on_it boot "cd from; $like" >/tmp/tools.$$.from 2>&1 || fail "list of what was copied"
	for copy in cp rsync tar; do
		for image in boot "$a" "$b"; do
			on_it "$image" "cd $copy; $like" >/tmp/tools.$$.copy 2>&1 || fail "list of $copy on $image"
			cmp -s /tmp/tools.$$.from /tmp/tools.$$.copy || fail "$copy on $image:
$(diff /tmp/tools.$$.from /tmp/tools.$$.copy | head)"
		done
	done
	# rsync to what is equal has nothing to do; then it finds just what changed.
	says "" "$a" 'rsync -aHAXi from/ rsync'
	work_on "$b" 'echo changed >>from/d/f; rm from/holes'
	says "*deleting   holes
>f.st...... d/f" "$a" "rsync -aHAXi --delete from/ rsync | grep -v 'd/hard\\|/\$'"
	sums rsync
}

# builds IMAGE WANT: make there compiles just these.
builds() {
	local got

	got=$(on_it "$1" 'make -C project' 2>&1) || fail "make on $1: $got"
	got=$(sed -nE 's/^tcc .* -o ([a-z.]+) .*/\1/p' <<<"$got" | sort | paste -sd' ')
	[ "$got" = "$2" ] || fail "make on $1 built '$got', not '$2'"
}

try_make() {
	work_on "$a" 'mkdir project; cd project
		printf "%s\n" "#define ONE 1" >one.h
		for f in a b c d; do
			[ $f = d ] || echo "#include \"one.h\"" >>$f.c
			[ $f != d ] || echo "#define ONE 1" >>$f.c
			echo "#include <stdio.h>" >>$f.c; echo "int $f(void) { return ONE; }" >>$f.c
		done
		printf "%s\n" "#include <stdio.h>" "int a(void), b(void), c(void), d(void);" \
			"int main(void) { return !printf(\"%d\\n\", a() + b() + c() + d()); }" >main.c
		printf "prog: a.o b.o c.o d.o main.o\n\ttcc -g -o prog a.o b.o c.o d.o main.o\n" >Makefile
		printf "%%.o: %%.c\n\ttcc -g -o \$@ -c \$<\na.o b.o c.o: one.h\n" >>Makefile'
	builds "$a" "a.o b.o c.o d.o main.o prog"
	builds "$b" ""
	says 4 "$b" project/prog
	work_on "$b" 'echo "#define MORE" >>project/d.c; sed -i "s/return ONE/return ONE + 1/" project/d.c'
	builds "$a" "d.o prog"
	says 5 "$b" project/prog
	work_on boot 'echo "#define ONE 10" >project/one.h'
	builds "$b" "a.o b.o c.o prog"
	says 32 "$a" project/prog
	work_on "$a" 'rm project/b.o'
	builds "$b" "b.o prog"
	builds "$a" ""
	sums project
}

try_fio() {
	local job="--name=t --filename=$D/fio --size=4M --bs=16k --verify=crc32c --output=/dev/null"

	check "fio writes" on "$a" fio $job --rw=randwrite --ioengine=mmap --do_verify=0
	check "fio verifies" on "$b" fio $job --rw=randwrite --ioengine=psync --verify_only
	check "fio writes" on "$b" fio $job --rw=write --ioengine=psync --do_verify=0 --verify_backlog=0
	check "fio verifies" on "$a" fio $job --rw=write --ioengine=mmap --verify_only
	sums .
}

dmesg_mark
check "directory" on boot sh -c "rm -rf $D; mkdir $D"
for what in git sqlite copies make fio; do
	t0=$SECONDS
	try_$what
	echo "$what: $((SECONDS - t0)) s"
	check "clean up" on "$b" sh -c "rm -rf $D/*"
done
check "clean up" on boot rmdir $D
dmesg_clean
echo "git, sqlite3, tar, rsync, cp, make and fio go on with what the other image made"
