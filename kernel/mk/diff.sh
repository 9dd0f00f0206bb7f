#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# diff.sh PART LAB BASE: shows part PART as its commit, or what a student's lab
# changes of the stage before it.  The marks of exercises are left out.
set -eu
part=$1 lab=$2 base=$3
n=${lab:-$part}
if [ -z "$n" ] || [ "$n" = 0 ]; then
	echo "make diff shows what a part changes: say PART=n or LAB=n, from 1 to" \
	    "$(sh kernel/mk/stage.sh parts)"
	exit 1
fi
work=build/diff
rm -rf "$work"

# lay DIR WORD...: a stage as plain files without marks.
lay() {
	dir=$work/$1
	shift
	sh kernel/mk/compose.sh "$work/stage" "$*"
	(cd "$work/stage/tree" && find . -type l | sed 's|^\./||') |
	    while read -r file; do
		mkdir -p "$dir/kernel/$(dirname "$file")"
		awk -v mode=strip -f kernel/mk/cut.awk \
		    "$work/stage/tree/$file" > "$dir/kernel/$file"
	done
}

# The stage before, taken from where this one takes it.
before=$(sh kernel/mk/stage.sh words "$part" "$lab" "$base" |
    sed "/\/$(sh kernel/mk/stage.sh slug "$n")\$/,\$d")
# shellcheck disable=SC2046,SC2086
lay a $before
# shellcheck disable=SC2046
lay b $(sh kernel/mk/stage.sh words "$part" "$lab" "$base")
rm -rf "$work/stage"
cd "$work"
if [ -t 1 ]; then
	git --no-pager diff --no-index --no-prefix -M --color=auto a b || :
else
	git --no-pager diff --no-index --no-prefix -M a b || :
fi
