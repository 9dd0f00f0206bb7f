#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# What every stage must pass, from the kernel before the rework to the last part.
#
# A test's title is "[POINTS] NAME: SENTENCE".  The name is the one for TEST=,
# and for most tests also the program that is run: PROGRAM_REST is
# "/tests/PROGRAM REST", from grader/programs/PROGRAM.c.  The boots happen once,
# before bats (see grade); a test looks at what was recorded there.  A line that
# begins with "#:" gives a group of names its heading on the scoreboard.

load lib/stage

#: boot Boot and power-off
@test "[2] boot_power_off: every boot ended by an orderly power-off" { boots_powered_off; }
@test "[1] boot_quiet: no boot said panic, trap or assertion on its console" { boots_were_quiet; }
@test "[2] boot_check: vm_check finds nothing wrong after the last test" { boots_left_order; }

#: cow Copy on write
@test "[2] cow_depth_0: a write without a fork finds its own page" { check; }
@test "[2] cow_depth_1: a write 1 object down leaves the parent's page alone" { check; }
@test "[2] cow_depth_2: a write 2 objects down leaves the parent's page alone" { check; }
@test "[2] cow_depth_3: a write 3 objects down leaves the parent's page alone" { check; }
@test "[2] cow_depth_4: a write 4 objects down leaves the parent's page alone" { check; }
@test "[2] cow_depth_5: a write 5 objects down leaves the parent's page alone" { check; }
@test "[2] cow_depth_6: a write 6 objects down leaves the parent's page alone" { check; }
@test "[2] cow_depth_7: a write 7 objects down leaves the parent's page alone" { check; }
@test "[2] cow_depth_8: a write 8 objects down leaves the parent's page alone" { check; }
@test "[2] cow_depth_9: a write 9 objects down leaves the parent's page alone" { check; }
@test "[2] cow_depth_10: a write 10 objects down leaves the parent's page alone" { check; }
@test "[2] cow_depth_11: a write 11 objects down leaves the parent's page alone" { check; }
@test "[2] cow_depth_12: a write 12 objects down leaves the parent's page alone" { check; }
@test "[1] cow_parent_writes: the child does not see what the parent writes" { check; }
@test "[1] cow_siblings: eight children write one page and none sees another" { check; }
@test "[2] cow_after_exit: after the child's exit the parent is back at depth 0" { check; }
@test "[1] cow_one_byte: one byte written copies the other 4095" { check; }
@test "[2] cow_kernel_store: read(2) into a shared page copies it first" { check; }
@test "[1] cow_segments: .data, .bss and the stack are copied, too" { check; }
@test "[1] cow_zero_page: an untouched page is zero for both, then private" { check; }
@test "[2] cow_middle_exits: the middle generation goes, the others keep theirs" { check; }
@test "[1] cow_protect_after_fork: read-only at the fork, writable later" { check; }
@test "[2] cow_clipped: a mapping in pieces forks as pieces" { check; }
@test "[2] cow_offset_collapse: a piece takes in the object that it shows a part of" { check; }
@test "[2] cow_offset_taken_in: a child's object takes in a piece of another" { check; }
@test "[2] cow_offset_stepped_around: a child's object steps around a piece that it hides" { check; }
@test "[2] cow_foreign_store: a page that process_vm_writev copies is seen at once" { check; }
@test "[1] cow_hundred: a hundred forks leave the chain as it was" { check; }

#: fork Processes
@test "[1] fork_returns: fork returns twice" { check; }
@test "[1] fork_exit_codes: wait tells the low eight bits of the exit code" { check; }
@test "[1] fork_killed: wait tells which signal killed" { check; }
@test "[1] fork_many: sixteen children at once are all found by wait" { check; }
@test "[1] fork_hundreds: two hundred children, one after the other" { check; }
@test "[1] fork_tree: a tree of processes sums its leaves" { check; }
@test "[1] fork_shared_position: parent and child share a file's position" { check; }
@test "[1] fork_own_descriptors: a close in the child is the child's alone" { check; }
@test "[1] fork_vfork_memory: a vfork child writes its waiting parent's memory" { check; }
@test "[1] fork_vfork_exec: vfork and execve give the parent its memory back" { check; }
@test "[1] fork_wait_forms: wait4 for one, for any, and without waiting" { check; }
@test "[1] fork_wait_fault: a bad status pointer: EFAULT, and the child is gone" { check; }
@test "[1] fork_orphan: an orphan gets a new parent and works on" { check; }
@test "[1] fork_shared_line: shared memory joins a line of processes" { check; }

