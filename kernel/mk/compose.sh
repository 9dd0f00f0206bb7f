#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# compose.sh OUT "WORD..."
#
# Materialises a stage as the folder OUT/tree: one symlink for each source
# file.  A word is a layer, a folder whose files take the place of earlier ones
# at the same path, or -PATH, a file that is gone from here on.  Only what
# differs from the last time is touched, and the object made from a path whose
# file came from elsewhere before is thrown away, since its time stamp says
# nothing any more.
set -eu

out=$1
words=$2
tree=$out/tree
mkdir -p "$tree"

have=$out/tree.have
now=$out/tree.now
tab=$(printf '\t')

for word in $words; do
	case $word in
	-*)
		echo "$word"
		continue
		;;
	esac
	if [ ! -d "$word" ]; then
		echo "compose: no such layer: $word" >&2
		exit 1
	fi
	root=$(cd "$word" && pwd -P)
	for dir in boot amd64 pmap vm kern fs dev san; do
		[ -d "$root/$dir" ] || continue
		find "$root/$dir" -type f -name '*.[chS]' -o \
		    -type f -name '*.ld' -o -type f -name '*.cfg'
	done | sed "s|^$root/\(.*\)|\1$tab$root/\1|"
done | awk -F"$tab" '
	/^-/ { delete at[substr($0, 2)]; next }
	{ at[$1] = $2 }
	END { for (p in at) printf "%s\t%s\n", p, at[p] }
' | LC_ALL=C sort > "$now"

if [ -f "$have" ] && cmp -s "$now" "$have"; then
	rm -f "$now"
	exit 0
fi
[ -f "$have" ] || : > "$have"

# Lines only in the old list go, lines only in the new one come.
LC_ALL=C comm -23 "$have" "$now" | while IFS=$tab read -r path file; do
	rm -f "$tree/$path" "$out/obj/${path%.[cS]}.o" "$out/obj/${path%.[cS]}.d"
done
LC_ALL=C comm -13 "$have" "$now" | while IFS=$tab read -r path file; do
	mkdir -p "$tree/${path%/*}"
	ln -sfn "$file" "$tree/$path"
	rm -f "$out/obj/${path%.[cS]}.o"
done
mv "$now" "$have"
