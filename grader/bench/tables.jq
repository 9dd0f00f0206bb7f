# SPDX-License-Identifier: BSD-2-Clause
# The tables of the yardstick as text, 80 columns: from an array of documents, the
# kernels in order, and $linux, null or another one's array.

def left($n): tostring | if length < $n then . + " " * ($n - length) else . end;
def right($n): tostring | if length < $n then " " * ($n - length) + . else . end;

# A row's name; how many CPUs where that differs.
def name: .row + (if .boot == "storm" then "/\(.cpus)" else "" end);
def by_name: map({key: name, value: .}) | from_entries;

def shown: if . == null then "-" else . end;
def percent($a; $b): if ($a // 0) > 0 and $b != null then
	($b - $a) / $a * 100 | round | (if . > 0 then "+" else "" end) + "\(.)%"
	else "-" end;
def ratio($a; $b): if ($a // 0) > 0 and ($b // 0) > 0 then
	$a / $b * 100 | round / 100 else "-" end;

# The kernels, at most four beside each other, with the rows' numbers of one kind.
def beside($docs; $other; $key; $rows):
	range(0; $docs | length; 4) as $from |
	($docs[$from:$from + 4]) as $some |
	($from + 4 >= ($docs | length)) as $last |
	"", (("operation" | left(16)) +
		([$some[].kernel | right(9)] | add) +
		(if $last and ($docs | length) > 1
			then "change" | right(8) else "" end) +
		(if $last and $other != null
			then ("Linux" | right(9)) + ("ratio" | right(7))
			else "" end)),
	($rows[] as $row |
		[$some[].rows | by_name | .[$row][$key]] as $values |
		($docs[0].rows | by_name | .[$row][$key]) as $first |
		(($other // {rows: []}).rows | by_name | .[$row][$key]) as $theirs |
		($row | left(16)) + ([$values[] | shown | right(9)] | add) +
		(if $last and ($docs | length) > 1
			then percent($first; $values[-1]) | right(8) else "" end) +
		(if $last and $other != null
			then ($theirs | shown | right(9)) +
				(ratio($values[-1]; $theirs) | right(7))
			else "" end));

def details:
	"", .kernel + ":", "",
	([("operation" | left(16)), ("instr" | right(10)), ("p50" | right(9)),
	  ("fill" | right(7)), ("rest" | right(10)), ("tokens" | right(7)),
	  ("locked" | right(7)), ("IPIs" | right(6)), ("pv B" | right(7))] | add),
	(.rows[] | [(name | left(16)), (.mean | right(10)),
		(.p50 | shown | right(9)), (.filled | right(7)),
		(.rest | right(10)), (.tokens | right(7)), (.locked | right(7)),
		(.ipis | right(6)), (.pv_bytes | right(7))] | add);

# What four CPUs do to each other.
def contention($docs):
	[["mean", "instructions"], ["locked", "locked"], ["tokens", "tokens"],
	 ["waits", "token waits"], ["retries", "retries"],
	 ["chain_locks", "chain locks"], ["allocated", "pages alloc"],
	 ["elapsed", "time"]] as $kinds |
	range(0; $docs | length; 4) as $from |
	($docs[$from:$from + 4]) as $some |
	([$docs[].rows | by_name]) as $all |
	($from + 4 >= ($docs | length)) as $last |
	("", ("operation" | left(16)) + ("what" | left(14)) +
		([$some[].kernel | right(9)] | add) +
		(if $last then "change" | right(8) else "" end)),
	($docs[0].rows[] | select(.cpus == 4) | name as $row | $kinds[] as $kind |
		[$all[][$row][$kind[0]]] as $values |
		select(any($values[]; . != null and . != 0)) |
		($row | left(16)) + ($kind[1] | left(14)) +
		([$values[$from:$from + 4][] | shown | right(9)] | add) +
		(if $last then percent($values[0]; $values[-1]) | right(8)
			else "" end));

. as $docs | ($linux[0]) as $other |
([$docs[0].rows[] | name]) as $rows |
if ($docs | length) > 1 then
	"Busy instructions for one operation, stage by stage:",
	beside($docs; $other; "mean"; $rows),
	"", "Locked instructions for one operation:",
	beside($docs; $other; "locked"; $rows),
	"", "Tokens taken for one operation:",
	beside($docs; null; "tokens"; $rows),
	"", "Four CPUs at once, for one operation: what is taken, what is waited for or",
	"begun again, and for pages on swap the time it takes, in instructions'",
	"(a transfer of the disk's takes 10 ms, 156,250 of them):",
	contention($docs)
elif $other != null then
	"Busy instructions for one operation, beside Debian's Linux in the same",
	"machine, the same program; and without zeroing and copying pages:",
	beside($docs; $other; "mean"; $rows),
	beside($docs; $other; "rest"; $rows)
else empty end,
"", "What stands behind them: p50, the median of single operations; fill, zeroing",
"and copying pages; rest, without. Then tokens taken, locked instructions,",
"interrupts sent to other CPUs, and bytes of reverse-map entries made.",
($docs[] | details),
"",
($docs[0].rows | reduce .[] as $r ({}; .[$r.row] //= $r) | .[] |
	(.row | left(16)) + " " + .what)
