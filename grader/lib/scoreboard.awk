# SPDX-License-Identifier: BSD-2-Clause
#
# Reads event streams of bats, each of some of the tests; prints what failed and why,
# a table of the groups, and the sum.  A test that belongs to an exercise ("1.3") is counted there.
# Wants: planned, the number of tests that must come; file, the .bats files with
# the headings of the groups; colour, 0 or 1.

BEGIN {
	files = split(file, name, " ")
	for (i = 1; i <= files; i++)
	while ((getline line < name[i]) > 0)
		if (line ~ /^#: /) {
			split(line, word, " ")
			heading[word[2]] = substr(line, length(word[2]) + 5)
		}
	if (colour) {
		red = "\033[31m"; green = "\033[32m"; plain = "\033[0m"
	}
}

# What came last was a failed test: has its exercise been begun?
function settle(	text)
{
	if (!idle)
		return 0
	if ($0 ~ /^# \(/ || $0 ~ /^#  (in|from) / || $0 ~ /^#   `/)
		return 1	# bats' own trace of the failing line
	idle = 0
	text = $0
	if (text ~ /^# not attempted: /) {
		unbegun[at]++
		return 1
	}
	printf "%s", told
	return 0
}

function take(status,	num, title, points, name, group) {
	num = $(status == "ok" ? 2 : 3)
	title = $0
	sub(/^(not )?ok [0-9]+ /, "", title)
	if (num in seen || num < 1 || num > count || title !~ /^\[[0-9]+\] /) {
		forged++
		return
	}
	seen[num] = 1
	points = substr(title, 2, index(title, "]") - 2) + 0
	name = substr(title, index(title, "]") + 2)
	sub(/ # .*/, "", name)
	group = substr(name, 1, index(name, ":") - 1)
	if (!sub(/ .*/, "", group))
		sub(/_.*/, "", group)
	if (!(group in total))
		order[++groups] = group
	total[group]++
	max[group] += points
	if (status == "ok" && title !~ / # skip/) {
		good[group]++
		score[group] += points
		passed++
	} else {
		failed++
		idle = 1
		told = sprintf("%sFAILED%s [%d] %s\n", red, plain, points, name)
		at = group
	}
}

FNR == 1	{ count = 0; delete seen }
settle()	{ next }
/^1\.\.[0-9]+$/	{ count = substr($0, 4) + 0; next }
/^ok [0-9]+ /	{ take("ok"); next }
/^not ok [0-9]+ /	{ take("not ok"); next }
/^#/		{ sub(/^# ?/, ""); print "    " $0; next }
/^(suite|begin) /	{ next }
{ print }

END {
	$0 = ""
	settle()
	if (failed)
		print ""
	printf "%-11s %-42s %9s %9s\n", "group", "", "tests", "points"
	for (i = 1; i <= groups; i++) {
		g = order[i]
		c = good[g] == total[g] ? green : red
		printf "%-11s %-42.42s %s%4d /%4d%s %4d /%4d%s\n", g, heading[g], \
		    c, good[g], total[g], plain, score[g], max[g], \
		    unbegun[g] == total[g] ? "  not attempted" : ""
		if (tally != "" && g ~ /^[0-9]/)
			print g, score[g] + 0, max[g], unbegun[g] < total[g] > tally
		all += total[g]; points += score[g]; most += max[g]
	}
	printf "%-11s %-42s %4d /%4d %4d /%4d\n\n", "all", "", passed, all, \
	    points, most
	missing = planned - passed - failed
	if (missing > 0) {
		printf "%d planned tests did not run\n", missing
		failed += missing
	}
	if (forged > 0) {
		printf "%d results that belong to no test were refused\n", forged
		failed += forged
	}
	printf "%d passed, %d failed\n", passed, failed
	exit failed > 0 || planned == 0
}
