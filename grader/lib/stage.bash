# SPDX-License-Identifier: BSD-2-Clause
# What grade and grader/*.bats share: the boots, done once a stage, and the checks.

TOP=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
source "$TOP/grader/lib/boot.bash"
source "$TOP/grader/lib/plan.bash"
source "$TOP/grader/lib/lab.bash"

MAX_BOOTS=40 # of one group of tests

# stage_boot: runs the planned tests on Nymph and, meanwhile, on Linux.  Leaves in
# $NYMPH_OUT: records.tsv and oracle.tsv, a line for each test (see records());
# boots, a line for each boot; where, the boot in which a test ran.  NYMPH_ISO is
# the stage's.
stage_boot() {
	local runs group
	local -A groups=()

	rm -rf "$NYMPH_OUT"
	mkdir -p "$NYMPH_OUT"
	[[ -z ${LAB:-} ]] || untouched > "$NYMPH_OUT/untouched"
	run_names $(booted $(plan_names $(plan_begun)))
	grouped "${runs[@]}"
	# Nothing but the tests about booting: then a boot of one short test.
	((${#groups[@]})) || groups[ordinary]=fork_returns

	oracle ${groups[*]} &
	# The longest first.
	for group in press ordinary swap plug threads ext2 fuzz vdisk disk damage race fb \
		vext2 phys exclusive; do
		# Not more at once than there are CPUs to run them.
		until (($(jobs -pr | wc -l) < $(nproc))); do
			wait -n || true
		done
		stage_group $group ${groups[$group]-} &
	done
	wait
	cat "$NYMPH_OUT"/*/records > "$NYMPH_OUT/records.tsv"
	cat "$NYMPH_OUT"/*/boots > "$NYMPH_OUT/boots"
	judge
}

# build_sched NAME...: the kernel with schedule points, if these tests boot it.
build_sched() {
	[[ $NYMPH_ISO == "$TOP/$KERNEL/"* ]] || return 0 # mutate has built it
	sched_seeded || [[ " $*" == *" race_"* ]] || return 0
	SEED= SEEDS= TEST= make -s -C "$TOP" sched-iso
}

# judge: the one place that decides.  A test has passed when its record has what
# the oracle's has (verdict, code, output), vm_check said "ok" and nothing leaked.
# Leaves a file in $NYMPH_OUT/passed for each such test.
judge() {
	mkdir -p "$NYMPH_OUT/passed"
	awk -F'\t' -v ok="$(echo ok | base64)" '
		NR == FNR { want[$1] = $2 FS $3 FS $4; next }
		($1 in want) && $2 FS $3 FS $4 == want[$1] && $5 == ok &&
		    $6 == "{}" && ($2 == "exit" || $2 == "signal")
	' "$NYMPH_OUT/oracle.tsv" "$NYMPH_OUT/records.tsv" |
		cut -f1 | (cd "$NYMPH_OUT/passed" && xargs -r touch)
}

# stage_group GROUP NAME...: the tests that need the same machine.
stage_group() {
	case "$# $1" in
	"1 "*) ;;
	*" plug") pull_plugs "${@:2}" ;;
	*) boots "$1" "$(group_cpus "$1")" "${@:2}" ;;
	esac
}

