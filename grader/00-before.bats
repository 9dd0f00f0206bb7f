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

#: predict Small scripts of forks, writes and exits
@test "[1] predict_1: the process alone" { check; }
@test "[1] predict_2: it forked; the child lives and wrote nothing" { check; }
@test "[1] predict_3: it forked; the child lives and wrote a page" { check; }
@test "[1] predict_4: as 3, and the parent wrote the same page" { check; }
@test "[1] predict_5: as 4, and the child ended" { check; }
@test "[1] predict_6: it forked; the child ended; then the parent wrote" { check; }
@test "[1] predict_7: two children live and wrote a page each" { check; }
@test "[1] predict_8: a line of three, each wrote" { check; }
@test "[1] predict_9: as 8, and the one in the middle ended" { check; }
@test "[1] predict_10: the child wrote a page, then the parent ended" { check; }

#: upward The walk upward, against walks downward
@test "[1] upward_smp_nothing: it never gives up when nobody is on his way" { check; }
@test "[1] upward_smp_read: nor while a fault reads" { check; }
@test "[1] upward_smp_write: nor while a fault copies: it waits for paging" { check; }

#: links What the links upward cost and spare
@test "[1] links_tokens: exclusive tokens at a process's end" { check; }
@test "[1] links_copies: a survivor's writes copy nothing" { check; }

@test "[2] pagein_gives_way: a fault in the way of a fork gives the map up, and starts anew" { check; }

#: race Races: by a script, and by a schedule's seed
@test "[3] race_R2: who syncs a page waits for its M bit to be accounted for" { check; }
@test "[3] race_R3: a write between look and change of an entry is not lost" { check; }
@test "[3] race_R4: of two that remove one mapping, one does" { check; }
@test "[3] race_R6: a page freed between hash and busy is not mapped" { check; }
@test "[3] race_R8: who waits for a placemark given back and retaken is woken" { check; }
@test "[3] race_upward: the walk upward gives way to a fork; then pages move one by one" { check; }
@test "[2] race_shootdown: what is unmapped on one CPU is gone on the other" { check; }
@test "[1] race_loop_R2: unmapping against syncing" { check; }
@test "[1] race_loop_R3: write-protecting against writing" { check; }
@test "[1] race_loop_R4: cutting a file against unmapping it" { check; }
@test "[1] race_loop_R6: a fault by the hash against cutting the file" { check; }
@test "[1] race_loop_R8: two that want one placemark" { check; }
