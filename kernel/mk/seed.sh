#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# seed.sh OUT BUILDS FLAGS: gives a folder that is new the objects that a stage in
# BUILDS has of the same files, compiled by the same command.
#
# The same files: source and headers have come from the same places into both
# stages.  The objects keep their times, so that make sees what was edited since.
set -eu
export LC_ALL=C
out=$1 builds=$2 flags=$3
tab=$(printf '\t')
[ ! -e "$out/flags" ] || exit 0

want=$(echo "$flags" | sed "s|$out/tree|@|g")
from= most=0
for name in "$builds"/*/flags; do
	other=${name%/flags}
	[ -f "$other/kernel.elf" ] &&
	    [ "$(sed "s|$other/tree|@|g" "$name")" = "$want" ] || continue
	n=$(comm -12 "$other/tree.have" "$out/tree.have" | wc -l)
	[ "$n" -le "$most" ] || from=$other most=$n
done
[ -n "$from" ] || exit 0

cp -al "$from/obj" "$from/flags" "$out"
echo "$flags" > "$out/flags.new"
touch -r "$from/flags" "$out/flags.new"
mv "$out/flags.new" "$out/flags"
# Written in place they would change in the other folder, too; sed makes new ones.
find "$out/obj" -name '*.d' -exec sed -i "s|$from/|$out/|g" {} +
comm -3 "$from/tree.have" "$out/tree.have" |
    sed "s|^$tab||; s|$tab.*||; s|^|$out/tree/|" > "$out/seed.not"
grep -rlF --include='*.d' -f "$out/seed.not" "$out/obj" |
    sed 's|\(.*\)\.d$|\1.d \1.o|' | xargs -r rm -f