#: map mmap and munmap
@test "[1] map_private: anonymous memory is zero and keeps what is written" { check; }
@test "[1] map_shared: shared anonymous memory is one for parent and child" { check; }
@test "[1] map_both_kinds: one fork treats shared and private each its way" { check; }
@test "[1] map_shared_outlives: a shared mapping outlives who wrote it" { check; }
@test "[1] map_unmap_middle: unmapping the middle keeps both ends" { check; }
@test "[1] map_unmap_head: unmapping the head keeps the tail" { check; }
@test "[1] map_unmap_tail: unmapping the tail keeps the head" { check; }
@test "[1] map_unmap_many: one munmap takes several mappings and the holes" { check; }
@test "[1] map_comb: every second page goes, every fourth comes back zero" { check; }
@test "[1] map_fixed: MAP_FIXED replaces what was there and no more" { check; }
@test "[1] map_noreplace: MAP_FIXED_NOREPLACE refuses a taken place" { check; }
@test "[1] map_hint: a free hint is honoured, a taken one not harmed" { check; }
@test "[2] map_errors: every bad argument has Linux's errno" { check; }
@test "[1] map_odd_length: lengths are rounded up to whole pages" { check; }
@test "[1] map_sparse: a gigabyte costs nothing until touched" { check; }
@test "[1] map_many: five hundred mappings come and go" { check; }
@test "[1] map_populate: MAP_POPULATE maps the same, sooner" { check; }
@test "[1] map_reuse_zero: memory mapped again never shows old contents" { check; }
@test "[1] map_low: below two gigabytes when asked for" { check; }

#: prot mprotect and faults
@test "[1] prot_partial: protecting the middle leaves the neighbours writable" { check; }
@test "[1] prot_after_write: write permission is taken from written pages, too" { check; }
@test "[1] prot_none: PROT_NONE hides the contents and gives them back" { check; }
@test "[1] prot_execute: only what may be executed is" { check; }
@test "[1] prot_text: a program cannot write its code" { check; }
@test "[1] prot_nothing_there: faults where nothing is mapped say so" { check; }
@test "[1] prot_kernel_address: kernel addresses are out of reach" { check; }
@test "[2] prot_restart: a store is done again after its handler mended the page" { check; }
@test "[1] prot_context: the handler's context has trap, error code and address" { check; }
@test "[1] prot_errors: bad arguments, and holes in the range" { check; }
@test "[1] prot_readonly_file: a read-only file's shared mapping stays read-only" { check; }
@test "[1] prot_toggle: a hundred changes, each obeyed at once" { check; }
@test "[1] prot_rejoin: protection and unprotection leave one entry" { check; }

#: mem brk, stack, mremap, mincore
@test "[1] mem_brk_grow: the heap grows by zeroes" { check; }
@test "[1] mem_brk_shrink: the heap shrinks and forgets" { check; }
@test "[1] mem_brk_refused: what cannot be had leaves the break alone" { check; }
@test "[1] mem_brk_fork: the heap is copied at fork" { check; }
@test "[1] mem_stack_grows: two megabytes of stack, page by page" { check; }
@test "[1] mem_stack_leap: half a megabyte of stack in one step" { check; }
@test "[1] mem_stack_overflow: endless recursion ends by SIGSEGV" { check; }
@test "[1] mem_stack_altstack: the overflow is handled on the alternate stack" { check; }
@test "[1] mem_stack_fork: the stack is copied at fork" { check; }
@test "[1] mem_mremap_in_place: mremap grows where there is room" { check; }
@test "[1] mem_mremap_move: mremap moves the contents and leaves nothing" { check; }
@test "[1] mem_mremap_shrink: mremap cuts the tail" { check; }
@test "[1] mem_mremap_fixed: mremap to a fixed place replaces" { check; }
@test "[1] mem_mremap_cow: what a child shares moves undisturbed" { check; }
@test "[1] mem_mremap_errors: what mremap refuses" { check; }
@test "[1] mem_mremap_keeps: what moves leaves its place behind; sharing twice" { check; }
@test "[1] mem_grows_down: a mapping grows like the stack" { check; }
@test "[1] mem_mincore: only touched pages are resident" { check; }
@test "[1] mem_mincore_errors: what mincore refuses" { check; }