# expected_texts DIR: lays out there what tests must print on this stage: grader/expect,
# overlaid with the folders NN in it of this part and those before.
expected_texts() {
	local dir n

	rm -rf "$1"
	mkdir -p "$1"
	find "$TOP/grader/expect" -maxdepth 1 ! -type d -exec cp -t "$1" {} +
	for ((n = 1; n <= $(stage_number); n++)); do
		dir=$TOP/grader/expect/$(printf %02d $n)
		[[ ! -d $dir ]] || cp "$dir"/* "$1"
	done
}

# oracle NAME...: the same programs, in the same root file system, on this Linux.
# What only Nymph can tell stands in a file, and is not asked: some of it would
# fill Linux's memory.  Linux says the same every time (selftest asks twice), so an
# answer in which all is well is kept for the same question to the same programs.
oracle() {
	local name ask=() kept

	expected_texts "$NYMPH_OUT/expect"
	for name; do
		if [[ -f $NYMPH_OUT/expect/$name ]]; then
			printf '%s\texit\t0\t%s\n' "$name" \
				"$(base64 -w0 < "$NYMPH_OUT/expect/$name")"
		else
			ask+=("$name")
		fi
	done > "$NYMPH_OUT/oracle.tsv"
	kept=$TOP/build/oracle/$({
		uname -srvm
		echo "${ask[*]}"
		cat "$TOP/grader/lib/oracle" "$TOP/build/user/initrd"
	} | sha256sum | cut -d' ' -f1)
	if ! cp "$kept" "$NYMPH_OUT/oracle" 2> /dev/null; then
		bash "$TOP/grader/lib/oracle" "$(IFS=, && echo "${ask[*]}")" \
			> "$NYMPH_OUT/oracle" 2> "$NYMPH_OUT/oracle.err" 3>&-
		if is_done "$NYMPH_OUT/oracle" && ! records "$NYMPH_OUT/oracle" |
			cut -f2,3 | grep -qvx $'exit\t0'; then
			mkdir -p "${kept%/*}"
			cp "$NYMPH_OUT/oracle" "$kept.$$"
			mv "$kept.$$" "$kept"
		fi
	fi
	records "$NYMPH_OUT/oracle" >> "$NYMPH_OUT/oracle.tsv"
}

# boots GROUP CPUS NAME...: boots and runs the tests.  When a boot ends before
# its list does, the test that was running has failed, and the rest gets another
# boot; not for ever, since each boot takes a second, or, stopped, many.
boots() {
	local group=$1 cpus=$2 todo=("${@:3}") n=0 barren=0 dir how last i

	mkdir -p "$NYMPH_OUT/$group"
	: > "$NYMPH_OUT/$group/records"
	while ((${#todo[@]} && n < MAX_BOOTS && barren < 2)); do
		dir=$NYMPH_OUT/$group/$((++n))
		SHIFT=$(group_shift "$group") boot \
			"$(group_kernel "$group" "$NYMPH_ISO")" "$dir" "$cpus" \
			"tests=$(IFS=, && echo "${todo[*]}") $(group_options "$group")" \
			$(group_disks "$group" "$dir")
		how=$(how_ended "$dir")
		[[ $how == off ]] && ! is_done "$dir/results" && how=silent
		last=$(unfinished "$dir/results")
		records "$dir/results" |
			sed "s|\$|\t$group/$n|" > "$dir/records"
		cat "$dir/records" >> "$NYMPH_OUT/$group/records"
		printf '%s\t%s\t%s\t%s\n' "$group/$n" "$cpus" "$how" "$last" \
			>> "$NYMPH_OUT/$group/boots"
		[[ $how == off ]] && return
		i=$(wc -l < "$dir/records")
		# A machine that was stopped took long: no third one.
		case $how in
		wall | flood) ((++barren)) ;;
		*) [[ -z $last ]] && ((++barren)) || barren=0 ;;
		esac
		# Without a test that had begun, the next one could not begin.
		[[ -n ${todo[i]-} ]] || return 0
		printf '%s\t%s\t0\t\t\t{}\t%s\n' "${todo[i]}" "$how" \
			"$group/$n" >> "$NYMPH_OUT/$group/records"
		todo=("${todo[@]:i + 1}")
	done
}

# test_name: leaves in the caller's name the one that the running test's title gives.
test_name() {
	name=${BATS_TEST_DESCRIPTION%%:*}
	name=${name##* }
}

# record FILE NAME: one test's line.
record() {
	awk -F'\t' -v name="$2" '$1 == name { print; exit }' "$1"
}

# shown TEXT: a text's lines, indented; only the beginning of what is long.
shown() {
	printf '%s\n' "$1" | tr -d '\000-\010\013-\037\177-\377' | awk '
		NR <= 40 { print "    " substr($0, 1, 300) }
		END { if (NR > 40) print "    (and " NR - 40 " lines more)" }'
}

# check: the running test must have passed; else says what is wrong with it.
check() {
	local name run

	attempted || return
	test_name
	run_name "$name"
	[[ -e $NYMPH_OUT/passed/$run ]] && return 0
	explain "$name" "$run" && replay "$name"
	return 1
}

# explain NAME RUN: what a failed test's record says.  False if it makes no sense to
# do that again.
explain() {
	local name=$1 run=$2 group seen want where verdict code out vm leaks said
	local wverdict wcode wout

	seen=$(record "$NYMPH_OUT/records.tsv" "$run")
	if [[ -z $seen ]]; then
		group_of "$run"
		unwritten "$NYMPH_OUT/$group"/*/ && return 1
		echo "$name did not run: too many boots had ended early;" \
			"see boot_power_off"
		return
	fi
	# Fields may be empty, so tabs, which read joins, become bars.
	IFS='|' read -r _ verdict code out vm leaks where \
		<<< "${seen//$'\t'/|}"
	want=$(record "$NYMPH_OUT/oracle.tsv" "$run")
	if [[ -z $want ]]; then
		echo "Linux gave no answer to compare with:"
		shown "$(< "$NYMPH_OUT/oracle.err")"
		return
	fi
	IFS='|' read -r _ wverdict wcode wout _ <<< "${want//$'\t'/|}"
	case $verdict in
	exit | signal)
		[[ $out == "$wout" ]] || explain_output "$wout" "$out"
		[[ $verdict$code == "$wverdict$wcode" ]] ||
			echo "it ended by $verdict $code, expected" \
				"$wverdict $wcode"
		vm=$(base64 -d <<< "$vm")
		if [[ $vm != ok ]]; then
			echo "vm_check found:"
			shown "$vm"
		fi
		[[ $leaks == '{}' ]] || echo "lost at every run: $leaks"
		;;
	*)
		unwritten "$NYMPH_OUT/$where" && return 1
		explain_end "$verdict" "$NYMPH_OUT/$where"
		;;
	esac
	echo "the console said (all of it: $NYMPH_OUT/$where/console):"
	said=$(part_of_console "$NYMPH_OUT/$where" "$run")
	# The boot may have ended before the test began.
	[[ -n $said ]] || said=$(tr -d '\0' < "$NYMPH_OUT/$where/console")
	shown "$(last_words <<< "$said")"
}

