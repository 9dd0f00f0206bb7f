#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# Part 1, "Remove shadow_list".  A test belongs to the exercise before its name.

load lib/stage

#: 1.1 Predict
@test "[1] 1.1 answers_predict_1: the process alone" { predicted; }
@test "[1] 1.1 answers_predict_2: it forked; the child wrote nothing" { predicted; }
@test "[1] 1.1 answers_predict_3: it forked; the child wrote a page" { predicted; }
@test "[1] 1.1 answers_predict_4: as 3, and the parent wrote the same page" { predicted; }
@test "[1] 1.1 answers_predict_5: as 4, and the child ended" { predicted; }
@test "[1] 1.1 answers_predict_6: the child ended; then the parent wrote" { predicted; }
@test "[1] 1.1 answers_predict_7: two children live and wrote a page each" { predicted; }
@test "[1] 1.1 answers_predict_8: a line of three, each wrote" { predicted; }
@test "[1] 1.1 answers_predict_9: as 8, and the one in the middle ended" { predicted; }
@test "[1] 1.1 answers_predict_10: the child wrote a page; then the parent ended" { predicted; }

predicted() {
	local name

	test_name
	answers_expect answers.txt "$TOP/grader/expect/${name#answers_}"
}

#: 1.2 Provoke
@test "[5] 1.2 answers_upward: when the walk upward gives up" {
	answers_expect answers.txt "$TOP"/grader/expect/upward_smp_*
}

#: 1.3 Remove the list and the count
@test "[4] 1.3 struct_members: an object does not know its shadows" {
	lacks_member vm_object shadow_head shadow_list shadow_count
}
@test "[2] 1.3 struct_symbols: nothing walks upward" {
	lacks_symbol collapse_upward only_shadow_left
}
@test "[2] 1.3 boot_power_off: every boot ended by an orderly power-off" { attempted && boots_powered_off; }
@test "[1] 1.3 boot_quiet: no boot said panic, trap or assertion on its console" { attempted && boots_were_quiet; }
@test "[2] 1.3 boot_check: vm_check finds nothing wrong after the last test" { attempted && boots_left_order; }
@test "[3] 1.3 scenario_A: the parent rewrites all, the child exits: 1/2000" { check; }
@test "[3] 1.3 scenario_B: the same with 100 pages: 1/1100" { check; }
@test "[2] 1.3 scenario_C: the child exits first: 0/1000 without a copy" { check; }
@test "[3] 1.3 scenario_D: a line of daemons: 1/1100" { check; }
@test "[2] 1.3 scenario_E: ancestors stay alive: 12/2200 in the end" { check; }
@test "[2] 1.3 chain_fork_and_write: the other's object stays when it has gone" { check; }
@test "[2] 1.3 chain_bypass: an object wholly covered is still bypassed" { check; }
@test "[1] 1.3 chain_split_at_fork: a fork still gives each clipped entry its own" { check; }
@test "[1] 1.3 chain_partial_unmap: unmapping part of an object still frees pages" { check; }
@test "[2] 1.3 links_upward: ends of processes walk upward no more" { check; }
@test "[3] 1.3 links_tokens: an end takes fewer exclusive tokens" { check; }
@test "[2] 1.3 links_forks: a thousand forks lose nothing" { check; }
@test "[1] 1.3 cow_depth_12: a write 12 objects down leaves the others alone" { check; }
@test "[1] 1.3 cow_hundred: a hundred forks leave the chain as it was" { check; }
@test "[1] 1.3 cow_middle_exits: the middle generation goes, the others keep theirs" { check; }
@test "[1] 1.3 map_comb: every second page goes, every fourth comes back zero" { check; }
@test "[1] 1.3 thread_same_cow: four threads copy the same shared pages" { check; }
@test "[1] 1.3 thread_fork: every thread forks and waits" { check; }
@test "[2] 1.3 swap_fork_write: what is read back to be written is not the child's loss" { check; }
@test "[2] 1.3 torture_group_1: seeds 1 to 10 end as on Linux" { check; }

#: 1.4 Measure the loss
@test "[2] 1.4 answers_A: the parent rewrites all, the child exits" { scenario_answer A 1000; }
@test "[2] 1.4 answers_B: the same with 100 pages" { scenario_answer B 1000; }
@test "[1] 1.4 answers_C: the child exits first" { scenario_answer C 1000; }
@test "[2] 1.4 answers_D: a line of daemons" { scenario_answer D 1000; }
@test "[1] 1.4 answers_E: ancestors stay alive" { scenario_answer E 2200; }
@test "[2] 1.4 answers_copies: copies after the child's end" {
	answers_expect answers.txt "$NYMPH_OUT/expect/links_copies"
}
@test "[1] 1.4 links_copies: the kernel makes as many" { check; }

# scenario_answer NAME VISIBLE: depth and pages are what the scenario must print in
# its last line; what living processes can see of it is VISIBLE pages.
scenario_answer() {
	local last depth pages

	last=$(tail -n 1 "$NYMPH_OUT/expect/scenario_$1")
	last=${last##* }
	depth=${last%/*} pages=${last#*/}
	answered answers.txt "$1.depth = $depth" "$1.resident = $pages" \
		"$1.hidden = $((pages - $2))"
}

#: 1.5 The safe repair
@test "[5] 1.5 links_unmap: fork, wait, write a page, unmap half: half is free" { check; }
@test "[2] 1.5 links_unmap_again: again and again" { check; }
@test "[2] 1.5 links_unmap_shared: while the child lives nothing of its is freed" { check; }
@test "[2] 1.5 links_unmap_child: nor by the child what the parent sees" { check; }
@test "[3] 1.5 links_unmap_deep: nor from an object deep in the chain" { check; }
