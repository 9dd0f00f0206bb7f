# SPDX-License-Identifier: BSD-2-Clause
# Which tests are planned: their titles in the .bats files are the only list.

# plan_titles FILE: "POINTS NAME SENTENCE" for every test that TEST= selects: a
# name, the beginning of names up to a "_", or several with commas between them.
plan_titles() {
	sed -n 's/^@test "\[\([0-9]*\)\] \([A-Za-z0-9_]*\): \(.*\)" {.*/\1 \2 \3/p' \
		"$1" | awk -v only="${TEST:-}" -v seed="${SEED:-}" '
		BEGIN { n = split(only, want, ",") }
		{
			take = n == 0
			for (i = 1; i <= n; i++)
				if ($2 == want[i] || index($2, want[i] "_") == 1)
					take = 1
			# one seed is one test, the first of its kind
			if (take && (seed == "" || taken++ == 0))
				print
		}'
}

# plan_names FILE: only the names.
plan_names() {
	plan_titles "$1" | cut -d' ' -f2
}

# run_name NAME: what init is to run for it: with SEED=, just that seed.
run_name() {
	if [[ -n ${SEED:-} && $1 == torture_* ]]; then
		echo "torture_seed_$SEED"
	else
		echo "$1"
	fi
}
