# SPDX-License-Identifier: BSD-2-Clause
# How a graded boot of Nymph is done.  Sourced; wants the repository's top
# folder as current folder.

# The kernel that PART=, LAB=, BASE= and SAN= ask for.  Tests of bats are told.
if [[ -z ${BATS_ROOT:-} ]]; then
	KERNEL=build/$(sh kernel/mk/stage.sh name "${PART:-}" "${LAB:-}" "${BASE:-}")
	KERNEL=$KERNEL${SAN:+-$SAN}
fi
# Under -icount an instruction takes 2^SHIFT virtual nanoseconds.  GRUB is
# slow at small shifts; any value gives the same verdicts.  A sanitizer's kernel
# executes a few instructions where the plain one has one.
SHIFT=${NYMPH_SHIFT:-${SAN:+3}}
SHIFT=${SHIFT:-6}
# The limit of wall time, in seconds, for a boot to have a new result, and a tenth
# of what a boot may take at all.  A test's own limit is virtual time, in init; this
# one is for a kernel that makes no progress.
WALL=${NYMPH_WALL:-${SAN:+600}}
WALL=${WALL:-90}
# No boot says more than so many KiB, on the console or elsewhere; disks are smaller.
FLOOD=${NYMPH_FLOOD:-65536}
MACHINE=(-M q35 -cpu 'qemu64,+smep,+smap' -m 256)

BROKEN=driver=raw,file.driver=blkdebug,file.image.driver=file
BROKEN=$BROKEN,file.inject-error.0.event=read_aio,file.inject-error.0.sector=64
BROKEN=$BROKEN,file.inject-error.1.event=write_aio,file.inject-error.1.sector=64
BROKEN=$BROKEN,file.inject-error.2.event=flush_to_disk

# disk_args DISK...: leaves QEMU's arguments for these disks in DISK_ARGS.  A disk
# is KIND:FILE: dd, the deterministic disk (dda, ddb, ... in Nymph; the file's size
# a power of two); vd, virtio-blk (vda, ...) with a short queue; vr, read-only; vb,
# broken: QEMU answers EIO for sector 64, and for every flush.  "screen:" is no disk
# but QEMU's standard VGA.
disk_args() {
	local disk file mem n=0

	DISK_ARGS=()
	for disk; do
		if [[ $disk == screen: ]]; then
			DISK_ARGS+=(-device VGA)
			continue
		fi
		file=${disk#*:}
		mem=share=on,mem-path=$file,size=$(stat -c %s "$file")
		case $disk in
		dd:*) DISK_ARGS+=(-device "ivshmem-plain,memdev=disk$n"
			-object "memory-backend-file,id=disk$n,$mem") ;;
		vd:*) DISK_ARGS+=(-boot d -drive
			"if=none,id=disk$n,format=raw,file=$file"
			-device "virtio-blk-pci,drive=disk$n,queue-size=64") ;;
		vr:*) DISK_ARGS+=(-device "virtio-blk-pci,drive=disk$n" -drive
			"if=none,id=disk$n,format=raw,file=$file,readonly=on") ;;
		vb:*) DISK_ARGS+=(-device "virtio-blk-pci,drive=disk$n" -blockdev
			"node-name=disk$n,$BROKEN,file.image.filename=$file") ;;
		esac
		((++n))
	done
}

# boot_watch DIR: when that boot has had no new result for WALL seconds, an NMI
# asks it what it is at (its monitor is file descriptor 9), and it is ended.
boot_watch() {
	local size= now

	while now=$(stat -c %s "$1/results") && [[ $now != "$size" ]]; do
		size=$now
		read -r -t "$WALL" <&9 || true # nothing is ever said here
	done
	: > "$1/wall"
	echo nmi >&9
	sleep 3
	kill -9 "$(< "$1/pid")" 2> /dev/null || true
}

