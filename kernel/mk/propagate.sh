#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# propagate.sh: carries a fix of an early stage into the later copies of the file.
# propagate.sh --check: only says which copies wait for one.
#
# A copy in solutions/ was made from the file as the stage before it had it then.
# That text is found by its git blob, which solutions/bases records for each copy:
#
#	01-one-way-links/vm/vm_object.h BLOB
#
# If the stage before has another text by now, the difference is merged into the
# copy (git merge-file), and the new base recorded.  Where both changed the same
# lines the copy is left with both versions between <<<<<<< and >>>>>>>, and has to
# be put right by hand.  A copy without a record gets one.  Marks of exercises stay
# out of it: they belong to their own stage.
set -eu
bases=solutions/bases
work=build/propagate
rm -rf "$work"
mkdir -p "$work"
[ -f "$bases" ] || : > "$bases"
: > "$work/bases"
parts=$(sh kernel/mk/stage.sh parts)
merged=0 conflicts=0
check=${1-}

# strip FILE: its text without marks.
strip() {
	awk -v mode=strip -f kernel/mk/cut.awk "$1"
}

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

# one N COPY FILE: brings one copy up to date.
one() {
	before "$1" "$3"
	was=$found
	[ -n "$was" ] || return 0
	strip "$was" > "$work/now"
	blob=$(git hash-object -w "$was")
	known=$(sed -n "s|^$2 ||p" "$bases")
	if [ -n "$check" ]; then
		[ "$known" = "$blob" ] || {
			echo "solutions/$2: $was has changed since: make propagate"
			conflicts=$((conflicts + 1))
		}
		return 0
	fi
	if [ -n "$known" ] && [ "$known" != "$blob" ]; then
		if ! git cat-file blob "$known" > "$work/marked" 2> /dev/null
		then
			echo "solutions/$2: its base $known is not in this clone;" \
			    "compare it with $was by hand, then take its line" \
			    "out of $bases"
			conflicts=$((conflicts + 1))
			blob=$known
		elif strip "$work/marked" > "$work/base" &&
		    git merge-file -q -L "$2" -L base -L "$was" \
			"solutions/$2" "$work/base" "$work/now"; then
			echo "solutions/$2: merged what changed in $was"
			merged=$((merged + 1))
		else
			echo "solutions/$2: CONFLICT with what changed in $was"
			conflicts=$((conflicts + 1))
		fi
	fi
	echo "$2 $blob" >> "$work/bases"
}

n=1
while [ "$n" -le "$parts" ]; do
	slug=$(sh kernel/mk/stage.sh slug "$n")
	(cd solutions && find "$slug" -type f) | LC_ALL=C sort > "$work/list"
	while read -r copy; do
		one "$n" "$copy" "${copy#"$slug"/}"
	done < "$work/list"
	n=$((n + 1))
done
if [ -n "$check" ]; then
	[ "$conflicts" = 0 ]
	exit
fi
LC_ALL=C sort "$work/bases" > "$bases"
echo "$merged merged, $conflicts to be put right by hand"
[ "$conflicts" = 0 ]
