# SPDX-License-Identifier: BSD-2-Clause
# How selftest does its steps, several at once.  Sourced by selftest.

# What most steps boot; with all CPUs, before they start.
step_build() {
	local part

	for part in $(seq 0 "$(sh kernel/mk/stage.sh parts)"); do
		must "make builds part $part and its disk" make iso "PART=$part"
		must 'and with schedule points' make sched-iso "PART=$part"
	done
}

# only STEP: does a step; its last line has what it counted.
only() {
	out=$top/$1
	rm -rf "$out"
	mkdir -p "$out"
	echo "== $1"
	"step_$1"
	echo "== $1: $SECONDS s"
	echo "$passed passed, $failed failed"
}

# ended STEP: shows and counts what a step has said.
ended() {
	sed '${/^[0-9]* passed, [0-9]* failed$/d}' "$top/$1.said"
	add "$1" "$top/$1.said"
}

# lanes STEP...: does these, so many at once as there may be.
lanes() {
	local step pid at_once=$(nproc)
	local -A running=()

	trap 'kill 0' INT # what runs in the background does not get it
	for step in "$@" ''; do
		while ((${#running[@]} >= (${#step} ? at_once : 1))); do
			wait -n -p pid
			ended "${running[$pid]}"
			unset "running[$pid]"
		done
		[[ -n $step ]] || break
		# nproc says 1 there, so nothing starts two QEMUs.
		OMP_NUM_THREADS=1 bash grader/selftest --only "$step" \
			> "$top/$step.said" 2>&1 < /dev/null &
		running[$!]=$step
	done
}
