# SPDX-License-Identifier: BSD-2-Clause
# What the grading of labs needs besides a stage's: what a student has not begun,
# answers in text files, and what must not be in a kernel any more.  Sourced by
# stage.bash; NYMPH_ISO is the kernel's disk, and kernel.elf lies beside it.

# regions FOLDER FILE...: "FILE ID TEXT" for each marked region of the files in the
# folder, and "FILE - TEXT" for what stands outside of regions.
regions() {
	local folder=$1 file

	for file in "${@:2}"; do
		[[ ! -f $folder/$file ]] || awk -v file="$file" '
			/^[ \t]*(\/\*|#) END LAB [0-9]/ { id = "-"; next }
			/^[ \t]*(\/\*|#) LAB [0-9]/ {
				id = $3
				sub(/:$/, "", id)
				seen[id] = 1
				skip = /^[ \t]*\/\*/ && !/\*\//
				next
			}
			skip { skip = !/\*\//; next }
			{ text[id == "" ? "-" : id] = text[id == "" ? "-" : id] "\001" $0 }
			END {
				text["-"] = text["-"] ""
				for (id in seen)
					text[id] = text[id] ""
				for (id in text)
					print file, id, text[id]
			}' "$folder/$file"
	done
}

# untouched: the exercises of LAB in whose regions nothing was changed.  What was
# changed outside of regions counts for all exercises of that file.
untouched() {
	local slug work=$NYMPH_OUT/starter files

	slug=$(sh kernel/mk/stage.sh slug "$LAB")
	sh kernel/mk/starters.sh --to "$work" "$LAB" || return
	files=$(cd "$work" && find . -type f | sed 's|^\./||')
	awk '
		NR == FNR { now[$0] = 1; next }
		{ same = $0 in now }
		$2 == "-" { if (!same) changed[$1] = 1; next }
		{
			ex = $2
			sub(/[a-z]$/, "", ex)
			all[ex] = 1
			if (!same)
				touched[ex] = 1
			in_file[$1, ex] = 1
		}
		END {
			for (pair in in_file) {
				split(pair, part, SUBSEP)
				if (part[1] in changed)
					touched[part[2]] = 1
			}
			for (ex in all)
				if (!(ex in touched))
					print ex
		}' <(regions "labs/$slug" $files) <(regions "$work" $files)
}

# exercise_of: leaves in the caller's exercise that of the running test, or nothing.
exercise_of() {
	exercise=${BATS_TEST_DESCRIPTION#*] }
	[[ $exercise =~ ^([0-9]+\.[0-9]+)\  ]] && exercise=${BASH_REMATCH[1]} ||
		exercise=
}

# to_read: where the book tells what the running test's exercise is about.
to_read() {
	local exercise slug

	exercise_of
	[[ -n $exercise ]] || return 0
	slug=$(sh "$TOP/kernel/mk/stage.sh" slug "${exercise%.*}")
	jq -r --arg e "$exercise" '"read:   \(.sections[$e] | tojson) in \(.book)"' \
		"$TOP/labs/$slug/part.json"
}

# attempted: the running test's exercise was begun; else says that it was not.
attempted() {
	local exercise

	exercise_of
	[[ -z $exercise || ! -s $NYMPH_OUT/untouched ]] ||
		! grep -qx "$exercise" "$NYMPH_OUT/untouched" || {
		echo "not attempted: nothing was changed in exercise $exercise"
		return 1
	}
}

# written: no part of the running test's exercise is left to be written; else says
# where one is.  For tests that look at the kernel without running it.
written() {
	local exercise left

	attempted || return
	exercise_of
	[[ -n $exercise && -n ${LAB:-} ]] || return 0
	left=$(cd "$TOP/$(part_folder)" &&
		grep -rlF "LAB_TODO(${exercise/./, });" . | sed 's|^\./||' | sort | xargs)
	[[ -z $left ]] && return
	echo "exercise $exercise is still to be written in: $left"
	return 1
}

# not_written DIR: the exercise whose LAB_TODO ended that boot, or nothing.
not_written() {
	sed -n 's/.*PANIC: lab \([0-9]*\), exercise \([0-9]*\): not written yet.*/\1.\2/p' \
		"$1/console" | head -n 1
}

# unwritten DIR...: says that one of these boots ended at an exercise that is yet to be
# written.  There is nothing more to be told of it then.
unwritten() {
	local dir left

	for dir; do
		[[ ! -e $dir/console ]] || left=$(not_written "$dir")
		[[ -n ${left-} ]] || continue
		echo "exercise $left, which this needs, is not written yet"
		return
	done
	return 1
}

# The folder with the files of the stage's part: the student's, or the solution;
# or, for mutate, a broken one.
part_folder() {
	if [[ -n ${NYMPH_FILES:-} ]]; then
		echo "$NYMPH_FILES"
	elif [[ -n ${LAB:-} ]]; then
		echo "labs/$(sh kernel/mk/stage.sh slug "$LAB")"
	else
		echo "solutions/$(sh kernel/mk/stage.sh slug "$PART")"
	fi
}

# answered FILE LINE...: the file of answers has each of these "question = answer".
answered() {
	local file line key seen bad=0

	attempted || return
	file=$(part_folder)/$1
	for line in "${@:2}"; do
		key=${line%% = *}
		seen=$(sed -n "s/^${key//./\\.} *= *\(.*[^ ]\) *$/\1/p" "$file")
		[[ $seen == "${line#* = }" ]] && continue
		bad=1
		if [[ -z $seen || $seen == '?' ]]; then
			echo "$file has no answer to $key"
		else
			echo "$file says $key = ${seen:0:40}: that is not so"
		fi
	done
	return "$bad"
}

# answers_expect FILE NAME...: the answers are what these programs must print.
answers_expect() {
	local name lines=()

	for name in "${@:2}"; do
		mapfile -t -O "${#lines[@]}" lines < "$name"
	done
	answered "$1" "${lines[@]}"
}

# lacks_member STRUCT MEMBER...: the kernel's structure has none of these members.
lacks_member() {
	local members found

	written || return
	members=$(gdb -q -nx -batch -ex "ptype struct $1" \
		"${NYMPH_ISO%/*}/kernel.elf" 2>&1)
	if [[ $members != *"type = struct $1 {"* ]]; then
		echo "the kernel has no struct $1"
		return 1
	fi
	found=$(grep -oE "\<($(IFS='|' && echo "${*:2}"))\>" <<< "$members" |
		sort -u | xargs)
	[[ -z $found ]] && return
	echo "struct $1 still has: $found"
	return 1
}

# lacks_symbol NAME...: the kernel has no function or variable of these names.
lacks_symbol() {
	local found

	written || return
	found=$(nm "${NYMPH_ISO%/*}/kernel.elf" | awk '{ print $NF }' |
		grep -xE "($(IFS='|' && echo "$*"))(\.(isra|part|constprop|cold)\.?[0-9]*)?" |
		sort -u | xargs)
	[[ -z $found ]] && return
	echo "the kernel still has: $found"
	return 1
}
