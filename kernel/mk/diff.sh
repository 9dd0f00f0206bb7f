#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# diff.sh PART LAB BASE: shows part PART as its commit, or what a student has
# written into the starter of a lab.  The marks of exercises are left out.
set -eu
part=$1 lab=$2 base=$3
n=${lab:-$part}
if [ -z "$n" ] || [ "$n" = 0 ]; then
	echo "make diff shows what a part changes: say PART=n or LAB=n, from 1 to" \
	    "$(sh kernel/mk/stage.sh parts)"
	exit 1
fi
slug=$(sh kernel/mk/stage.sh slug "$n")
work=build/diff
rm -rf "$work"

# plain FROM TO: the files listed on the input, without marks.
plain() {
	while read -r file; do
		mkdir -p "$2/$(dirname "$file")"
		awk -v mode=strip -f kernel/mk/cut.awk "$1/$file" > "$2/$file"
	done
}

# lay DIR WORD...: a stage as plain files.
lay() {
	dir=$work/$1
	shift
	sh kernel/mk/compose.sh "$work/stage" "$*"
	(cd "$work/stage/tree" && find . -type l | sed 's|^\./||') |
	    plain "$work/stage/tree" "$dir/kernel"
	rm -rf "$work/stage"
}

if [ -n "$lab" ]; then
	wrong=$(sh kernel/mk/stage.sh check "$lab" "$base")
	if [ -n "$wrong" ]; then
		echo "$wrong"
		exit 1
	fi
	sh kernel/mk/starters.sh --to "$work/cut" "$n"
	jq -r '.files[]' "labs/$slug/part.json" > "$work/files"
	plain "$work/cut" "$work/a/labs/$slug" < "$work/files"
	plain "labs/$slug" "$work/b/labs/$slug" < "$work/files"
else
	words=$(sh kernel/mk/stage.sh words "$part" '' '')
	# shellcheck disable=SC2046
	lay a $(echo "$words" | sed "/\/$slug\$/,\$d")
	# shellcheck disable=SC2086
	lay b $words
fi
cd "$work"
if [ -t 1 ]; then
	git --no-pager diff --no-index --no-prefix -M --color=auto a b || :
else
	git --no-pager diff --no-index --no-prefix -M a b || :
fi
