#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 240
# long: LARGE=100000
# long timeout: 3000
#
# Much of everything: a directory with LARGE (2000) entries, with names of all lengths, made by
# one image, listed and removed by others; as many files open at once on one client; a file of
# a TiB, with data at its end and beyond 4 GiB, written, stored and read by different images;
# what one sees the others see, and nothing is left.

. "$(dirname "$0")/lib.sh"

LARGE=${LARGE-2000}
D=/srv/shared/large
read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}
limit=$(((200 + LARGE / 20) * ${SLOW-1}))

restore() {
	for image in boot "$a" "$b"; do
		on "$image" sh -c "pkill -9 -f large.py"
	done
	timeout $limit "$BOX" exec boot -- rm -rf $D /tmp/large.py
} >/dev/null 2>&1 </dev/null
trap restore EXIT

# py IMAGE WORD...: the program there.
py() { timeout $limit "$BOX" exec "$1" -- python3 $D/large.py "${@:2}" </dev/null; }
says() {
	local want=$1 got

	got=$(py "${@:2}" 2>&1) && [ "$got" = "$want" ] || fail "${*:2}: $got, not $want"
}

dmesg_mark
check "directory" on boot sh -c "rm -rf $D; mkdir -m 777 $D"
"$BOX" exec boot -- sh -c "cat >$D/large.py" <<'EOF'
import hashlib, mmap, os, resource, sys

what, where = sys.argv[1:3]
n = int(sys.argv[3]) if len(sys.argv) > 3 else 0
GIB = 1 << 30
PLACES = [0, 4 * GIB - 4096, 4 * GIB, 5 * GIB + 12345, 1024 * GIB - 8192, 1024 * GIB - 4096]

def name(i):
    return f"{i}-".ljust(1 + i * 7 % 255, "n")[:255] if i % 3 else f"{i}"

def block(i, by):
    return hashlib.sha512(f"{by} {i}".encode()).digest() * 64

if what == "make":
    for i in range(n):
        os.close(os.open(f"{where}/{name(i)}", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
    print(n)
elif what == "list":
    print(sorted(os.listdir(where)) == sorted(name(i) for i in range(n)))
elif what == "walk":
    print(sum(e.stat().st_nlink for e in os.scandir(where)))
elif what == "remove":
    for e in os.listdir(where):
        os.unlink(f"{where}/{e}")
    os.rmdir(where)
    print("removed")
elif what == "open":
    resource.setrlimit(resource.RLIMIT_NOFILE, (n + 100, n + 100))
    fds = []
    for i in range(n):
        fds.append(os.open(f"{where}/{name(i)}", os.O_RDWR))
        if i % 10 == 0:
            os.pwrite(fds[i], str(i).encode(), 0)
    bad = sum(i % 10 == 0 and os.pread(fds[i], 20, 0) != str(i).encode() for i in range(n))
    size = sum(os.fstat(fd).st_size for fd in fds)
    print(bad, size == sum(len(str(i)) for i in range(0, n, 10)))
elif what == "sparse":
    fd = os.open(where, os.O_RDWR | os.O_CREAT, 0o666)
    os.truncate(fd, 1024 * GIB)
    for i, at in enumerate(PLACES):
        if at % 4096:
            os.pwrite(fd, block(i, "write")[:4096], at)
            continue
        with mmap.mmap(fd, 4096, offset=at) as m:
            m[:] = block(i, "write")[:4096]
    print(os.fstat(fd).st_size)
elif what == "sparse-read":
    fd = os.open(where, os.O_RDONLY)
    bad = sum(os.pread(fd, 4096, at) != block(i, "write")[:4096] for i, at in enumerate(PLACES))
    hole = os.pread(fd, 4096, 512 * GIB) != bytes(4096)
    data = os.lseek(fd, 6 * GIB, os.SEEK_DATA)
    print(bad, hole, data, os.lseek(fd, 0, os.SEEK_END))
EOF

for dir in $D/many; do
	check "directory" on "$a" mkdir $dir
	says $LARGE "$a" make $dir $LARGE
	says True "$b" list $dir $LARGE
	says True boot list $dir $LARGE
	says $LARGE "$b" walk $dir
	says "0 True" "$a" open $dir $LARGE
	says "0 True" "$b" open $dir $LARGE
	says $LARGE "$a" walk $dir
	says removed "$b" remove $dir
	check "gone" on "$a" test ! -e $dir
done
echo "$LARGE entries, $LARGE open files"

says 1099511627776 "$a" sparse $D/sparse
says "0 False 1099511619584 1099511627776" "$b" sparse-read $D/sparse
says "0 False 1099511619584 1099511627776" boot sparse-read $D/sparse
check "shorter" on "$b" truncate -s 5G $D/sparse
[ "$(on "$a" stat -c %s $D/sparse)" = 5368709120 ] || fail "a file that is shorter is $(on "$a" stat -c %s $D/sparse)"
check "remove" on boot rm $D/sparse
echo "a TiB"