#: advise madvise
@test "[1] advise_dontneed: MADV_DONTNEED: zeroes from then on" { check; }
@test "[2] advise_dontneed_cow: below a copied page nothing shows through" { check; }
@test "[1] advise_dontneed_shared: shared memory keeps its contents" { check; }
@test "[1] advise_dontneed_file: a private file mapping is the file again" { check; }
@test "[1] advise_free: MADV_FREE: old contents or zeroes, nothing else" { check; }
@test "[2] advise_free_cow: a child's MADV_FREE never takes the parent's page" { check; }
@test "[1] advise_hints: hints change nothing" { check; }
@test "[1] advise_errors: what madvise refuses" { check; }
@test "[1] advise_fork: what a child does not get, or gets zeroed" { check; }
@test "[1] advise_remove: shared memory is taken from everybody" { check; }
@test "[1] advise_cold: cold memory keeps what it has" { check; }

#: file Files and mapped files
@test "[1] file_map_private: a private mapping never changes the file" { check; }
@test "[1] file_map_shared: a shared mapping and the file are one" { check; }
@test "[1] file_map_offset: a mapping outlives descriptor and name" { check; }
@test "[1] file_map_end: zeroes to the end of the page, SIGBUS beyond" { check; }
@test "[2] file_map_truncate: cutting a file takes its mapped pages" { check; }
@test "[1] file_map_fork: file mappings across a fork" { check; }
@test "[1] file_map_locked: a file is cut below locked pages" { check; }
@test "[1] file_open_forms: open makes, keeps, cuts and appends" { check; }
@test "[1] file_seek: positions and holes" { check; }
@test "[1] file_folders: folders are made, listed, renamed and removed" { check; }
@test "[1] file_current_folder: names follow the current folder" { check; }
@test "[1] file_links: symbolic links" { check; }
@test "[1] file_unlinked: a file without a name lives while it is open" { check; }
@test "[1] file_pieces: a file written in odd pieces" { check; }
@test "[1] file_devices: /dev/null and /dev/zero" { check; }
@test "[1] file_maps_order: /proc/self/maps is sorted and knows code and stack" { check; }
@test "[1] file_maps_follow: /proc/self/maps follows mmap, mprotect and munmap" { check; }

#: sig Signals
@test "[1] sig_handler: a handler runs with its mask, then that is gone" { check; }
@test "[1] sig_blocked: a blocked signal waits, once" { check; }
@test "[1] sig_actions: ignored, default, once only" { check; }
@test "[1] sig_kill_forms: kill: whom and with what" { check; }
@test "[2] sig_registers: every register survives a handler" { check; }
@test "[1] sig_child: SIGCHLD tells whose end and how" { check; }
@test "[1] sig_interrupt: EINTR, or started again by SA_RESTART" { check; }
@test "[1] sig_sleep: an interrupted nanosleep tells what was left" { check; }
@test "[1] sig_forced: a fault with SIGSEGV blocked or ignored kills" { check; }
@test "[1] sig_bus: SIGBUS past the end of a file" { check; }
@test "[1] sig_traps: divide error, undefined instruction, breakpoint" { check; }
@test "[1] sig_fork: pending signals are not inherited" { check; }

#: exec execve
@test "[1] exec_arguments: arguments, environment and auxiliary vector arrive" { check; }
@test "[1] exec_big_environment: a hundred thousand bytes of environment" { check; }
@test "[1] exec_fresh: the new program has nothing of the old memory" { check; }
@test "[1] exec_signals: handlers are reset, ignored signals stay ignored" { check; }
@test "[1] exec_descriptors: close-on-exec closes" { check; }
@test "[1] exec_again: fifty times through execve" { check; }
@test "[1] exec_elf_good: a program of 4096 hand-made bytes runs" { check; }
@test "[1] exec_elf_bss: what the file does not have is zero" { check; }
@test "[2] exec_elf_broken: every broken ELF file is refused" { check; }
@test "[1] exec_errors: names and pointers that lead nowhere" { check; }
@test "[1] exec_too_big: an argument of more than 128 KiB is refused" { check; }
@test "[1] exec_busy: the file of a running program is not to be written" { check; }

