#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# changes.sh N: the functions, types and macros that part N changes of the stage
# before it, as the value of "changes" in its part.json.
# changes.sh --write N: puts that there; for one who has looked at it.
# changes.sh --check: says where a part's list and its files disagree.
set -eu
work=build/changes
tab=$(printf '\t')

list() {
	before=$(sh kernel/mk/stage.sh words $(($1 - 1)) '' '')
	words=$(sh kernel/mk/stage.sh words "$1" '' '')
	# shellcheck disable=SC2086
	sh kernel/mk/compose.sh $work/a "$(echo $before)"
	# shellcheck disable=SC2086
	sh kernel/mk/compose.sh $work/b "$(echo $words)"
	cat $work/a/tree.have $work/b/tree.have | LC_ALL=C sort | uniq -u |
	    cut -f1 | grep '\.[ch]$' | uniq | while read -r file; do
		for side in a b; do
			: > $work/$side.c
			[ ! -f "$work/$side/tree/$file" ] ||
			    awk -v mode=strip -f kernel/mk/cut.awk \
			    "$work/$side/tree/$file" > $work/$side.c
			# An empty file would not count as one.
			echo >> $work/$side.c
		done
		awk -f kernel/mk/changes.awk $work/a.c $work/b.c |
		    LC_ALL=C sort | sed "s|^|$file$tab|"
	done | jq -R -n '[inputs / "\t"] | group_by(.[0]) |
	    map({(.[0][0]): map(.[1])}) | add // {}'
}

mkdir -p $work
if [ "$1" = --write ]; then
	json=labs/$(sh kernel/mk/stage.sh slug "$2")/part.json
	list "$2" > $work/now
	jq --indent 2 --slurpfile now $work/now '.changes = $now[0]' "$json" \
	    > $work/json
	cp $work/json "$json"
	exit
fi
if [ "$1" != --check ]; then
	list "$1"
	exit
fi
n=1 bad=0
while [ "$n" -le "$(sh kernel/mk/stage.sh parts)" ]; do
	slug=$(sh kernel/mk/stage.sh slug "$n")
	list "$n" | jq -S . > $work/now
	jq -S '.changes // {}' "labs/$slug/part.json" > $work/said
	if ! diff $work/said $work/now > $work/diff; then
		echo "labs/$slug/part.json: \"changes\" is not what changes;" \
		    "see sh kernel/mk/changes.sh [--write] $n:"
		grep '^[<>]' $work/diff
		bad=1
	fi
	n=$((n + 1))
done
exit $bad
