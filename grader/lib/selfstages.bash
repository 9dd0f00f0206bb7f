# SPDX-License-Identifier: BSD-2-Clause
# The steps of selftest about stages and labs: that nothing has drifted, and that
# what can be wrong with a student's files is said in one line.  Sourced by selftest.

# cut_says WORDS LINE...: a solution of these lines must be refused, in one line with
# these words.
cut_says() {
	local words=$1

	shift
	printf '%s\n' "$@" > "$out/cut.c"
	: > "$out/cut.names"
	if awk -v mode=cut -v lab=4 -v plain="$out/cut.c" -v before= \
		-v names="$out/cut.names" -f kernel/mk/cut.awk "$out/cut.c" \
		> /dev/null 2> "$out/log"; then
		bad "a solution is refused: $words"
	elif [[ $(wc -l < "$out/log") == 1 ]] && grep -q -- "$words" "$out/log"; then
		good "a solution is refused: $words"
	else
		bad "a solution is refused: one line with \"$words\"" "$out/log"
	fi
}

# lab_says WORDS: lab 1 of the copy must not build, for a reason told in one line.
lab_says() {
	make -C "$out/copy" iso LAB=1 > "$out/log" 2>&1 &&
		bad "a lab is refused: $1" && return
	sed -i '/^make/d; /^  [A-Z]* /d' "$out/log"
	if [[ $(wc -l < "$out/log") == 1 ]] && grep -q -- "$1" "$out/log"; then
		good "a lab is refused: $1"
	else
		bad "a lab is refused: one line with \"$1\"" "$out/log"
	fi
}

# A copy of the repository, for files to be broken in; what is built there already
# is shared.
copy() {
	rm -rf "$out/copy"
	mkdir -p "$out/copy/build"
	git ls-files -z | xargs -0 cp -a --parents -t "$out/copy"
	for part in deps user ccache uapi grub; do
		cp -al "build/$part" "$out/copy/build/"
	done
}

# points FILE...: "EXERCISE POINTS" for each, from the titles of tests.
points() {
	sed -n 's/^@test "\[\([0-9]*\)\] \([0-9]*\.[0-9]*\) .*/\1 \2/p' "$@" |
		awk '{ sum[$2] += $1 } END { for (e in sum) print e, sum[e] }' | sort
}

# patches_apply: none of them looks for lines that have changed since.
patches_apply() {
	local patch bad=0

	for patch in grader/mutants/*.patch; do
		patch -p1 --dry-run -F 0 -s -f < "$patch" ||
			{ echo "$patch does not apply"; bad=1; }
	done
	return $bad
}

# What was written once must still fit what it was made from.
step_drift() {
	local n slug

	must 'the starters are what the solutions give' \
		sh kernel/mk/starters.sh --check
	must 'each part changes what its list says' sh kernel/mk/changes.sh --check
	must 'later copies have the fixes of earlier stages' \
		sh kernel/mk/propagate.sh --check
	must 'every mutant is a patch of what is there' patches_apply
	for ((n = 1; n <= $(sh kernel/mk/stage.sh labs); n++)); do
		slug=$(sh kernel/mk/stage.sh slug $n)
		[[ -e grader/$slug.bats ]] || continue
		points "grader/$slug.bats" > "$out/points"
		sed -n 's/^### \([0-9]*\.[0-9]*\) .*(\([0-9]*\) points)$/\1 \2/p' \
			"labs/$slug/README.md" | sort > "$out/told"
		must "lab $n's handout tells the points that the tests give" \
			diff "$out/points" "$out/told"
		jq -r '.book as $b | .sections[] | "## " + . + "\t" + $b' \
			"labs/$slug/part.json" | sort -u > "$out/sections"
		must "the book has the sections that lab $n sends to" bash -c \
			'while IFS=$'"'\t'"' read -r s f; do
				# The chapter, and the files that it includes.
				sed -n "s|^.*{include} \(.*\)|book/chapters/\1|p" "$f" |
				xargs cat "$f" | grep -xF "$s" || exit 1
			done' bash < "$out/sections"
		must "lab $n has hints for each exercise" test \
			"$(jq -r '.hints // {} | keys[]' "labs/$slug/part.json")" \
			= "$(cut -d' ' -f1 "$out/points")"
	done

	cut_says 'in region 4.1' '	/* LAB 4.1: x */' '	/* LAB 4.2: x */'
	cut_says 'has not begun' '	/* END LAB 4.1 */'
	cut_says 'the end of region 4.2 in region 4.1' '	/* LAB 4.1: x */' \
		'	/* END LAB 4.2 */'
	cut_says 'has no end' '	/* LAB 4.1: x */' '	return;'
	cut_says 'in lab 4' '	/* LAB 5.1: x */' '	/* END LAB 5.1 */'
	cut_says 'looks like' '	/* LAB 4.1 hint */' '	/* END LAB 4.1 */'
	cut_says 'in no function' '/* LAB 4.1: x */' '/* END LAB 4.1 */'
	cut_says 'no stage before' '/* LAB 4.1 previous: x */' '/* END LAB 4.1 */'
}