#: pipe Pipes and descriptors
@test "[1] pipe_order: bytes come out in order, then the end" { check; }
@test "[1] pipe_bulk: a quarter megabyte, both sides blocking" { check; }
@test "[1] pipe_no_reader: SIGPIPE, or EPIPE where that is ignored" { check; }
@test "[1] pipe_reader_leaves: a waiting writer learns that the reader left" { check; }
@test "[1] pipe_nonblock: EAGAIN instead of waiting" { check; }
@test "[1] pipe_atomic: records of four writers stay whole" { check; }
@test "[1] pipe_partly_read: more is written behind what is left" { check; }
@test "[1] pipe_full: what does not fit into a full pipe is refused whole" { check; }
@test "[1] pipe_vectors: readv and writev" { check; }
@test "[1] pipe_dup: dup and dup2; the last close counts" { check; }
@test "[1] pipe_fcntl: fcntl on descriptors" { check; }
@test "[1] pipe_chain: three processes in a line" { check; }

#: bad Bad pointers, flags and sizes
@test "[1] bad_read_into: read, readv, pread, getdents64, getcwd: EFAULT" { check; }
@test "[1] bad_write_from: write, writev, pwrite: EFAULT and nothing written" { check; }
@test "[1] bad_paths: every call that takes a path: EFAULT" { check; }
@test "[1] bad_results: every structure that the kernel fills: EFAULT" { check; }
@test "[1] bad_times: times: EFAULT and EINVAL" { check; }
@test "[1] bad_signals: signal calls: EFAULT and EINVAL" { check; }
@test "[1] bad_exec: the arrays of execve: EFAULT" { check; }
@test "[1] bad_descriptors: descriptors that are none or do not fit" { check; }
@test "[1] bad_vectors: vectors too many or too long" { check; }
@test "[1] bad_numbers: unknown system calls: ENOSYS" { check; }
@test "[1] bad_clone: clone flags that contradict each other" { check; }
@test "[1] bad_crossing: from a good page into a bad one: EFAULT" { check; }

#: sh Debian's busybox shell
@test "[1] sh_echo: words, quotes and variables" { check; }
@test "[1] sh_pipe: pipes" { check; }
@test "[1] sh_substitution: command substitution" { check; }
@test "[1] sh_loops: loops and tests" { check; }
@test "[1] sh_functions: functions, case and recursion" { check; }
@test "[1] sh_redirection: redirection and here-documents" { check; }
@test "[1] sh_statuses: exit statuses" { check; }
@test "[1] sh_background: background jobs and wait" { check; }
@test "[1] sh_files: listing, finding, copying, removing" { check; }
@test "[1] sh_text: grep, sed, sort, cut, awk" { check; }
@test "[1] sh_archive: tar, gzip and md5sum through pipes" { check; }
@test "[1] sh_trap: traps" { check; }
@test "[1] sh_file: a script in a file" { check; }
@test "[1] sh_long_pipe: nine processes in one pipe" { check; }

#: prefault Mapping before it is asked for
@test "[1] prefault_mmap: mmap maps the pages of a small file" { check; }
@test "[2] prefault_around: a fault maps up to eight neighbours" { check; }
@test "[1] prefault_willneed: MADV_WILLNEED maps what is in memory" { check; }
@test "[1] prefault_fork: a child's faults map around, and copy what is written" { check; }
@test "[2] prefault_exclusive: with exclusive tokens, chains and zeroes as well" { check; }

#: shm System V shared memory
@test "[1] shm_basic: a segment is made, found, attached, detached, removed" { check; }
@test "[1] shm_fork: children inherit attachments, execve and exit end them" { check; }
@test "[1] shm_key: two processes meet by the key" { check; }
@test "[2] shm_removed: a removed segment lives until its last detachment" { check; }
@test "[1] shm_place: rounding, replacing, and what is in the way" { check; }
@test "[2] shm_pieces: an attachment in pieces counts, and goes, piece by piece" { check; }
@test "[1] shm_control: what shmctl tells and sets; hundreds of segments" { check; }
@test "[1] shm_errors: what is refused" { check; }
@test "[1] shm_smp_churn: four threads make and remove segments at once" { check; }

#: phys System V segments that stay in memory
@test "[1] phys_rights: a segment of physical pages has the rights of any other" { check; }
@test "[1] phys_stays: a segment of physical pages stays when all else is swapped out" { check; }

