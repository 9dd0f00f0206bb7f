# SPDX-License-Identifier: BSD-2-Clause
# Which tests are planned: their titles in the .bats files are the only list.

# stage_number: after which part it is.
stage_number() {
	echo "${LAB:-${PART:-0}}"
}

# stage_args: how a make line names it.
stage_args() {
	if [[ -n ${LAB:-} ]]; then
		echo "LAB=$LAB${BASE:+ BASE=$BASE}"
	else
		echo "PART=${PART:-0}"
	fi
}

# sched_seeded: is SEED= the schedule's?  Of torture tests it is their own.
sched_seeded() {
	[[ -n ${SEED:-} && ${TEST:-} != torture* ]]
}

# sched_options: the policy of a schedule's seed; a few policies take turns.
sched_options() {
	local seed=${SEED:-1}
	local policies=(random:20 pct:3 random:5 random:50)

	echo "sched=${policies[(seed - 1) % 4]} seed=$seed"
}

# group_kernel GROUP FILE: the kernel's FILE that this group boots: one with
# schedule points if that is what it is about.
group_kernel() {
	local dir=${2%/*}

	if [[ $1 == race ]] || sched_seeded; then
		dir=$dir-sched
	fi
	echo "$dir/${2##*/}"
}

# plan_files: the files whose tests the stage must pass: of a part what every
# stage must and its own, of a lab its own.
plan_files() {
	[[ -n ${LAB:-} ]] || echo grader/base.bats
	ls "grader/$(printf %02d "$(stage_number)")"-*.bats 2> /dev/null
}

# plan_begun: the same files; of a lab without the tests of exercises that the student
# has not begun, as a file in $NYMPH_OUT.
plan_begun() {
	if [[ -z ${LAB:-} ]]; then
		plan_files
		return
	fi
	sed 's/.*/^@test "\[[0-9]*\] & /; s/\([0-9]\)\.\([0-9]\)/\1[.]\2/' \
		"$NYMPH_OUT/untouched" > "$NYMPH_OUT/untouched.re"
	cat $(plan_files) | grep -v -f "$NYMPH_OUT/untouched.re" \
		> "$NYMPH_OUT/begun.bats"
	echo "$NYMPH_OUT/begun.bats"
}

# plan_titles FILE...: "POINTS NAME SENTENCE" for every test that TEST= selects: a
# name, the beginning of names up to a "_", or several with commas between them.
plan_titles() {
	sed -n 's/^@test "\[\([0-9]*\)\] \([0-9]*\.[0-9]* \)\?\([A-Za-z0-9_]*\): \(.*\)" {.*/\1 \3 \4/p' \
		"$@" | awk -v only="${TEST:-}" \
		-v seed="$(sched_seeded || echo "${SEED:-}")" '
		BEGIN { n = split(only, want, ",") }
		{
			take = n == 0
			for (i = 1; i <= n; i++)
				if ($2 == want[i] || index($2, want[i] "_") == 1)
					take = 1
			# one seed is one test, the first of its kind
			if (take && (seed == "" || taken++ == 0))
				print
		}'
}

# plan_selected DIR NAME...: copies of the files in DIR that have just these tests: bats
# reads each test's text several times, also of those that its -f leaves out.
plan_selected() {
	local file

	mkdir -p "$1"
	for file in $(plan_files); do
		awk -v names="${*:2}" -v lib="$PWD/grader/lib/" '
			BEGIN {
				n = split(names, name, " ")
				for (i = 1; i <= n; i++)
					want[name[i]] = 1
			}
			/^load lib\// { sub(/lib\//, lib) }
			/^@test / {
				title = substr($0, 1, index($0, ": ") - 1)
				sub(/.* /, "", title)
				skip = !(title in want)
			}
			!skip
			/}$/ && (/^@test / || /^}$/) { skip = 0 }
		' "$file" > "$1/${file##*/}"
		grep -q '^@test' "$1/${file##*/}" && echo "$1/${file##*/}"
	done
}

# plan_names FILE...: only the names.
plan_names() {
	plan_titles "$@" | cut -d' ' -f2
}

# booted NAME...: those that are run in the kernel, each once; boot_, struct_ and
# answers_ look at it from outside.
booted() {
	printf '%s\n' "$@" | awk '!/^(boot_|struct_|answers_|$)/ && !seen[$0]++'
}

# run_name NAME: leaves in the caller's run what init is to run for it: with SEED=, just
# that seed.  (Here and below no process is started: there are hundreds of tests.)
run_name() {
	run=$1
	[[ -z ${SEED:-} || $1 != torture_* ]] || sched_seeded ||
		run=${1%_*}_seed_$SEED
}

# run_names NAME...: leaves in the caller's runs, an array, the same for each of these.
run_names() {
	local name run

	runs=()
	for name; do
		run_name "$name"
		runs+=("$run")
	done
}

# group_of NAME: leaves in the caller's group the boot that a test belongs to, by what
# it needs.
group_of() {
	group=ordinary
	case $1 in
	thread_* | *_smp_* | torture_threads_*) group=threads ;;
	torture_swap_* | oom_*) group=swap ;;
	torture_press_*) group=press ;;
	ext2_* | fstorture_*) group=ext2 ;;
	damage_* | plug_*) group=${1%%_*} ;;
	disk_* | vdisk_* | vext2_* | fb_* | swap_* | press_* | phys_*) group=${1%%_*} ;;
	pagein_* | written_*) group=swap ;;
	prefault_exclusive) group=exclusive ;;
	fuzz_*) group=fuzz ;;
	race_*) group=race ;;
	esac
}

