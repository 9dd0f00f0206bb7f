#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Which stages there are, and of what each consists.  From the top folder:
#
#	stage.sh parts		the number of the last part that has a solution
#	stage.sh labs		the number of the last lab
#	stage.sh slug N		the folder name of part N, NN-slug
#	stage.sh name PART LAB BASE	a name for build/: part-4, lab-4, mine-4
#	stage.sh words PART LAB BASE	the layers and removals, for compose.sh
#	stage.sh check LAB [BASE]	nothing, or what is wrong with the folder
set -eu

slug() {
	for found in labs/$(printf %02d "$1")-*/part.json; do
		[ -f "$found" ] || return 1
		found=${found%/part.json}
		echo "${found#labs/}"
		return 0
	done
}

# last FOLDER: how many parts, from the first on, stand there without a gap.
last() {
	n=0
	while s=$(slug $((n + 1))) && [ -d "$1/$s" ]; do
		n=$((n + 1))
	done
	echo "$n"
}

# removed SLUG: the files that are gone after that part, as words.
removed() {
	jq -r '.removed // [] | .[] | "-" + .' "labs/$1/part.json"
}

# words PART LAB BASE
words() {
	top=${2:-${1:-0}}
	echo kernel
	n=1
	while [ "$n" -le "$top" ]; do
		s=$(slug "$n")
		# Of a lab, what is not the student's comes from the solution.
		[ ! -d "solutions/$s" ] || echo "solutions/$s"
		if [ -n "$2" ] && { [ "$n" = "$top" ] || [ "$3" = mine ]; }
		then
			echo "labs/$s"
		fi
		removed "$s"
		n=$((n + 1))
	done
}

# check LAB BASE: what is missing from, or does not belong into, the folders
# that a lab's build takes its files from.
check() {
	n=$1
	[ "$2" != mine ] || n=1
	while [ "$n" -le "$1" ]; do
		s=$(slug "$n")
		for file in $(jq -r '.files[]' "labs/$s/part.json"); do
			if [ ! -f "labs/$s/$file" ] || [ -L "labs/$s/$file" ]
			then
				echo "labs/$s/$file is missing:" \
				    "lab $n needs it; git checkout brings the" \
				    "starter back"
				return
			fi
		done
		extra=$(find "labs/$s" ! -type d | LC_ALL=C sort |
		    sed "s|^labs/$s/||" |
		    grep -vxF -e README.md -e part.json \
			-e "$(jq -r '.files[]' "labs/$s/part.json")" |
		    head -n 1) || :
		if [ -n "$extra" ]; then
			echo "labs/$s/$extra does not belong to lab $n:" \
			    "its files are those that part.json lists"
			return
		fi
		n=$((n + 1))
	done
}

case $1 in
parts) last solutions ;;
labs) last labs ;;
slug) slug "$2" ;;
name)
	if [ -n "$3" ]; then
		[ "$4" = mine ] && echo "mine-$3" || echo "lab-$3"
	else
		echo "part-${2:-0}"
	fi
	;;
words) words "$2" "$3" "$4" ;;
check) check "$2" "${3-}" ;;
esac