#: vpt Virtual page tables
@test "[2] vpt_window: a root without a table is a window on the object" { check; }
@test "[2] vpt_matrix: V, RW and NX against read, write and execute" { check; }
@test "[3] vpt_walk: four levels show a random permutation" { check; }
@test "[3] vpt_marks: A and M are set exactly where memory was used" { check; }
@test "[1] vpt_kernel: system calls go through the table" { check; }
@test "[2] vpt_fork: a fork copies table and pages, or shares both" { check; }
@test "[2] vpt_private: a private table leaves the file's alone" { check; }
@test "[1] vpt_parts: parts are unmapped, protected, locked" { check; }
@test "[1] vpt_errors: what mmap and mcontrol refuse" { check; }
@test "[3] vpt_smp_inval: after MADV_INVAL no CPU reads the old page" { check; }

#: fb The screen: memory that is no RAM
@test "[1] fb_info: the screen describes itself as Linux's do" { check; }
@test "[2] fb_memory: 16 MiB of it keep what is written, in any mapping" { check; }
@test "[1] fb_shared: private mappings and children draw on the same screen" { check; }
@test "[1] fb_parts: parts are unmapped, protected, locked, advised upon" { check; }
@test "[1] fb_threads: four threads fault the same device pages" { check; }
@test "[1] fb_mode: other modes, and panning" { check; }
@test "[1] fb_errors: what mmap and ioctl refuse" { check; }

#: thread Threads on several CPUs
@test "[1] thread_join: threads start with an argument and end with a result" { check; }
@test "[1] thread_mutex: a mutex loses no count" { check; }
@test "[1] thread_atomic: atomic adds lose no count" { check; }
@test "[1] thread_condition: a condition variable hands the turn round" { check; }
@test "[2] thread_same_page: four threads fault the same fresh pages" { check; }
@test "[2] thread_same_cow: four threads copy the same shared pages" { check; }
@test "[2] thread_protect_seen: after mprotect no CPU writes any more" { check; }
@test "[2] thread_unmap_seen: after munmap no CPU reads any more" { check; }
@test "[2] thread_replace_seen: a replaced page is never seen again" { check; }
@test "[2] thread_map_churn: all threads map and unmap at once" { check; }
@test "[2] thread_same_dontneed: four threads use and give up the same pages" { check; }
@test "[1] thread_malloc: malloc and free from every thread" { check; }
@test "[1] thread_local: thread-local words are each thread's own" { check; }
@test "[1] thread_fork: every thread forks and waits" { check; }
@test "[1] thread_exit_group: exit_group ends all threads" { check; }
@test "[1] thread_killed: a fatal signal ends all threads" { check; }
@test "[1] thread_signal: pthread_kill reaches one thread" { check; }
@test "[1] thread_futex: futex: value, timeout, errors" { check; }
@test "[1] thread_futex_shared: a futex in shared memory joins two processes" { check; }

#: fuzz Seeded garbage at the system-call entry
@test "[3] fuzz_group_1: seeds 1 to 5: the kernel lives, and loses nothing" { check; }
@test "[3] fuzz_group_2: seeds 6 to 10: the kernel lives, and loses nothing" { check; }
@test "[3] fuzz_group_3: seeds 11 to 15: the kernel lives, and loses nothing" { check; }
@test "[3] fuzz_group_4: seeds 16 to 20: the kernel lives, and loses nothing" { check; }

#: torture Seeded trees of everything
@test "[4] torture_group_1: seeds 1 to 10 end as on Linux" { check; }
@test "[4] torture_group_2: seeds 11 to 20 end as on Linux" { check; }
@test "[4] torture_group_3: seeds 21 to 30 end as on Linux" { check; }
@test "[4] torture_group_4: seeds 31 to 40 end as on Linux" { check; }
@test "[4] torture_group_5: seeds 41 to 50 end as on Linux" { check; }
@test "[4] torture_files_1: ten seeds with a file that is cut and written" { check; }
@test "[4] torture_files_2: ten seeds more" { check; }
@test "[4] torture_threads_1: five seeds of four threads each, with files" { check; }
@test "[4] torture_threads_2: five seeds more" { check; }
@test "[4] torture_swap_1: two seeds that are larger than the memory" { check; }
@test "[4] torture_press_1: two seeds of four such threads, on four CPUs" { check; }

