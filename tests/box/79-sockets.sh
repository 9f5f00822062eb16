#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 240
#
# A UNIX socket and a FIFO on the shared file system connect processes of one image. Who comes
# from another one is told at once that nobody listens (ECONNREFUSED), or that nobody reads
# (ENXIO, who does not wait); who waits for the other end gets it on his own image.

. "$(dirname "$0")/lib.sh"

D=/srv/shared/sockets
read -ra clients < <(clients)
images=(boot "${clients[@]:0:2}")
out=$(mktemp -d)

restore() {
	for image in "${images[@]}"; do
		on "$image" pkill -f ^python3.*$D 2>/dev/null
	done
	wait
	on boot rm -rf $D
	rm -rf "$out"
}
trap restore EXIT

# listens IMAGE KIND: to a socket of that name, and echoes.
listens() {
	timeout $((200 * ${SLOW-1})) "$BOX" exec "$1" -- python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, getattr(socket, "SOCK_" + sys.argv[2]))
s.bind(sys.argv[1])
if sys.argv[2] != "DGRAM":
	s.listen()
print("listens", flush=True)
while sys.argv[2] != "DGRAM":
	c = s.accept()[0]
	c.sendall(c.recv(100))
	c.close()
while True:
	print(s.recv(100).decode(), flush=True)' $D/"$1.$2" "$2" </dev/null >"$out/$1.$2" 2>&1 &
	await 30 grep -q listens "$out/$1.$2" || fail "$2 on $1: $(cat "$out/$1.$2")"
}
# connects IMAGE SOCKET KIND: what comes of it.
connects() {
	on "$1" timeout 20 python3 -c '
import errno, socket, sys
s = socket.socket(socket.AF_UNIX, getattr(socket, "SOCK_" + sys.argv[2]))
try:
	s.connect(sys.argv[1])
	s.send(b"hello")
	print("sent" if sys.argv[2] == "DGRAM" else s.recv(100).decode())
except OSError as e:
	print(errno.errorcode[e.errno])' "$2" "$3" </dev/null 2>&1
}

dmesg_mark
check "directory" on boot sh -c "rm -rf $D; mkdir -m 777 $D; mkfifo -m 666 $D/fifo"
for kind in STREAM SEQPACKET DGRAM; do
	for image in "${images[@]}"; do
		listens "$image" $kind
		for from in "${images[@]}"; do
			want=ECONNREFUSED
			[ "$from" != "$image" ] || { want=hello; [ $kind != DGRAM ] || want=sent; }
			got=$(connects "$from" $D/"$image.$kind" $kind)
			[ "$got" = $want ] || fail "$kind of $image from $from: $got, not $want"
		done
	done
done
echo "sockets"

# A FIFO: each image has its own ends.
for image in "${images[@]}"; do
	timeout $((100 * ${SLOW-1})) "$BOX" exec "$image" -- sh -c "echo reads >&2; cat $D/fifo" </dev/null >"$out/$image.read" 2>"$out/$image.err" &
	await 20 grep -q reads "$out/$image.err" || fail "no reader on $image"
	sleep 0.5
	for from in "${images[@]}"; do
		[ "$from" = "$image" ] && continue
		got=$(on "$from" timeout 20 python3 -c '
import errno, os, sys
try:
	os.open(sys.argv[1], os.O_WRONLY | os.O_NONBLOCK)
	print("opened")
except OSError as e:
	print(errno.errorcode[e.errno])' $D/fifo </dev/null 2>&1)
		[ "$got" = ENXIO ] || fail "a FIFO that $image reads, from $from: $got"
	done
	check "write" on "$image" timeout 20 sh -c "echo 'from $image' >$D/fifo"
	wait $! || fail "the reader on $image: $(cat "$out/$image.err")"
	[ "$(cat "$out/$image.read")" = "from $image" ] || fail "$image reads $(cat "$out/$image.read")"
done
dmesg_clean
echo "FIFOs"
