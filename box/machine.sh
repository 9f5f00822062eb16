# SPDX-License-Identifier: GPL-2.0-only
#
# The QEMU machine: whose it is, start it, wait for it, end it. Sourced by
# box/box and by those who run one: box/run, tests/run, bench/run.
#
# All state is in build/box/run:
#
#   qemu.pid      the process; ours only if its command line names this folder
#   monitor       QEMU's monitor (unix socket)
#   console       the serial console (unix socket), console.log: from its start
#   portN         one unix socket per virtio port, for box-exec
#   data.img      the data disk, written by the machine
#   options       what the machine was started with
#   owner         the process that it ends with, or nothing
#   kept          tests/run -k has left it for the next tests/run
#
# and, outside of it, lock: see machine_claim.
#
# A machine that panics ends by itself (panic=-1 and -no-reboot). Whoever
# starts one for a limited time exports BOX_OWNER=<pid>: a watchdog then ends
# the machine when that process is gone, however it ended.

PORTS=16
BOOT_TIMEOUT=${BOX_BOOT_TIMEOUT:-180}
READY='init: ready'	# box/init.c says so when the ports are served
PANIC='Kernel panic - not syncing'

machine_pid() {
	local pid args

	{ read -r pid <"$RUNDIR/qemu.pid" &&
		mapfile -d '' -t args <"/proc/$pid/cmdline"; } 2>/dev/null || return 1
	[[ "${args[*]} " == *" unix:$RUNDIR/monitor,"* ]] || return 1
	echo "$pid"
}

machine_runs() { machine_pid >/dev/null; }

# alive PID: it runs; one that has ended and that nobody waits for does not.
alive() { { read -rN 1 <"/proc/${1:--}/cmdline"; } 2>/dev/null; }

# machine_claim: from now on this tree's machine is for this process and what it
# starts, until all of them have ended. Whoever has the descriptor has the claim.
machine_claim() {
	local pid='' name='' lock=$BOXDIR/lock

	[ ! /dev/fd/9 -ef "$lock" ] || return 0
	short_enough "$RUNDIR/monitor"
	mkdir -p "$BOXDIR"
	exec 9>>"$lock"
	if ! flock -n 9; then
		read -r pid name <"$lock" || true
		! alive "$pid" ||
			die "$name (process $pid) uses this tree's box: wait for it, or end it"
		# it was killed, what it had started will notice
		flock -w 30 9 || die "what $name (process $pid) has started still uses this tree's box"
	fi
	echo "$$ ${0##"$TOP/"}" >"$lock"
}

# A unix socket's path, with the byte that ends it, has 108 bytes.
short_enough() {
	local LC_ALL=C

	[ ${#1} -le 107 ] ||
		die "the path of this tree is $((${#1} - 107)) bytes too long for QEMU's sockets in it: $TOP"
}

# machine_none: no machine runs, or else this ends. One whose owner was killed
# will be gone in a moment anyway.
machine_none() {
	local owner=''

	machine_runs || return 0
	read -r owner <"$RUNDIR/owner" || true
	if [ -z "$owner" ] || alive "$owner"; then
		die "a box runs: box/box down first"
	fi
	machine_end
}

# machine_options OPTION...: sets what a machine has to have, and conf, build.
machine_options() {
	cpus=4 memory=3072 nodes=2 apic=xapic build=yes conf=$TOP/partitions.conf
	while [ $# -gt 0 ]; do
		case $1 in
		-B|--no-build)	build=no; shift; continue ;;
		-x|--x2apic)	apic=x2apic; shift; continue ;;
		--xapic)	apic=xapic; shift; continue ;;
		-s|--cpus|-m|--memory|-n|--nodes|-c|--conf)
			[ $# -ge 2 ] || die "$1 wants a value, see --help" ;;
		*)	die "'$1' is no option, see --help" ;;
		esac
		case $1 in
		-s|--cpus)	cpus=$2 ;;
		-m|--memory)	memory=$2 ;;
		-n|--nodes)	nodes=$2 ;;
		-c|--conf)	conf=$2 ;;
		esac
		shift 2
	done
	[[ $cpus =~ ^[1-9][0-9]*$ && $memory =~ ^[1-9][0-9]*$ && $nodes =~ ^[1-9][0-9]*$ ]] ||
		die "CPUs, memory and nodes are numbers above 0"
	[ $((cpus % nodes + memory % nodes)) = 0 ] ||
		die "$cpus CPUs and $memory MiB cannot be divided evenly among $nodes nodes"
	[[ -f $conf && -r $conf ]] || die "cannot read $conf"
}

# Virtualisation by the processor, only where it really has it: a /dev/kvm
# that cannot run a guest exists.
accelerator() {
	if grep -qwE 'vmx|svm' /proc/cpuinfo && [ -w /dev/kvm ]; then
		echo kvm
	else
		echo tcg
	fi
}