# boot ISO DIR CPUS OPTIONS [DISK...]: one boot.  Leaves console, results, command
# and status (QEMU's exit status) in DIR.  Since virtio disks work in the host's time,
# a boot with one is in the host's time as a whole, and not repeatable.
#
# File descriptor 3 is bats' own, and whoever can write to it can forge
# verdicts: QEMU does not get it.  A lab's kernel was written by somebody else: its
# QEMU runs under bubblewrap, without network, and writes in DIR alone.  (Where
# that does not work, the oracle has ended the grading by saying so.)
boot() {
	local iso=$1 dir=$2 cpus=$3 options=$4 rc=0 watch cage=()
	local clock=(-icount "shift=$SHIFT,sleep=off"
		-rtc base=2019-05-06,clock=vm)

	mkdir -p "$dir"
	disk_args "${@:5}"
	case " ${*:5}" in
	*' v'[a-z]:*) clock=(-rtc base=2019-05-06) ;;
	*) options="icount=$SHIFT $options" ;;
	esac
	printf '%s' "$options" > "$dir/cmdline"
	printf '%s' "${NYMPH_NONCE:-$(od -An -N 16 -t x1 /dev/urandom | tr -d ' ')}" \
		> "$dir/nonce"
	: > "$dir/console"
	: > "$dir/results"
	rm -f "$dir"/monitor.{in,out} "$dir/wall"
	mkfifo "$dir"/monitor.{in,out}
	boot_watch "$dir" 9<> "$dir/monitor.in" 3>&- &
	watch=$!
	local qemu=(qemu-system-x86_64 "${MACHINE[@]}" -smp "$cpus" -accel tcg
		"${clock[@]}" -pidfile "$dir/pid" -nodefaults -nic none
		-display none -no-reboot
		-chardev "pipe,id=monitor,path=$dir/monitor" -mon monitor
		-drive "file=$iso,media=cdrom,format=raw,readonly=on"
		-serial "file:$dir/console" -serial "file:$dir/results"
		-device isa-debug-exit,iobase=0xf4,iosize=4
		-fw_cfg "name=opt/nymph/cmdline,file=$dir/cmdline"
		-fw_cfg "name=opt/nymph/nonce,file=$dir/nonce"
		"${DISK_ARGS[@]}")
	[[ -z ${LAB:-} ]] || cage=(bwrap --ro-bind / / --dev /dev --proc /proc
		--bind "$dir" "$dir" --unshare-user --unshare-net --unshare-ipc
		--unshare-uts --new-session --die-with-parent)
	echo "${cage[*]} ${qemu[*]}" > "$dir/command"
	(
		ulimit -c 0 -f "$FLOOD"
		exec timeout --foreground -s KILL "$((WALL * 10))" \
			"${cage[@]}" "${qemu[@]}" > "$dir/qemu" 2>&1 < /dev/null 3>&-
	) || rc=$?
	kill "$watch" 2> /dev/null || true
	wait "$watch" 2> /dev/null || true
	[[ ! -e $dir/wall ]] || rc=137
	rm -f "$dir"/monitor.{in,out}
	echo "$rc" > "$dir/status"
}

# how_ended DIR: in one word, how a boot ended: off, panic, wall, flood, reset, qemu.
how_ended() {
	case $(< "$1/status") in
	33) echo off ;;
	35) echo panic ;;
	# QEMU's CPU thread does not hear that a file is full.
	137) (($(stat -c %s "$1/console") < FLOOD << 10)) && echo wall ||
		echo flood ;;
	153) echo flood ;; # by SIGXFSZ
	0) echo reset ;; # -no-reboot ends QEMU without a status of ours
	*) echo qemu ;;
	esac
}

# Each boot has a nonce, 128 random bits or NYMPH_NONCE, which init alone is told,
# once; lines of a result stream that do not bear it are not records.  So what a
# kernel or a program prints, or what another run has printed, forges no verdict.
# It does not guard against a kernel that searches init's memory for the nonce:
# code that is in the kernel can do what the kernel can.  labcheck, which bounds
# what a student's files may name, and whoever reads them stand against that.

# stream FILE: the records of a result stream, one JSON object a line.  A line that was
# cut off by the machine's end is none.
stream() {
	local nonce=

	[[ ! -f ${1%/*}/nonce ]] || nonce=$(< "${1%/*}/nonce")
	jq -cR --arg nonce "$nonce" 'fromjson? | select(type == "object" and
		(.nonce // "") == $nonce)' "$1"
}

# records FILE: the tests that ended, as lines of name, verdict, code, output
# (base64), vm_check (base64), leaks (JSON), separated by tabs.
records() {
	stream "$1" | jq -r 'select(.event == "end") | [.test, .verdict,
		(.code | tostring), (.out | @base64), ((.vmcheck // "") | @base64),
		((.leaks // {}) | tostring)] | @tsv'
}

# unfinished FILE: the test that had begun but not ended, or nothing.
unfinished() {
	stream "$1" | jq -rn 'reduce inputs as $r (null;
		if $r.event == "begin" then $r.test
		elif $r.event == "end" then null
		else . end) // empty'
}

# is_done FILE: did init get to the end of its list?
is_done() {
	stream "$1" | jq -en '[inputs | select(.event == "done")] | length == 1' \
		> /dev/null
}

# part_of_console DIR TEST: what the console said while the test ran.
part_of_console() {
	awk -v want="init: $2" '
		/^init: / { on = ($0 == want || $0 == want "\r") }
		on' "$1/console" | tr -d '\000-\010\013-\037\177-\377'
}
