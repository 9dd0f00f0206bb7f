#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# Stage 0, the kernel before the rework: what only it shows, besides what every
# stage must pass (base.bats).

load lib/stage

#: chain Object chains, as /proc shows them
@test "[1] chain_first_touch: one object, made at the first touch" { check; }
@test "[2] chain_fork_and_write: a fork adds a reference, a write an object" { check; }
@test "[2] chain_exit_merges: the child's exit merges and spares the copies" { check; }
@test "[1] chain_fault_counts: zero-fills and copies are counted one by one" { check; }
@test "[1] chain_partial_unmap: unmapping part of an object frees those pages" { check; }
@test "[1] chain_unmap_after_fork: the child gone, unmapped pages are freed again" { check; }
@test "[2] chain_split_at_fork: a fork gives each clipped entry its own object" { check; }
@test "[2] chain_bypass: an object wholly covered is bypassed" { check; }
@test "[1] chain_shared: shared memory is one object, never shadowed" { check; }
@test "[1] chain_file: written pages lie above the file's object" { check; }
@test "[1] chain_dontneed: MADV_DONTNEED gives the pages back" { check; }
@test "[1] chain_other_process: one process reads another's map" { check; }

#: scenario Families of processes: depth and pages
@test "[3] scenario_A: the parent rewrites all, the child exits: 0/1000" { check; }
@test "[3] scenario_B: the same with 100 pages: 0/1000" { check; }
@test "[3] scenario_C: the child exits first: 0/1000 without a copy" { check; }
@test "[3] scenario_D: a line of daemons: 0/1000" { check; }
@test "[3] scenario_E: ancestors stay alive: 12/2200 in the end" { check; }