# last_words: of a console's text, the post-mortem, with source lines, or else the
# last lines.
last_words() {
	sh "$TOP/grader/lib/lines" "${NYMPH_ISO%/*}/kernel.elf" |
		awk '/^\*\*\* / { dead = 1 }
		dead { print; next }
		{ line[NR] = $0 }
		END { if (!dead) for (i = NR > 40 ? NR - 39 : 1; i <= NR; i++)
			print line[i] }'
}

# explain_output WANT SEEN: where two outputs (base64) part.
explain_output() {
	local want seen

	want=$(base64 -d <<< "$1" | tr -d '\0')
	seen=$(base64 -d <<< "$2" | tr -d '\0')
	echo "expected (-) and seen (+) output:"
	shown "$(diff -U2 <(printf '%s\n' "$want") <(printf '%s\n' "$seen") |
		tail -n +3)"
}

# explain_end VERDICT DIR: why a test has no result of its own.
explain_end() {
	local limit said

	case $1 in
	hang)
		limit=$(sed -n 's/.*\<limit=\([0-9]*\).*/\1/p' "$2/cmdline")
		echo "it hung: killed after ${limit:-20} s of virtual time" ;;
	panic)
		unwritten "$2" || echo "the kernel panicked" ;;
	wall)
		said=$(($(stat -c %s "$2/console") >> 10))
		echo "the machine made no progress for $WALL s and was stopped:" \
			"$( ((said < 100)) &&
				echo 'a CPU that spins without PAUSE or HLT?' ||
				echo "it printed $said KiB, and did not end")" ;;
	flood)
		echo "the machine printed more than $FLOOD KiB and was stopped" ;;
	reset)
		echo "the machine reset itself: a triple fault" ;;
	silent)
		echo "the machine was turned off before init had finished" ;;
	*)
		echo "QEMU did not work:"
		shown "$(< "$2/qemu")" ;;
	esac
}

# replay NAME: how to see it again.
replay() {
	local args="$(stage_args) TEST=$1${SEED:+ SEED=$SEED}${CPUS:+ CPUS=$CPUS}${SAN:+ SAN=$SAN}"

	echo "replay: make grade $args"
	echo "debug:  make gdb $args"
	to_read
}

# Every boot ended as init wanted it to.
boots_powered_off() {
	local where cpus how last bad=0

	while IFS='|' read -r where cpus how last; do
		[[ $how == off ]] && continue
		bad=1
		echo "boot $where, $cpus CPUs: $how${last:+, in $last}"
		explain_end "$how" "$NYMPH_OUT/$where"
		unwritten "$NYMPH_OUT/$where" > /dev/null ||
			shown "$(last_words < "$NYMPH_OUT/$where/console")"
	done < <(tr '\t' '|' < "$NYMPH_OUT/boots")
	[[ -s $NYMPH_OUT/boots ]] && return "$bad"
}

# No boot's console has a word that only trouble brings.
boots_were_quiet() {
	local bad

	bad=$(grep -aiE '^(\*\*\* )?(panic|fatal trap|assertion|warning)' \
		"$NYMPH_OUT"/*/*/console || true)
	[[ -z $bad ]] && return
	shown "$bad"
	return 1
}

