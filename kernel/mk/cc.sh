#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# cc.sh STORE TREE OBJECT SOURCE CC FLAG...: compiles SOURCE to OBJECT, or takes
# the object that the same text gave before.
#
# What an object depends on is the preprocessed text (with every header in it,
# and the line markers, from which the debugger's tables are made) and the
# command line, but for its -D: these have done their work by then.  Where the
# folders of the stage, and of all this, are named in them does not matter: the
# flags map them away.  Objects are kept in STORE by the hash of that, so what a
# stage shares with another is compiled once.  Without -Werror the same objects are
# used, but none is kept: it may be one with warnings.
set -eu
store=$1 tree=$2 object=$3 source=$4
shift 4

# Others may take the object and its dependencies at any time: both come whole.
"$@" -MMD -MP -MF "$object.d" -MT "$object" -E -o "$object.i" "$source"
key=$(echo "$*" |
	sed "1s/ -Werror / /; 1s| -D[^ ]*||g; s|$tree/||g; s|$tree\([ =]\)|\1|g; s|=$PWD=|==|g" - "$object.i" |
	sha256sum)
kept=$store/${key%% *}.o
if [ -f "$kept" ]; then
	# A copy, so that it is younger than its source.
	cp "$kept" "$object.new"
else
	"$@" -c -o "$object.new" "$source"
	[ -d "$store" ] || mkdir -p "$store"
	case $* in *' -Werror '*) ln -f "$object.new" "$kept" ;; esac
fi
rm -f "$object.i"
mv "$object.d" "${object%.o}.d"
mv "$object.new" "$object"
