#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# starters.sh [--check | --to DIR N [EXERCISE]]: cuts the starter files of every lab
# from its solution (see cut.awk) and puts them into labs/, with their names into
# part.json.
# A file that was edited there since is not overwritten: it may be a student's.
# --check only says what is not as it would be; --to cuts lab N's into DIR, or the
# solution with no more than that exercise cut.
# Files that part.json calls "given" are not the student's: they judge his work.
set -eu
work=build/starters
check= only= to= exercise=
case ${1-} in
--check) check=yes ;;
--to) to=$2 only=$3 exercise=${4-} work=$2.cut ;; # others may do the same
esac
tab=$(printf '\t')
mkdir -p "$work"
bad=$work/bad
: > "$bad"

# before N FILE: where the stage before part N has the file, in `found'; nothing:
# nowhere.
before() {
	[ "$1" = "${layers_of-}" ] || layers_of=$1 \
	    layers=$(sh kernel/mk/stage.sh words $(($1 - 1)) '' '')
	found=
	for word in $layers; do
		case $word in
		-*) [ "$word" != "-$2" ] || found= ;;
		*) [ ! -f "$word/$2" ] || found=$word/$2 ;;
		esac
	done
}

# cut N SLUG DIR: one lab's starters.
cut() {
	: > "$work/names"
	(cd "solutions/$2" && find . -type f | sed 's|^\./||' | LC_ALL=C sort |
	    grep -vxF -e "$(jq -r '.given // [] | .[]' "../../labs/$2/part.json")") \
	    > "$work/files"
	while read -r file; do
		mkdir -p "$3/$(dirname "$file")"
		awk -v mode=strip -f kernel/mk/cut.awk "solutions/$2/$file" \
		    > "$work/plain" || return 1
		before "$1" "$file"
		was=$found
		[ -z "$was" ] ||
		    awk -v mode=strip -f kernel/mk/cut.awk "$was" > "$work/was"
		awk -v mode=cut -v lab="$1" -v only="$exercise" -v plain="$work/plain" \
		    -v before="${was:+$work/was}" -v names="$work/names" \
		    -f kernel/mk/cut.awk "solutions/$2/$file" > "$3/$file" ||
		    return 1
	done < "$work/files"
	again=$(cut_names | LC_ALL=C sort | uniq -d | head -n 1)
	if [ -n "$again" ]; then
		echo "region $again stands twice:" \
		    "$(grep "^$again " "$work/names" | sed 's/.* //' | xargs)"
		return 1
	fi
}

cut_names() {
	sed 's/ .*//' "$work/names"
}

if [ -n "$to" ]; then
	rm -rf "$to"
	mkdir -p "$to"
	cut "$only" "$(sh kernel/mk/stage.sh slug "$only")" "$to"
	exit
fi

# put FILE NEW: replaces a file of labs/, unless somebody has edited it.
put() {
	[ ! -f "$1" ] || ! cmp -s "$1" "$2" || return 0
	if [ -n "$check" ]; then
		echo "$1 is not what make starters would write" >> "$bad"
		return
	fi
	# part.json is written by hand but for the names of the files.
	if [ -f "$1" ] && [ -z "${FORCE-}" ] && [ "${1##*/}" != part.json ] &&
	    ! git show "HEAD:$1" 2> /dev/null | cmp -s - "$1" &&
	    ! cmp -s "$1" "$work/written/$1"; then
		echo "$1 was edited: kept; FORCE=1 overwrites it" >> "$bad"
		return
	fi
	mkdir -p "$(dirname "$1")" "$work/written/$(dirname "$1")"
	cp "$2" "$1"
	cp "$2" "$work/written/$1"
	echo "$1"
}

n=1
while slug=$(sh kernel/mk/stage.sh slug "$n") && [ -d "solutions/$slug" ]; do
	dir=$work/$slug
	rm -rf "$dir"
	mkdir -p "$dir"
	cut "$n" "$slug" "$dir" >> "$bad" 2>&1 || {
		cat "$bad"
		exit 1
	}
	jq --indent 2 --rawfile files "$work/files" \
	    '.files = ($files | split("\n") | map(select(. != "")))' \
	    "labs/$slug/part.json" > "$dir/part.json"
	(cd "$dir" && find . -type f | sed 's|^\./||' | LC_ALL=C sort) \
	    > "$work/new"
	while read -r file; do
		put "labs/$slug/$file" "$dir/$file"
	done < "$work/new"
	(cd "labs/$slug" && find . ! -type d | sed 's|^\./||' |
	    LC_ALL=C sort) | grep -vx README.md | LC_ALL=C comm -23 - "$work/new" |
	    sed "s|.*|labs/$slug/& belongs to no file of solutions/$slug|" \
	    >> "$bad"
	n=$((n + 1))
done
cat "$bad"
[ ! -s "$bad" ]