#: disk Disks: the deterministic one
@test "[1] disk_node: size, end and what a block device says of itself" { check; }
@test "[2] disk_pattern: whole sectors, from one to a megabyte, come back" { check; }
@test "[2] disk_bytes: bytes within sectors, and what is around them stays" { check; }
@test "[1] disk_two: the other disk keeps what it has" { check; }
@test "[1] disk_host: what was written is in the host's file" { check && disk_has_text; }
@test "[2] disk_parallel: four processes at once, each on its own part" { check; }
@test "[2] disk_crowd: more transfers at once than a queue has room for" { check; }
@test "[2] disk_same_sector: four processes write bytes of the same sectors" { check; }
@test "[1] disk_fail_read: a read that fails gives EIO, as often as asked" { check; }
@test "[1] disk_fail_long: what came before the error counts" { check; }
@test "[1] disk_fail_write: a write that fails leaves the disk as it was" { check; }
@test "[1] disk_fail_flush: fsync tells of a flush that failed" { check; }
@test "[1] disk_control: what is no command is refused" { check; }
@test "[1] disk_counts: /proc/disks counts the transfers" { check; }
@test "[1] disk_latency: a transfer takes the time that was set" { check; }
@test "[1] disk_overlap: transfers wait for each other no longer than they must" { check; }
@test "[2] disk_flush_waits: a flush has the writes before it behind it" { check; }

#: vdisk Disks: virtio, in the host's time
@test "[1] vdisk_node: size, end and what a block device says of itself" { check; }
@test "[2] vdisk_pattern: whole sectors, from one to a megabyte, come back" { check; }
@test "[2] vdisk_bytes: bytes within sectors, and what is around them stays" { check; }
@test "[1] vdisk_two: the other disk keeps what it has" { check; }
@test "[1] vdisk_host: what was written is in the host's file" { check && disk_has_text; }
@test "[2] vdisk_parallel: four processes at once, each on its own part" { check; }
@test "[2] vdisk_crowd: more transfers at once than a queue has room for" { check; }
@test "[2] vdisk_same_sector: four processes write bytes of the same sectors" { check; }
@test "[1] vdisk_fail_read: a read that fails gives EIO, as often as asked" { check; }
@test "[1] vdisk_fail_long: what came before the error counts" { check; }
@test "[1] vdisk_fail_write: a write that fails leaves the disk as it was" { check; }
@test "[1] vdisk_fail_flush: fsync tells of a flush that failed" { check; }
@test "[1] vdisk_control: what is no command is refused" { check; }
@test "[1] vdisk_counts: /proc/disks counts the transfers" { check; }
@test "[1] vdisk_read_only: a disk that the host protects cannot be written" { check; }
@test "[1] vdisk_broken: an error of the device itself gives EIO" { check; }

#: ext2 Files on disks
@test "[2] ext2_made: what mke2fs has put there is read, and removed" { check; }
@test "[2] ext2_names: names are made, refused, moved and removed" { check; }
@test "[2] ext2_far: all depths of the block map, and holes between" { check; }
@test "[1] ext2_far_4: the same with blocks of 4 KiB" { check; }
@test "[2] ext2_cut: a file that was cut and grows has zeroes there" { check; }
@test "[1] ext2_cut_4: the same with blocks of 4 KiB" { check; }
@test "[2] ext2_mapped: mappings and the file are one, and reach the disk" { check; }
@test "[1] ext2_mapped_4: the same with blocks of 4 KiB" { check; }
@test "[1] ext2_nameless: a file without a name gives its blocks back" { check; }
@test "[1] ext2_attr: owner, mode and times are kept" { check; }
@test "[2] ext2_writes: each change is written once, by its sectors" { check; }
@test "[2] ext2_errors: a disk's errors reach who asks, and pass" { check; }
@test "[2] ext2_full: a full disk says so and keeps what it has" { check; }
@test "[2] ext2_mounts: read-only, busy and foreign disks are refused" { check; }
@test "[2] ext2_kept: the host finds the same files on the disk" { check && disk_has_files; }
@test "[2] ext2_clean: e2fsck finds nothing wrong on any disk" { check && disks_are_clean small large old; }

#: vext2 Files on disks: virtio
@test "[1] vext2_made: what mke2fs has put there is read, and removed" { check; }
@test "[1] vext2_names: names are made, refused, moved and removed" { check; }
@test "[1] vext2_far: all depths of the block map, and holes between" { check; }
@test "[1] vext2_cut_4: a file that was cut and grows has zeroes there" { check; }
@test "[1] vext2_mapped: mappings and the file are one, and reach the disk" { check; }
@test "[1] vext2_mapped_4: the same with blocks of 4 KiB" { check; }
@test "[1] vext2_kept: the host finds the same files on the disk" { check && disk_has_files; }
@test "[1] vext2_clean: e2fsck finds nothing wrong on any disk" { check && disks_are_clean small large old; }

