# SPDX-License-Identifier: BSD-2-Clause
# The rows of all boots of a kernel as one document: $kernel, $commands that made
# it, and $pv, the bytes of a reverse-map entry.

def rounded: if . >= 100 then round else . * 10 | round / 10 end;

# A number for one operation.
def each($row): . / $row.operations | rounded;

# Where CPUs wait for the disk the clock runs on: there the plugin has counted what
# they executed, and the clock says how long it took, in instructions' time.
def waits_for_disk: .boot == "page";

def finished:
	. as $row | (.counters // {}) as $c |
	(if waits_for_disk then .busy else .instructions end) as $busy |
	{row, what, per, boot, cpus, operations, instructions: $busy, idle,
	 mean: ($busy | each($row)), min, p50, max,
	 filled: (.filled | each($row)),
	 rest: ($busy - .filled | each($row)),
	 elapsed: (if waits_for_disk then .instructions | each($row)
		else null end),
	 tokens: (($c.v_tok_shared // 0) + ($c.v_tok_excl // 0) | each($row)),
	 locked: (.locked | each($row)),
	 ipis: (($c.v_ipi // 0) | each($row)),
	 pv_bytes: (($c.v_pv_alloc // 0) * $pv | each($row)),
	 waits: (($c.v_tok_wait // 0) | each($row)),
	 retries: (($c.v_fault_retry // 0) | each($row)),
	 chain_locks: (($c.v_chainlk // 0) | each($row)),
	 allocated: (($c.v_pgalloc // 0) | each($row)),
	 halts, counters: $c};

# What a touched page adds to a fork.
def marginal:
	(map({key: .row, value: .}) | from_entries) as $r |
	if $r.fork and $r.fork_256 then
		[{row: "fork_page", what: "fork, marginal per touched page",
		  per: "page", boot: "usual", cpus: 1} +
		 ([$r.fork_256, $r.fork] | ["mean", "p50", "filled", "rest",
			"tokens", "locked", "ipis", "pv_bytes"] as $keys |
			. as $two | $keys | map({key: ., value:
				(($two[0][.] - $two[1][.]) / 256 | rounded)}) |
			from_entries)]
	else [] end;

add | map(finished) | . + marginal | {
	kernel: $kernel,
	commands: ($commands | split("\n") | map(select(. != ""))),
	rows: .
}