# numa CPUS MEMORY-MiB NODES: CPUs and memory divided evenly among the nodes.
numa_options() {
	local cpus=$1 mem=$2 nodes=$3 n first last

	for ((n = 0; n < nodes; n++)); do
		first=$((n * cpus / nodes))
		last=$(((n + 1) * cpus / nodes - 1))
		printf '%s\n' -object "memory-backend-ram,id=mem$n,size=$((mem / nodes))M" \
			-numa "node,nodeid=$n,memdev=mem$n,cpus=$first-$last"
	done
	for ((n = 1; n < nodes; n++)); do
		printf '%s\n' -numa "dist,src=0,dst=$n,val=20"
	done
}

# qemu_options CPUS MEMORY-MiB NODES xapic|x2apic. x2apic: as servers are, with an
# IOMMU that remaps interrupts, without which Linux leaves that mode alone.
# no_timer_check: QEMU's timer does not get through it in time for a check.
qemu_options() {
	local cpus=$1 mem=$2 nodes=$3 apic=$4 kver i accel cmdline=${BOX_APPEND-}
	# No room on this host: an I/O error there, instead of a machine that stops.
	local errors=werror=report,rerror=report

	kver=$("$TOP/box/root.sh" kver run)
	[ -n "$kver" ] || return 1
	accel=$(accelerator)
	if [ "$accel" = kvm ]; then
		# a guest of KVM takes x2APIC without remapping, too
		printf '%s\n' -accel kvm,kernel-irqchip=split \
			-cpu "host$([ "$apic" = x2apic ] || echo ,-x2apic)"
	else
		printf '%s\n' -accel tcg,thread=multi -cpu max,-la57
		# All emulated CPUs count the same. Linux would not believe it, and read the
		# HPET instead, each time under the lock that all of QEMU waits for.
		# One CPU until the devices are there (init.c has the others started): while the
		# first one moves PCI windows about, QEMU 10 loses what another one writes to its
		# local APIC, now and then; after a lost EOI that CPU has no timer any more.
		cmdline="tsc=reliable maxcpus=1 $cmdline"
	fi
	if [ "$apic" = x2apic ]; then
		printf '%s\n' -device intel-iommu,intremap=on,eim=on
		cmdline="intel_iommu=on no_timer_check $cmdline"
	fi
	printf '%s\n' -machine q35 -m "${mem}M" -smp "$cpus,sockets=$nodes" \
		-display none -no-reboot -nodefaults -no-user-config \
		-kernel "$ROOTS/run/boot/vmlinuz-$kver" \
		-append "root=/dev/nvme0n1 rw rootwait init=/usr/sbin/box-init console=ttyS0 panic=-1 printk.devkmsg=on $cmdline" \
		-drive "id=root,if=none,format=raw,file=$BOXDIR/root.img,snapshot=on,cache=unsafe,$errors" \
		-device nvme,drive=root,serial=ccroot \
		-drive "id=data,if=none,format=raw,file=$RUNDIR/data.img,cache=writeback,$errors" \
		-device virtio-blk-pci,drive=data,serial=ccdata \
		-device virtio-rng-pci \
		-monitor "unix:$RUNDIR/monitor,server=on,wait=off" \
		-chardev "socket,id=console,path=$RUNDIR/console,server=on,wait=off,logfile=$RUNDIR/console.log" \
		-serial chardev:console \
		-device "virtio-serial-pci,max_ports=$((PORTS + 1))"
	for ((i = 0; i < PORTS; i++)); do
		printf '%s\n' \
			-chardev "socket,id=port$i,path=$RUNDIR/port$i,server=on,wait=off" \
			-device "virtserialport,chardev=port$i,nr=$((i + 1)),name=exec$i"
	done
	numa_options "$cpus" "$mem" "$nodes"
}

# machine_keep OWNER OPTIONS...: run QEMU, and end it when the process that
# wanted it is gone ("": nobody in particular). In a session of its own from the
# beginning: what kills the owner's process group, at any moment, spares it.
machine_keep() {
	local owner=$1 qemu

	shift
	# TMPDIR: what the machine writes to root.img, in a file without a name
	"$TOP/box/root.sh" enter --same-paths build \
		env "TMPDIR=$RUNDIR" qemu-system-x86_64 "$@" </dev/null >"$RUNDIR/qemu.log" 2>&1 &
	qemu=$!
	echo $qemu >"$RUNDIR/qemu.pid" || { kill $qemu; return 1; }
	while [ -n "$owner" ] && kill -0 "$qemu" 2>/dev/null; do
		if ! alive "$owner"; then
			machine_end
			return
		fi
		sleep 0.5
	done
}

