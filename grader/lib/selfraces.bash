# SPDX-License-Identifier: BSD-2-Clause
# selftest's steps about schedules: the points, seeds and scripts, and gdb backwards.

# points_are_free: with each line of a schedule point left blank, the objects of all
# files that have one must get the same code and data.
points_are_free() {
	local layer=$out/bare file obj objs=() n=0 s

	rm -rf "$layer"
	for file in $(grep -rlE '^	+SCHED_POINT' kernel --include='*.c'); do
		file=${file#kernel/}
		[[ $file != kern/sched_* ]] || continue
		mkdir -p "$layer/${file%/*}"
		sed -E 's/^	+SCHED_POINT(_SLEEP)?\(".*"\);$//' "kernel/$file" \
			> "$layer/$file"
		! grep -E '^	+SCHED_POINT' "$layer/$file" || return
		objs+=("obj/${file%.c}.o")
	done
	make -f kernel/mk/kernel.mk SRC="kernel $layer" OUT="$out/bare.out" \
		"${objs[@]/#/$out/bare.out/}" || return
	for obj in "${objs[@]}"; do
		for s in .text .rodata .data; do
			objcopy -O binary -j $s "$out/bare.out/$obj" "$out/without"
			objcopy -O binary -j $s "build/part-0/$obj" "$out/with"
			cmp "$out/without" "$out/with" || return
		done
		((++n))
	done
	((n > 20))
}

# scheduled DIR SEED: one boot of race loops by that seed.
scheduled() {
	rm -rf "$1"
	boot "$PWD/build/part-0-sched/nymph.iso" "$1" 2 "$(SEED=$2 group_options race) \
tests=race_shootdown,race_loop_R4,thread_mutex" $(group_disks race "$1")
	[[ $(how_ended "$1") == off ]] && is_done "$1/results"
}

# refused WORDS OPTIONS: the kernel with schedule points must not start.
refused() {
	boot "$PWD/build/part-0-sched/nymph.iso" "$out/refused" 1 "$2"
	[[ $(how_ended "$out/refused") == panic ]] &&
		grep -aq -- "$1" "$out/refused/console"
}

# sweep_finds PATCH: a sweep of the kernel that the patch breaks must end at a seed
# that fails, and that seed alone must fail the same tests again.
sweep_finds() {
	local work=$out/sweep file test seed layer=$out/sweep/layer

	rm -rf "$work"
	for file in $(sed -n 's|^+++ b/kernel/||p' "$1"); do
		mkdir -p "$layer/${file%/*}"
		cp "kernel/$file" "$layer/$file"
	done
	patch -s -f -F 0 -d "$layer" -p2 < "$1" || return
	make -f kernel/mk/kernel.mk SRC="kernel $layer" OUT="$work/out-sched" \
		EXTRA_CFLAGS=-DSCHED_POINTS INITRD=build/user/initrd iso || return
	test=$(basename "$1" | sed 's/race-0\(.\).*/race_loop_R\1/')
	export PART=0 NYMPH_ISO=$work/out/nymph.iso NYMPH_WALL=40 TEST=$test
	SEEDS=60 NYMPH_OUT=$work/seeds bash grader/grade | tee "$work/said"
	seed=$(sed -n "s/^FAILED seed \([0-9]*\): $test\$/\1/p" "$work/said")
	[[ -n $seed ]] || return
	grep "replay: make grade PART=0 TEST=$test SEED=$seed" "$work/said" || return
	! SEED=$seed NYMPH_OUT=$work/again bash grader/grade || return
	cmp "$work/seeds/$seed/race/1/results" "$work/again/race/1/results"
}

step_races() {
	local patch

	must 'the kernel with schedule points is built' make -s sched-iso PART=0
	must 'in the plain kernel they are nothing' points_are_free
	must 'no two have one name' test -z "$(grep -rhoE \
		'SCHED_POINT(_SLEEP)?\("[^"]*"\);' kernel --include='*.c' |
		sort | uniq -d)"
	must 'a schedule gets to its end' scheduled "$out/sched.1" 7
	must 'and again' scheduled "$out/sched.2" 7
	must 'its result streams are the same' \
		cmp "$out/sched.1/results" "$out/sched.2/results"
	must 'another seed' scheduled "$out/sched.2" 8
	must 'is another schedule' test -n \
		"$(cmp "$out/sched.1/results" "$out/sched.2/results")"
	must 'a policy that there is not is refused' \
		refused 'sched wants off, random' 'sched=fair'
	must 'an unknown point is refused, and those that there are named' \
		refused "no schedule point 'pmap.nothing'; there are pmap." \
		'arm="pmap.nothing until pmap.pv_sleep"'
	must 'a script without sense is refused' \
		refused 'neither "X until Y" nor "X for N"' 'arm="spin.lock when ready"'
	for patch in grader/mutants/race-0[23]*.patch; do
		must "a sweep finds ${patch##*/}, and its seed does again" \
			bash -c "$(declare -f sweep_finds); out=$out; sweep_finds $patch"
	done
}

# Backwards, and by a seed.
step_reverse() {
	local -x NYMPH_OUT=$out/reverse

	PART=0 TEST=fork_returns timeout -k 2 200 bash grader/rgdb -batch \
		-ex 'break sys_reboot' -ex continue -ex 'p vm_object_count' \
		-ex delete -ex 'watch vm_object_count' -ex reverse-continue \
		-ex 'info symbol $pc' -ex 'p vm_object_count' -ex kill \
		> "$out/rgdb" 2>&1 < /dev/null
	must 'rgdb goes on to the end' grep -q '^Breakpoint 1, sys_reboot' "$out/rgdb"
	must 'and back to the last write of a variable' \
		grep -qE '^vm_object_(terminate|allocate) \+ ' "$out/rgdb"
	says 'wants TEST=name' rgdb PART=0
	says 'one CPU only' rgdb PART=0 TEST=fork_returns CPUS=2
	PART=0 TEST=race_loop_R4 SEED=5 timeout -k 2 100 bash grader/gdb -batch \
		-ex 'tbreak sched_points_start' -ex continue -ex finish \
		-ex 'p policy' -ex 'p seed' -ex kill > "$out/gdb" 2>&1 < /dev/null
	must 'gdb with SEED= has that schedule' grep -qx '.* = 5' "$out/gdb"
}
