# SPDX-License-Identifier: BSD-2-Clause
#
# How the programs that run on Nymph are built, and the initramfs they travel in,
# U/initrd.
#
#	make -f kernel/mk/user.mk [U=folder]

U	?= build/user
P	:= grader/programs
lib	:= t tfs tmem tswap
tests	:= $(filter-out $(lib),$(basename $(notdir $(wildcard $(P)/*.c))))
demos	:= chain draw fault vmmap vmstat

UCFLAGS	:= -static -std=gnu11 -D_GNU_SOURCE -O2 -g -pthread \
	   -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Wundef \
	   -Wvla -Wimplicit-fallthrough -Werror -Wl,--build-id=none \
	   -ffile-prefix-map=$(CURDIR)/= -fmacro-prefix-map=$(P)/=

.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += -rR --no-print-directory
# As many jobs as CPUs, unless the caller decided.
ifeq ($(filter -j% --jobserver%,$(shell echo "$$MAKEFLAGS")),)
MAKEFLAGS += -j$(shell nproc)
endif

.PHONY: all
.SECONDARY:
all: $(U)/initrd
	@:

# The same bytes from the same programs: sorted, without times and owners.
$(U)/initrd: $(patsubst %,$(U)/tests/%,$(tests)) $(U)/init \
    $(patsubst %,$(U)/%,$(demos)) $(U)/bench grader/lib/rootfs \
    $(wildcard grader/races/*)
	@sh grader/lib/rootfs $(U) $(demos) bench

$(shell mkdir -p $(U)/lib $(U)/tests)

# What all tests share is compiled once.
$(U)/lib/%.o: $(P)/%.c $(P)/t.h
	@musl-gcc $(UCFLAGS) -c -o $@ $<

$(U)/tests/%: $(P)/%.c $(P)/t.h $(patsubst %,$(U)/lib/%.o,$(lib))
	@musl-gcc $(UCFLAGS) -o $@ $< $(filter %.o,$^)

# The same tests with other names of disks.
$(U)/tests/vdisk: $(P)/disk.c
$(U)/tests/vext2: $(P)/ext2.c

$(U)/init $(patsubst %,$(U)/%,$(demos)): $(U)/%: kernel/user/%.c \
    kernel/user/record.c kernel/user/init.h
	@musl-gcc $(UCFLAGS) -o $@ $(filter %.c,$^)

# Linux's structures: musl has none of its own for frame buffers.
$(U)/draw $(U)/tests/fb: private UCFLAGS += -idirafter /usr/include \
	-idirafter /usr/include/x86_64-linux-gnu

# The yardstick's program.
$(U)/bench: $(addprefix grader/bench/,bench.c memory.c page.c process.c \
    storm.c bench.h)
	@musl-gcc $(UCFLAGS) -o $@ $(filter %.c,$^)
