#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# Part 2, "Replace backing_object with backing_ba".  A test belongs to the exercise
# before its name.

load lib/stage

#: 2.1 The chain in the entry
@test "[2] 2.1 struct_members: an object knows no other object" {
	lacks_member vm_object backing_object backing_object_offset chainlk
}
@test "[3] 2.1 struct_entry: an entry has a head, and no object beside it" {
	has_member vm_map_entry ba && lacks_member vm_map_entry object offset &&
		has_member vm_map_backing backing_ba object offset refs flags
}
@test "[2] 2.1 struct_symbols: nobody locks, collapses or splits a chain" {
	lacks_symbol vm_object_chain_acquire vm_object_chain_release \
		vm_object_chain_release_all vm_object_chain_wait \
		vm_object_shadow vm_object_collapse vm_object_qcollapse vm_map_split
}
@test "[2] 2.1 chain_file: written pages lie above the file's object" { check; }
@test "[1] 2.1 chain_other_process: one process reads another's map" { check; }
@test "[2] 2.1 backing_mincore: what is in memory at any level is seen" { check; }
@test "[2] 2.1 backing_file: a file at the tail, read and given back" { check; }

#: 2.2 Shadow, fork, clip, join, dispose
@test "[3] 2.2 scenario_A: the parent rewrites all, the child exits: 12/13000" { check; }
@test "[3] 2.2 scenario_B: the same with 100 pages: 12/2200" { check; }
@test "[2] 2.2 scenario_C: the child exits first: 0/1000 without a copy" { check; }
@test "[3] 2.2 scenario_D: a line of daemons: 12/2200" { check; }
@test "[2] 2.2 scenario_E: ancestors stay alive: 12/2200" { check; }
@test "[2] 2.2 chain_fork_and_write: a fork adds a reference, a write an object" { check; }
@test "[2] 2.2 chain_bypass: what is hidden stays until its users end" { check; }
@test "[2] 2.2 chain_split_at_fork: pieces of an object stay pieces of it" { check; }
@test "[3] 2.2 backing_share_tail: siblings point at one node" { check; }
@test "[3] 2.2 backing_offsets: a clip moves the head's offset" { check; }
@test "[2] 2.2 backing_pieces: pieces of pieces, forked and written" { check; }
@test "[2] 2.2 backing_join: pieces of one chain become one entry" { check; }
@test "[1] 2.2 backing_join_lowest: so does the lowest one" { check; }
@test "[3] 2.2 backing_wired_fork: locked memory is copied from the right place" { check; }
@test "[3] 2.2 backing_tree: a tree of processes leaves nothing behind" { check; }
@test "[1] 2.2 backing_unmap_forked: what a child unmaps is still the parent's" { check; }
@test "[2] 2.2 backing_discard: MADV_DONTNEED of a chain is one process's own" { check; }
@test "[2] 2.2 links_unmap: fork, wait, write a page, unmap half: half is free" { check; }
@test "[1] 2.2 links_unmap_shared: while the child lives nothing of its is freed" { check; }
@test "[2] 2.2 links_unmap_deep: nor from an object deep in the chain" { check; }
@test "[2] 2.2 links_forks: a thousand forks lose nothing" { check; }

#: 2.3 The walk
@test "[2] 2.3 boot_power_off: every boot ended by an orderly power-off" { attempted && boots_powered_off; }
@test "[1] 2.3 boot_quiet: no boot said panic, trap or assertion on its console" { attempted && boots_were_quiet; }
@test "[2] 2.3 boot_check: vm_check finds nothing wrong after the last test" { attempted && boots_left_order; }
@test "[2] 2.3 cow_depth_1: a write 1 object down leaves the parent's page alone" { check; }
@test "[2] 2.3 cow_depth_12: a write 12 objects down leaves the others alone" { check; }
@test "[1] 2.3 cow_zero_page: an untouched page is zero for both, then private" { check; }
@test "[2] 2.3 vpt_private: a private virtual page table is copied on write" { check; }
@test "[4] 2.3 pagein_error_below: an error at any level leaves nothing behind" { check; }
@test "[2] 2.3 swap_read_error: a page that cannot be read: SIGBUS, until it can" { check; }
@test "[2] 2.3 torture_group_1: seeds 1 to 10 end as on Linux" { check; }
@test "[2] 2.3 swap_fork_chain: generations of processes on swap" { check; }

#: 2.4 The map over the page-in
@test "[3] 2.4 struct_timestamp: nobody asks whether a map has changed" {
	lacks_member vm_map timestamp && lacks_member faultstate map_generation &&
		lacks_symbol vm_fault_relock_map vm_map_lock_read_to
}
@test "[5] 2.4 pagein_map_kept: a slow page-in keeps the map, and no fault" { check; }
@test "[2] 2.4 pagein_replaced: what was replaced meanwhile is not seen again" { check; }
@test "[2] 2.4 pagein_forked: a fork meanwhile copies what was there" { check; }
@test "[1] 2.4 pagein_same_page: four threads fault the page that is being read" { check; }
@test "[2] 2.4 backing_smp_fork: threads that fault, map and fork do not stop each other" { check; }

#: 2.5 Empty levels on swap
@test "[8] 2.5 pagein_swap_levels: a level without the page costs no page" { check; }

#: 2.6 The cost
@test "[6] 2.6 backing_tokens: 1 + [L > 0] + d tokens a pass" { check; }
@test "[2] 2.6 backing_chain_locks: no atomics on chain locks" { check; }
@test "[4] 2.6 backing_retries: a copy takes one pass" { check; }
@test "[2] 2.6 answers_tokens: tokens of a pass, predicted" {
	answers_expect answers.txt "$TOP/grader/expect/02/answers_tokens"
}

# has_member STRUCT MEMBER...: the kernel's structure has all of these members.
has_member() {
	local members name bad=0

	written || return
	members=$(gdb -q -nx -batch -ex "ptype struct $1" \
		"${NYMPH_ISO%/*}/kernel.elf" 2>&1)
	for name in "${@:2}"; do
		grep -qE "[ *]$name(\[.*\])?;" <<< "$members" && continue
		echo "struct $1 has no $name"
		bad=1
	done
	return "$bad"
}