# begun_nothing N: the starter of lab N, as it is, gets no point, and each exercise
# says that it was not begun.
begun_nothing() {
	NYMPH_OUT=$out/lab LAB=$1 bash grader/grade > "$out/starter" 2>&1
	grep -q '^0 passed, [1-9][0-9]* failed$' "$out/starter" &&
		! grep -q '^FAILED' "$out/starter" &&
		[[ $(grep -c '  not attempted$' "$out/starter") == \
			$(points "grader/$(sh kernel/mk/stage.sh slug "$1").bats" |
				wc -l) ]]
}

# hinted WHICH WORDS: what the copy's hint for lab 2 begins with.
hinted() {
	(cd "$out/copy" && bash grader/lib/hint 2 "$out/tally" "$1") > "$out/said" 2>&1
	grep -q "^hint for exercise $2: ..." "$out/said"
}

step_labs() {
	local n lab=$out/copy/labs/01-one-way-links

	for ((n = 1; n <= $(sh kernel/mk/stage.sh labs); n++)); do
		must "the starter of lab $n compiles without a warning" \
			make iso LAB=$n
		ls grader/$(printf %02d $n)-*.bats > "$out/log" 2>&1 || continue
		must "and boots, and scores nothing" begun_nothing $n
	done

	copy
	rm -rf "$out/copy/build/hints"
	printf '%s\n' '2.1 14 14 1' '2.2 0 46 0' '2.3 3 22 1' > "$out/tally"
	must 'a hint is for what was begun and lacks points' hinted 1 '2.3 (1 of [0-9]*)'
	must 'the next one goes a step up' hinted 1 '2.3 (2 of [0-9]*)'
	must 'another exercise has a ladder of its own' hinted 2.2 '2.2 (1 of [0-9]*)'
	printf '%s\n' '2.1 0 14 0' '2.2 0 46 0' > "$out/tally"
	must 'who has begun nothing gets the first one' hinted 1 '2.1 (1 of [0-9]*)'
	printf '%s\n' '/* LAB 1.5 previous: x */' '/* END LAB 1.5 */' \
		>> "$out/copy/solutions/01-one-way-links/vm/vm_fault.c"
	(cd "$out/copy" && sh kernel/mk/starters.sh --check) > "$out/said" 2>&1
	must 'a region that changes nothing is refused' \
		grep -q 'region 1.5 changes nothing' "$out/said"
	cp solutions/01-one-way-links/vm/vm_fault.c \
		"$out/copy/solutions/01-one-way-links/vm/"
	sed -i 's/LAB 1\.3m/LAB 1.5/' \
		"$out/copy/solutions/01-one-way-links/vm/vm_fault.c"
	(cd "$out/copy" && sh kernel/mk/starters.sh --check) > "$out/said" 2>&1
	must 'a region that stands twice is refused' \
		grep -q 'region 1.5 stands twice' "$out/said"
	cp solutions/01-one-way-links/vm/vm_fault.c \
		"$out/copy/solutions/01-one-way-links/vm/"
	must 'a lab builds in a copy' make -C "$out/copy" iso LAB=1
	cp "$out/copy/build/lab-1/kernel.elf" "$out/before.elf"
	must 'the same sources give the same kernel wherever they lie' \
		cmp "$out/before.elf" build/lab-1/kernel.elf
	sed -i 's/int ref_count;/int ref_count, ref_more;/' "$lab/vm/vm_object.h"
	must 'make diff shows what was written, and nothing else' test \
		"$(make -C "$out/copy" diff LAB=1 | grep -c '^[+-][^+-]')" = 2
	must 'a header is changed' make -C "$out/copy" iso LAB=1
	must 'and every file that has it is compiled anew' sh -c "gdb -nx -batch \
		-ex 'p &((struct vm_object *)0)->ref_more' \
		-ex 'list vm_fault_object' '$out/copy/build/lab-1/kernel.elf' |
		grep -q 'int \*' && ! cmp -s '$out/before.elf' \
		'$out/copy/build/lab-1/kernel.elf'"
	cp labs/01-one-way-links/vm/vm_object.h "$lab/vm/"
	must 'and back' make -C "$out/copy" iso LAB=1
	must 'to the same kernel' \
		cmp "$out/before.elf" "$out/copy/build/lab-1/kernel.elf"
	echo 'int x' >> "$lab/vm/vm_fault.c"
	lab_says 'labs/01-one-way-links/vm/vm_fault.c:[0-9]*:[0-9]*: error'
	cp labs/01-one-way-links/vm/vm_fault.c "$lab/vm/"
	sed -i 's/^vm_object_terminate(/vm_object_finish(/' \
		"$lab/vm/vm_object_dealloc.c"
	lab_says 'does not compile: labs/01-one-way-links/vm/vm_object_dealloc.c'
	cp labs/01-one-way-links/vm/vm_object_dealloc.c "$lab/vm/"
	touch "$lab/vm/more.c"
	lab_says 'more.c does not belong to lab 1'
	rm "$lab/vm/more.c" "$lab/vm/vm_fault.c"
	lab_says 'vm_fault.c is missing'
}
