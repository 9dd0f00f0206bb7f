# SPDX-License-Identifier: BSD-2-Clause
# What gdb and rgdb share: the boot that the grader does for TEST=, for gdb.

# debug_boot OUT CPUS: leaves what to boot and to debug in `elf', and all of QEMU's
# command line but for -icount and what belongs to gdb in `qemu'. CPUS empty: as many as the
# grader takes. The console goes to OUT.
debug_boot() {
	local out=$1 cpus=$2 runs group=ordinary options=
	local -A groups=()

	mkdir -p "$out"
	if [[ -n ${TEST:-} ]]; then
		run_names $(booted $(plan_names $(plan_files)))
		grouped "${runs[@]}"
		if ((${#groups[@]} > 1)); then
			echo "TEST=$TEST: these need several boots:" \
				$(printf '%s\n' "${!groups[@]}" | sort) >&2
			return 1
		fi
		((${#groups[@]} == 0)) || group=${!groups[*]}
		options="tests=$(IFS=, && echo "${runs[*]}")"
	fi
	SHIFT=$(group_shift "$group")
	elf=$(group_kernel "$group" "$KERNEL/kernel.elf")
	[[ $elf == "$KERNEL"/* ]] || SEED= SEEDS= TEST= make -s sched-iso || return
	disk_args $(group_disks "$group" "$out")
	printf 'icount=%s %s %s' "$SHIFT" "$options" "$(group_options "$group")" \
		> "$out/cmdline"
	: > "$out/console"
	qemu="exec qemu-system-x86_64 ${MACHINE[*]} -smp ${cpus:-$(group_cpus "$group")} \
-accel tcg -rtc base=2019-05-06,clock=vm -nodefaults \
-nic none -display none -monitor none -no-reboot \
-drive file=${elf%/*}/nymph.iso,media=cdrom,format=raw,readonly=on \
-serial file:$out/console -serial file:$out/results \
-device isa-debug-exit,iobase=0xf4,iosize=4 \
-fw_cfg name=opt/nymph/cmdline,file=$out/cmdline ${DISK_ARGS[*]}"
	echo "The console goes to $out/console; see it with: tail -f $out/console"
}

# debug_gdb QEMU ARGUMENTS...: gdb, with that QEMU as its child.
debug_gdb() {
	exec gdb -q -iex "add-auto-load-safe-path $PWD/build" \
		-ex 'set confirm off' -ex 'set pagination off' \
		-ex "directory ${elf%/*}/tree" -ex "target remote | $1" "${@:2}" "$elf"
}