# The last record of each boot says that vm_check found nothing.
boots_left_order() {
	local file vm bad=0

	for file in "$NYMPH_OUT"/*/*/records; do
		vm=$(tail -n 1 "$file" | cut -f5 | base64 -d)
		[[ $vm == ok ]] && continue
		bad=1
		echo "$file:"
		shown "${vm:-no test got to its end}"
	done
	return "$bad"
}

# The host's file of a disk has what disk_host wrote: a hundred sectors that say
# their number, each in its place.
disk_has_text() {
	local name kind image

	test_name
	kind=${name%disk_host}
	image=$(record "$NYMPH_OUT/records.tsv" "$name" | cut -f7)
	image=$NYMPH_OUT/$image/disk
	grep -abo "sector [0-9]* on ${kind:-d}da" "$image" | awk -F'[: ]' '
		$1 != $3 * 512 { bad = 1 }
		END { exit bad || NR != 100 }' && return
	echo "$image does not have it"
	return 1
}

# The folder of the running test's boot.
boot_dir() {
	local name

	test_name
	echo "$NYMPH_OUT/$(record "$NYMPH_OUT/records.tsv" "$name" | cut -f7)"
}

# The host finds what ext2_kept has left on the disk: what the same program says
# of a copy is what the test said.
disk_has_files() {
	local name dir want seen

	test_name
	dir=$(boot_dir)
	rm -rf "$dir/copy" && mkdir "$dir/copy"
	PATH=$PATH:/sbin:/usr/sbin debugfs -R "rdump kept $dir/copy" \
		"$dir/small" > "$dir/debugfs" 2>&1
	want=$(record "$NYMPH_OUT/oracle.tsv" "$name" | cut -f4 | base64 -d)
	seen=$("$TOP/build/user/root/tests/ext2" "shown:$dir/copy")
	[[ $seen == "$want" ]] && return
	echo "expected (-) and found (+):"
	shown "$(diff -U2 <(echo "$want") <(echo "$seen") | tail -n +3)"
	return 1
}

# disks_are_clean [IMAGE...]: e2fsck has nothing to say about the disks of the
# running test's boot.
disks_are_clean() {
	local dir image bad=0

	dir=$(boot_dir)
	for image; do
		PATH=$PATH:/sbin:/usr/sbin e2fsck -fn "$dir/$image" \
			> "$dir/$image.fsck" 2>&1 && continue
		bad=1
		echo "e2fsck on $image:"
		shown "$(< "$dir/$image.fsck")"
	done
	return "$bad"
}

# pull_plugs NAME...: each has a boot of its own, which is ended by force when so
# many files have been synced as the name's number says.
pull_plugs() {
	local name dir n boot

	for name; do
		n=${name##*_}
		dir=$NYMPH_OUT/plug/$n
		mkdir -p "$dir"
		: > "$NYMPH_OUT/plug/records"
		: > "$NYMPH_OUT/plug/boots"
		: > "$dir/results"
		boot "$NYMPH_ISO" "$dir" "$(group_cpus plug)" "tests=$name" \
			$(group_disks plug "$dir") 2> "$dir/killed" &
		boot=$!
		until [[ -e $dir/status ]] ||
			(($(grep -c '^synced' "$dir/results") >= n)); do
			sleep 0.02
		done
		[[ -e $dir/status ]] || kill -9 "$(< "$dir/pid")"
		wait "$boot"
	done
}

# The disk of the running test's boot: e2fsck can mend it, and then every file is
# there that had been synced when the plug was pulled.
disk_survived() {
	local name dir last rc=0

	test_name
	dir=$NYMPH_OUT/plug/${name##*_}
	if [[ $(how_ended "$dir") != wall ]]; then
		echo "the machine had ended before:"
		explain_end "$(how_ended "$dir")" "$dir"
		shown "$(tail -n 30 "$dir/console")"
		return 1
	fi
	PATH=$PATH:/sbin:/usr/sbin
	e2fsck -fy "$dir/disk" > "$dir/mended" 2>&1 || rc=$?
	if ((rc > 2)) || ! e2fsck -fn "$dir/disk" > "$dir/fsck" 2>&1; then
		echo "e2fsck could not mend the disk:"
		shown "$(tail -n 30 "$dir/mended")"
		return 1
	fi
	last=$(sed -n 's/^synced \([0-9]*\)$/\1/p' "$dir/results" | tail -n 1)
	rm -rf "$dir/copy" && mkdir "$dir/copy"
	debugfs -R "rdump / $dir/copy" "$dir/disk" > "$dir/debugfs" 2>&1
	"$TOP/build/user/root/tests/plug" "check_$last:$dir/copy" && return
	echo "e2fsck said:"
	shown "$(< "$dir/mended")"
	return 1
}
