#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# lab.sh LAB BASE OUT COMMAND...: builds a lab by COMMAND.  What is wrong with the
# student's files is said in one line; all that the tools said is in OUT/log.
#
# The compiler reads files that nobody has looked at: a process gets five minutes of a
# CPU, all together ten times as long on the clock, which may be a busy machine's; a
# limit of memory and of what it may write; and, where bubblewrap works, no network
# and nothing to write to but build/.
set -u
lab=$1 base=$2 out=$3
shift 3
SECONDS_MAX=${NYMPH_BUILD:-300}

wrong=$(sh kernel/mk/stage.sh check "$lab" "$base")
if [ -n "$wrong" ]; then
	echo "$wrong"
	exit 1
fi
mkdir -p "$out"

# The labs whose files are the student's.
if [ "$base" = mine ]; then
	labs=$(seq 1 "$lab")
else
	labs=$lab
fi
for n in $labs; do
	slug=$(sh kernel/mk/stage.sh slug "$n")
	# shellcheck disable=SC2046
	sh grader/lib/labcheck sources "$slug" \
	    $(jq -r '.files[]' "labs/$slug/part.json") || exit 1
done
top=$(pwd -P)
cage="bwrap --ro-bind / / --dev /dev --proc /proc --tmpfs /tmp
	--ro-bind $top $top --bind $top/build $top/build --unshare-all --die-with-parent --chdir $top"
# A path with a blank in it does not survive what follows.
case $top in
*[[:space:]]*) cage= ;;
*) $cage true > /dev/null 2>&1 || cage= ;;
esac
[ -n "$cage" ] ||
	echo "bubblewrap does not work here: the lab is built with limits alone"

# bounded COMMAND...: within the limits; all output, of at most a megabyte, in the log.
bounded() {
	# shellcheck disable=SC2086
	(
		ulimit -t "$SECONDS_MAX"
		ulimit -f 1048576
		ulimit -v 4194304
		exec timeout -k 5 "$((SECONDS_MAX * 10))" $cage "$@" 2>&1
	) | head -c 1000000 > "$out/log"
}

rm -f "$out/built"
MAKEFLAGS=${MAKEFLAGS%% --jobserver*}
export MAKEFLAGS
bounded sh -c '"$@" && touch "$0"' "$out/built" "$@"
if [ ! -e "$out/built" ]; then
	# A compiler that was stopped by a limit has no error of the student's.
	line=$(grep -v 'signal terminated program' "$out/log" | grep -E -m 1 \
	    'error: |undefined reference|multiple definition' |
	    sed "s|$top/||")
	# The compiler names the file itself, the linker one of the tree.
	path=$(echo "$line" | sed -n \
	    "s|^\(ld: \)\?\([a-z0-9_/-]*\.[chS]\):.*|\2|p")
	if [ -z "$line" ]; then
		echo "LAB=$lab does not build within $SECONDS_MAX s of a CPU and the other" \
		    "limits: an endless include or macro? See $out/log"
	elif [ -z "$path" ]; then
		echo "LAB=$lab does not build: $line"
	else
		file=$(readlink "$out/tree/$path" | sed "s|^$top/||")
		echo "LAB=$lab does not compile: ${file:-$path}:${line#*"$path":}" \
		    "(all: $out/log)"
	fi
	exit 1
fi
grep '^  ' "$out/log"

for n in $labs; do
	slug=$(sh kernel/mk/stage.sh slug "$n")
	# Of what a later lab has a copy, that copy is what is built.
	# shellcheck disable=SC2046
	sh grader/lib/labcheck objects "$slug" "$out" $(for file in \
	    $(jq -r '.files[]' "labs/$slug/part.json"); do
		case $(readlink "$out/tree/$file") in
		"$top/labs/$slug/$file") echo "$file" ;;
		esac
	done) || exit 1
done
