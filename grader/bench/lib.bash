# SPDX-License-Identifier: BSD-2-Clause
# The yardstick's boots.  Sourced, after grader/lib/boot.bash, in the repository's
# top folder.

OUT=build/bench
PROGRAM=build/user/bench
# One instruction is one nanosecond: ticks come as seldom as on a fast machine.
# Several CPUs take turns at every tick, which must be often then.
ONE_SHIFT=${NYMPH_SHIFT:-0} MANY_SHIFT=6
WALL=${NYMPH_WALL:-300}
LINUX_PACKAGE=linux-image-cloud-amd64
# What Linux does beyond what Nymph does is turned off, as far as that goes.
LINUX_OPTIONS="console=ttyS0 quiet nokaslr mitigations=off audit=0 \
init_on_alloc=0 cgroup_disable=memory transparent_hugepage=never \
numa_balancing=disable nmi_watchdog=0 tsc=reliable clocksource=tsc"

# take_kernel NAME: what the boots below boot: build/NAME.
take_kernel() {
	ISO=build/$1/nymph.iso
	ELF=build/$1/kernel.elf
}
take_kernel "${KERNEL#build/}"

# build_plugin: the counting plugin, built with the host's compiler.
build_plugin() {
	[[ $OUT/plugin.so -nt grader/bench/plugin.c ]] && return
	gcc -shared -fPIC -O2 -Wall -Wextra -Werror -fvisibility=hidden \
		-o "$OUT/plugin.so" grader/bench/plugin.c
}

# fill_ranges: what the plugin is to count apart, as arguments: the functions of
# Nymph's kernel that zero and copy pages; and what not at all: its boot CPU does not
# halt under -icount where there are others (kernel/amd64/machdep.c).
fill_ranges() {
	local start size name

	nm -S "$ELF" | while read -r start size _ name; do
		case $name in
		pagezero | pagecopy)
			printf ',fill=%s-%x' "$start" $((16#$start + 16#$size)) ;;
		cpu_idle_halt)
			printf ',idle=%s-%x' "$start" $((16#$start + 16#$size)) ;;
		esac
	done
}

# bench_part DIR BOOT CPUS PLUGIN-ARGS [ROW], bench_lab: one boot of Nymph.
bench_part() {
	local dir=$1 boot=$2 cpus=$3 options= disk= more=
	local MACHINE=("${MACHINE[@]}")

	mkdir -p "$dir"
	case $boot in
	single) options=vm.prefault_pages=0 ;;
	swap)
		options='mem=8 swap=dda' disk=dd:$dir/disk
		rm -f "$dir/disk"
		truncate -s 64M "$dir/disk"
		;;
	page)
		options='mem=16 swap=dda' disk=dd:$dir/disk more=,busy=on
		rm -f "$dir/disk"
		truncate -s 64M "$dir/disk"
		;;
	esac
	MACHINE+=(-plugin
		"$OUT/plugin.so,out=$dir/counts$(fill_ranges)$more$4")
	SHIFT=$(shift_of "$cpus")
	boot "$ISO" "$dir" "$cpus" "$options init=/bin/bench \
-- shift=$SHIFT boot=$boot row=${5-}" $disk
	is_complete "$dir" Nymph
}
bench_lab() { bench_part "$@"; }

# shift_of CPUS: the SHIFT of such a boot.
shift_of() {
	(($1 > 1)) && echo "$MANY_SHIFT" || echo "$ONE_SHIFT"
}

# linux_kernel: Debian's kernel from the archive, unpacked in build/linux but not
# installed; its file in LINUX.
linux_kernel() {
	local dir=build/linux package log=build/linux/log

	mkdir -p "$dir"
	LINUX=$(ls "$dir"/boot/vmlinuz-* 2> /dev/null | tail -n 1)
	[[ -n $LINUX ]] && return
	package=$(apt-cache depends "$LINUX_PACKAGE" 2> "$log" |
		sed -n 's/.*Depends: \(linux-image-[^ ]*\)$/\1/p')
	if [[ -z $package ]] || ! (cd "$dir" &&
		apt-get download "$package") > "$log" 2>&1; then
		echo "Debian's kernel ($LINUX_PACKAGE) cannot be downloaded; is" \
			"there a network, and has apt-get update been run?" >&2
		return 1
	fi
	dpkg-deb -x "$dir"/linux-image-*.deb "$dir" && rm "$dir"/*.deb
	LINUX=$(ls "$dir"/boot/vmlinuz-* | tail -n 1)
}

# linux_initramfs: one with the yardstick's program, the same file as in Nymph's.
linux_initramfs() {
	local root=build/linux/root

	rm -rf "$root"
	mkdir -p "$root/dev" "$root/tmp"
	cp build/user/root/bin/bench "$root/init"
	(cd "$root" && find . | LC_ALL=C sort |
		cpio --quiet -o -H newc -R 0:0 --reproducible) \
		> build/linux/initrd
}

# bench_linux DIR BOOT CPUS PLUGIN-ARGS [ROW]: one boot of Linux, in the same
# machine.
bench_linux() {
	local dir=$1 boot=$2 cpus=$3 shift

	shift=$(shift_of "$cpus")
	mkdir -p "$dir"
	: > "$dir/console"
	: > "$dir/results"
	local qemu=(qemu-system-x86_64 "${MACHINE[@]}" -smp "$cpus" -accel tcg
		-icount "shift=$shift,sleep=off"
		-rtc base=2019-05-06,clock=vm -nodefaults -nic none
		-display none -monitor none -no-reboot
		-serial "file:$dir/console" -serial "file:$dir/results"
		-kernel "$LINUX" -initrd build/linux/initrd -append
		"$LINUX_OPTIONS -- shift=$shift boot=$boot row=${5-}"
		-plugin "$OUT/plugin.so,out=$dir/counts$4")
	echo "${qemu[*]}" > "$dir/command"
	timeout --foreground -s KILL "$WALL" "${qemu[@]}" \
		> "$dir/qemu" 2>&1 < /dev/null
	echo "$?" > "$dir/status"
	is_complete "$dir" Linux
}

# linux_ranges: like fill_ranges, from a boot that looks into /proc/kallsyms.
linux_ranges() {
	local dir=$OUT/linux-symbols

	bench_linux "$dir" symbols 1 '' || return
	jq -r 'select(.symbol) | ",fill=\(.start)-\(.end)"' "$dir/results" |
		tr -d '\r\n'
}

# is_complete DIR KERNEL: did the program get to its end?
is_complete() {
	jq -enR '[inputs | fromjson? | select(.done)] | length == 1' \
		"$1/results" > /dev/null && return
	echo "$2 did not get to the end of the yardstick ($(how_ended "$1")):" \
		"see $1/console, $1/results" >&2
	jq -rR 'fromjson? | .error // empty' "$1/results" >&2
	tail -n 5 "$1/console" >&2
	return 1
}

# rows_of DIR: the rows of a boot, with what the plugin counted, as JSON.
rows_of() {
	jq -nR --rawfile counts "$1/counts" '
		($counts | split("\n") | map(select(startswith("row ")) |
			split(" ") | {locked: (.[3] | tonumber),
			filled: (.[5] | tonumber), halts: (.[7] | tonumber),
			busy: (.[9] | tonumber)}))
			as $counts |
		[inputs | fromjson? | select(.row)] | to_entries |
		map(.value + $counts[.key])' "$1/results"
}