#: fstorture Seeded use of a disk's files
@test "[2] fstorture_small_1: four seeds on blocks of 1 KiB, seen again after a new mount" { check; }
@test "[2] fstorture_small_2: four seeds on blocks of 1 KiB, seen again after a new mount" { check; }
@test "[2] fstorture_small_3: four seeds on blocks of 1 KiB, seen again after a new mount" { check; }
@test "[2] fstorture_large_1: four seeds on blocks of 4 KiB" { check; }
@test "[2] fstorture_large_2: four seeds on blocks of 4 KiB" { check; }
@test "[2] fstorture_four_1: four processes at once" { check; }
@test "[2] fstorture_four_2: four processes at once" { check; }

#: damage Damaged disks
@test "[3] damage_disks_0: fifty damaged disks, mounted, walked, used: no harm" { check; }
@test "[3] damage_disks_1: fifty more" { check; }
@test "[3] damage_disks_2: fifty more" { check; }
@test "[3] damage_disks_3: fifty more" { check; }

#: plug The plug is pulled
@test "[2] plug_pull_9: what was synced is there after e2fsck" { disk_survived; }
@test "[2] plug_pull_40: later, with more files" { disk_survived; }

#: swap More memory than there is
@test "[3] swap_four_times: four times RAM, written and read" { check; }
@test "[2] swap_orders: backward, by leaps, and half of it changed" { check; }
@test "[3] swap_fork_chain: each generation finds its pages, at every depth" { check; }
@test "[2] swap_fork_write: what the parent writes, read back for that, the child has as it was" { check; }
@test "[2] swap_collapse: objects on swap become one again" { check; }
@test "[2] swap_split: a mapping in pieces forks with its parts of the swap" { check; }
@test "[2] swap_shared: two processes share more than there is RAM" { check; }
@test "[2] swap_mlock: what is wired stays in memory" { check; }
@test "[1] swap_mincore: what is on swap is not in memory" { check; }
@test "[2] swap_dontneed: what was given up does not come back" { check; }
@test "[1] swap_free: MADV_FREE leaves what was there, or zeroes" { check; }
@test "[2] swap_given_back: a process's end frees its swap" { check; }
@test "[2] swap_kernel: read and write with buffers on swap" { check; }
@test "[2] swap_crowd: four processes at once want twice the RAM, and get it" { check; }
@test "[3] swap_off: swapoff brings everything back, or refuses" { check; }
@test "[2] swap_errors: what swapon and swapoff refuse" { check; }
@test "[3] swap_read_error: a page that cannot be read is a SIGBUS, the others are there" { check; }
@test "[2] swap_read_error_kills: SIGBUS for the child, EFAULT for write" { check; }
@test "[2] swap_write_error: what cannot be written stays, or goes elsewhere" { check; }

#: oom No memory and no swap
@test "[3] oom_three: no memory and no swap: the largest goes, the others stay" { check; }
@test "[2] oom_largest: the largest process goes, even asleep" { check; }

#: press Files and threads when memory is short
@test "[3] press_shared: more of a file is written by mappings than there is RAM" { check; }
@test "[2] press_written: the same by write, in odd pieces" { check; }
@test "[2] press_private: private changes go to swap, never to the file" { check; }
@test "[2] press_cut: a file is cut while its pages go to the disk" { check; }
@test "[2] press_errors: a page that cannot be written is kept until it can" { check; }
@test "[1] press_ramfs: a file in memory loses nothing" { check; }
@test "[3] press_threads: four threads use twice the RAM, during swapoff" { check; }
@test "[2] press_mlock: wired pages of memory and of a file stay" { check; }
@test "[2] press_left: e2fsck finds nothing wrong on the disk" { check && disks_are_clean disk; }

#: pagein While a page is read back
@test "[2] pagein_same_page: four threads fault the page that is being read" { check; }
@test "[2] pagein_same_copy: and copy it" { check; }
@test "[2] pagein_protected: what was protected meanwhile is not written any more" { check; }
@test "[2] pagein_replaced: what was replaced meanwhile is not seen again" { check; }
@test "[2] pagein_forked: a fork meanwhile copies what was there" { check; }

#: written What was written, when its mapping goes
@test "[2] written_mapping: what was written reaches swap, however its mapping goes" { check; }
@test "[1] written_fork: and when a fork takes the right to write" { check; }