# grouped NAME...: leaves in the caller's groups, an array, the names of each group.
grouped() {
	local name group

	for name; do
		group_of "$name"
		groups[$group]+=" $name"
	done
}

# group_options GROUP: what that boot's kernel is told.
group_options() {
	# Of virtual time. Kcsan makes about thirty instructions of one; SHIFT sees to a
	# factor of eight, the limit to the rest. Virtio disks work in the host's time.
	case $1 in
	vdisk | vext2) echo "limit=${SAN:+1}80" ;;
	*) [[ -z ${SAN:-} ]] || echo limit=80 ;;
	esac
	case $1 in
	exclusive) echo vm.shared_fault=0 ;;
	swap) echo mem=8 swap=ddb ;;
	phys) echo mem=8 swap=ddb shm.use_phys=1 ;;
	press) echo mem=8 swap=dda ;;
	# The syncer would write what a test counts.
	race) echo vm.fault_quick=1 mem=8 swap=ddb sync_ms=600000 ;;
	esac
	if [[ $1 == race ]] || sched_seeded; then
		sched_options
	fi
}

# group_cpus GROUP: how many CPUs that boot has, unless CPUS= says.  One alone has
# no schedule, and no race.
group_cpus() {
	case ${CPUS:-}$1 in
	race | 1race) echo 2 ;;
	ordinary | exclusive | damage | swap | phys | vext2) sched_seeded && echo 2 || echo 1 ;;
	[a-z]*) echo 4 ;;
	*) echo "$CPUS" ;;
	esac
}

# group_shift GROUP: the SHIFT of that boot: of much work, more in a second.
group_shift() {
	case ${NYMPH_SHIFT:-}$1 in
	swap | phys | press) echo $((SHIFT - 2)) ;;
	*) echo "$SHIFT" ;;
	esac
}

# ext2_image FILE SIZE BLOCKS OPTION...: an ext2 file system of so many blocks,
# the same bytes every time.
ext2_image() {
	local i

	rm -f "$1"
	truncate -s "$2" "$1"
	E2FSPROGS_FAKE_TIME=1557100800 PATH=$PATH:/sbin:/usr/sbin mke2fs -q -F \
		-t ext2 -U 6e796d70-6820-4e79-8d70-682065787432 -E \
		hash_seed=6e796d70-6820-4e79-8d70-682068617368,root_owner=0:0 \
		"${@:4}" "$1" "$3" > "$1.log" 2>&1 || cat "$1.log" >&2
	# Files that came from a folder bear the host's times.
	[[ " $* " != *' -d '* ]] || for i in $(seq 2 "$(find "${!#}" | wc -l)"); do
		printf 'sif <%s> %s @1557100800\n' "$((i + 10))" atime \
			"$((i + 10))" ctime "$((i + 10))" mtime
	done | PATH=$PATH:/sbin:/usr/sbin debugfs -w -f - "$1" >> "$1.log" 2>&1
}

# group_disks GROUP DIR: makes that boot's disks in DIR; their KIND:FILE, and what
# else it has.
group_disks() {
	mkdir -p "$2"
	case $1 in
	disk | vdisk)
		rm -f "$2/disk" "$2/other" "$2/broken"
		truncate -s 16M "$2/disk"
		truncate -s 1M "$2/other" "$2/broken"
		case $1 in
		disk) echo "dd:$2/disk dd:$2/other" ;;
		vdisk) echo "vd:$2/disk vr:$2/other vb:$2/broken" ;;
		esac
		;;
	ext2)
		rm -rf "$2/tree" && mkdir "$2/tree"
		build/user/root/tests/ext2 "plant:$2/tree"
		ext2_image "$2/small" 16M 16384 -b 1024 -d "$2/tree"
		ext2_image "$2/large" 16M 4096 -b 4096
		ext2_image "$2/old" 1M 1024 -b 1024 -r 0
		ext2_image "$2/other" 1M 1024 -O extent
		echo "dd:$2/small dd:$2/large dd:$2/old dd:$2/other"
		;;
	vext2)
		rm -rf "$2/tree" && mkdir "$2/tree"
		build/user/root/tests/ext2 "plant:$2/tree"
		ext2_image "$2/small" 16M 16384 -b 1024 -d "$2/tree"
		ext2_image "$2/large" 16M 4096 -b 4096
		ext2_image "$2/old" 1M 1024 -b 1024 -r 0
		echo "vd:$2/small vd:$2/large vd:$2/old"
		;;
	plug)
		ext2_image "$2/disk" 16M 4096 -b 4096
		echo "dd:$2/disk"
		;;
	damage)
		rm -rf "$2/tree" && mkdir "$2/tree"
		build/user/root/tests/ext2 "plant_40:$2/tree"
		ext2_image "$2/good" 1M 256 -b 1024 -N 96 -d "$2/tree"
		truncate -s 1M "$2/broken"
		echo "dd:$2/good dd:$2/broken"
		;;
	swap | phys)
		rm -f "$2/disk" "$2/other"
		truncate -s 64M "$2/disk"
		truncate -s 8M "$2/other"
		echo "dd:$2/disk dd:$2/other"
		;;
	press)
		rm -f "$2/swap" "$2/extra"
		truncate -s 32M "$2/swap" "$2/extra"
		ext2_image "$2/disk" 16M 4096 -b 4096
		echo "dd:$2/swap dd:$2/disk dd:$2/extra"
		;;
	race)
		ext2_image "$2/disk" 1M 1024 -b 1024
		rm -f "$2/swap" "$2/other"
		truncate -s 16M "$2/swap" "$2/other"
		echo "dd:$2/disk dd:$2/swap dd:$2/other"
		;;
	fb) echo screen: ;;
	esac
}
