#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# lab.sh LAB BASE OUT COMMAND...: builds a lab by COMMAND.  What is wrong with the
# student's files is said in one line; all that the tools said is in OUT/log.
set -u
lab=$1 base=$2 out=$3
shift 3

wrong=$(sh kernel/mk/stage.sh check "$lab" "$base")
if [ -n "$wrong" ]; then
	echo "$wrong"
	exit 1
fi
mkdir -p "$out"
if "$@" > "$out/log" 2>&1; then
	grep '^  ' "$out/log"
	exit 0
fi
line=$(grep -E -m 1 'error: |undefined reference|multiple definition' "$out/log")
path=$(echo "$line" | sed -n "s|^\(ld: \)\?\($out/tree/\)\?\([a-z0-9_/]*\.[chS]\):.*|\3|p")
if [ -z "$path" ]; then
	echo "LAB=$lab does not build: ${line:-see $out/log}"
	exit 1
fi
file=$(readlink "$out/tree/$path" | sed "s|^$(pwd -P)/||")
echo "LAB=$lab does not compile: ${file:-$path}:${line#*"$path":} (all: $out/log)"
exit 1
