#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# cc.sh STORE TREE OBJECT SOURCE CC FLAG...: compiles SOURCE to OBJECT, or takes
# the object that the same text gave before.
#
# What an object depends on is the preprocessed text (with every header in it,
# and the line markers, from which the debugger's tables are made) and the
# command line.  Where the folders of the stage, and of all this, are named in
# them does not matter: the flags map them away.  Objects are kept in STORE by
# the hash of that, so what a stage shares with another is compiled once.
set -eu
store=$1 tree=$2 object=$3 source=$4
shift 4

"$@" -MMD -MP -MF "${object%.o}.d" -MT "$object" -E -o "$object.i" "$source"
key=$(echo "$*" |
	sed "s|$tree/||g; s|$tree\([ =]\)|\1|g; s|=$PWD=|==|g" - "$object.i" |
	sha256sum)
kept=$store/${key%% *}.o
# What may have another name in the store must not be written to.
rm -f "$object.i" "$object"
# A copy, so that it is younger than its source.
[ ! -f "$kept" ] || exec cp "$kept" "$object"
"$@" -c -o "$object" "$source"
[ -d "$store" ] || mkdir -p "$store"
ln -f "$object" "$kept"