machine_start() {
	local opts i

	need_tools setsid:util-linux ps:procps
	rm -rf "$RUNDIR"
	"$TOP/box/image.sh" fresh || die "cannot copy the data disk"
	# Made here, or the first who runs a command would own them.
	for ((i = 0; i < PORTS; i++)); do : >"$RUNDIR/port$i.lock"; done
	opts=$(qemu_options "$@") || die "no kernel for the machine"
	mapfile -t opts <<<"$opts"
	echo "${BOX_OWNER-}" >"$RUNDIR/owner"
	echo "cpus=$1 memory=$2 nodes=$3 apic=$4 accel=$(accelerator)" >"$RUNDIR/options"
	setsid bash -c '. "$1/box/common.sh"; . "$1/box/machine.sh"; machine_keep "${@:2}"' \
		"$TOP/box/machine" "$TOP" "${BOX_OWNER-}" "${opts[@]}" \
		</dev/null >/dev/null 2>&1 9>&- &
	for ((i = 0; i < 100; i++)); do
		[ -s "$RUNDIR/qemu.pid" ] && break
		sleep 0.05
	done
	for ((i = 0; i < 100; i++)); do
		[ -S "$RUNDIR/port$((PORTS - 1))" ] && break
		machine_runs || sleep 0.1
		kill -0 "$(cat "$RUNDIR/qemu.pid")" 2>/dev/null ||
			{ cat "$RUNDIR/qemu.log" >&2; die "QEMU did not start"; }
		sleep 0.05
	done
	# Not -R: QEMU's copy of the disk has a name there only for a moment.
	chown "$(stat -c %u:%g "$TOP")" "$RUNDIR"
	find "$RUNDIR" -mindepth 1 -not -name 'vl.*' \
		-exec chown "$(stat -c %u:%g "$TOP")" {} +
	disown -a
}

# machine_needed: it runs, or else it is said why it does not.
machine_needed() {
	machine_runs && return
	if [ -f "$RUNDIR/qemu.pid" ]; then	# nobody has ended it
		console_tail
		if grep -aqF "$PANIC" "$RUNDIR/console.log"; then
			say "the machine's kernel panicked"
		else
			say "the machine has ended by itself"
		fi
	fi
	say "error: the box does not run: box/box up"
	return 1
}

# nothing_left: every process that was started for this script's box has ended;
# BOX_OWNER is in their environment.
nothing_left() {
	local i left p

	for ((i = 0; i < 50; i++)); do
		left=$(env -u BOX_OWNER grep -lsazxF "BOX_OWNER=$$" /proc/[0-9]*/environ || true)
		[ -n "$left" ] || return 0
		sleep 0.1
	done
	for p in $left; do
		echo "process $(basename "${p%/environ}") is left: $(tr '\0' ' ' <"${p%environ}cmdline" | cut -c 1-100)"
	done 2>/dev/null
	return 1
}

console_tail() {
	say "the console's last lines:"
	tail -n "${1:-25}" "$RUNDIR/console.log" 2>/dev/null | tr -d '\r' | sed 's/^/    | /' >&2
}

boots_seen() { grep -acF "$READY" "$RUNDIR/console.log" 2>/dev/null || true; }

# machine_wait N WHAT [PID]: until the machine has come up for the N-th time.
# Fails when it ends, panics or takes too long, or when process PID has ended
# with an error.
machine_wait() {
	local want=$1 what=$2 pid=${3-} t0=$EPOCHREALTIME start=$SECONDS shown=$SECONDS

	while [ "$(boots_seen)" -lt "$want" ]; do
		if ! machine_runs; then
			say "$what: the machine ended after $(elapsed "$t0") s"
			console_tail
			return 1
		fi
		if grep -aqF "$PANIC" "$RUNDIR/console.log"; then
			say "$what: the kernel panicked"
			console_tail 40
			return 1
		fi
		if [ -n "$pid" ] && ! kill -0 "$pid" 2>/dev/null; then
			wait "$pid" || return 1
			pid=
		fi
		if [ $((SECONDS - start)) -ge "$BOOT_TIMEOUT" ]; then
			say "$what: not up after $BOOT_TIMEOUT s"
			console_tail
			return 1
		fi
		if [ $((SECONDS - shown)) -ge 5 ]; then
			shown=$SECONDS
			say "$what ... $((SECONDS - start)) s: $(tail -n 1 "$RUNDIR/console.log" | tr -d '\r' | cut -c 1-70)"
		fi
		sleep 0.1
	done
	say "$what: up in $(elapsed "$t0") s"
}

# End the machine. Safe to call at any time, any number of times.
machine_end() {
	local pid i

	pid=$(machine_pid) || { rm -f "$RUNDIR"/{qemu.pid,port*,monitor,console}; return 0; }
	kill -TERM "$pid" 2>/dev/null || true
	for ((i = 0; i < 50; i++)); do
		kill -0 "$pid" 2>/dev/null || break
		[ $i = 30 ] && kill -KILL "$pid" 2>/dev/null
		sleep 0.1
	done
	rm -f "$RUNDIR"/{qemu.pid,port*,monitor,console}
}
