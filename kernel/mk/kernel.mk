# SPDX-License-Identifier: BSD-2-Clause
#
# How a kernel is built from a stage.
#
#	make -f kernel/mk/kernel.mk [PART=n] [LAB=n [BASE=mine]] [OUT=folder] \
#	    [SRC="layer... -path..."] [INITRD=file.cpio] \
#	    [CMDLINE="opt=val ..."] [SAN=kasan+ubsan+witness] \
#	    kernel | iso | compdb | tree
#
# The stage is first laid out as symlinks in $(OUT)/tree (see stage.sh and
# compose.sh) and everything is found there by wildcard, so that a layer may
# add or remove a file without a list to keep.  The result depends on the
# sources and the tools alone: no path of this machine and no time gets into
# it.  Ccache keeps objects by what they depend on, and the compiler is run in the
# tree, where the names of files are the same in all stages: so a stage compiles only
# what none before it had.

MK	:= $(dir $(lastword $(MAKEFILE_LIST)))
stage	:= '$(PART)' '$(LAB)' '$(BASE)'
ifndef SRC
SRC	:= $(shell sh $(MK)stage.sh words $(stage))
endif
ifndef OUT
OUT	:= build/$(shell sh $(MK)stage.sh name $(stage))
endif
ifneq ($(filter default undefined,$(origin CC)),)
CC	:= gcc
endif
INITRD	?=
CMDLINE	?=
SAN	?=
WERROR	?= -Werror
EXTRA_CFLAGS ?=

TREE	:= $(OUT)/tree
OBJ	:= $(OUT)/obj
UAPI	?= build/uapi
GRUB	?= build/grub

DIRS	:= boot amd64 pmap vm kern fs dev san

.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += -rR --no-print-directory
# As many jobs as CPUs, unless the caller decided.
ifeq ($(filter -j% --jobserver%,$(shell echo "$$MAKEFLAGS")),)
MAKEFLAGS += -j$(shell nproc)
endif

ifneq ($(filter clean,$(MAKECMDGOALS)),clean)
composed := $(shell sh $(MK)compose.sh "$(OUT)" "$(SRC)" >&2 && echo yes)
ifneq ($(composed),yes)
$(error the stage could not be laid out)
endif
endif

srcs	:= $(sort $(foreach d,$(DIRS),$(wildcard $(TREE)/$(d)/*.c) \
    $(wildcard $(TREE)/$(d)/*.S)))
# Of san/, each sanitizer's files belong to its build, and san_*.c to all four.
sans	:= $(subst +, ,$(SAN))
srcs	:= $(filter-out $(if $(SAN),,$(TREE)/san/san_%) $(foreach s,kasan ubsan \
    kcsan witness,$(if $(filter $(s),$(sans)),,$(TREE)/san/$(s)%)),$(srcs))
objs	:= $(patsubst $(TREE)/%,$(OBJ)/%.o,$(basename $(srcs)))

gccinc	:= $(shell $(CC) -print-file-name=include)

CFLAGS	:= -std=gnu11 -ffreestanding -nostdinc -O2 -g \
	   -mcmodel=kernel -mno-red-zone -mgeneral-regs-only \
	   -fno-omit-frame-pointer -fno-optimize-sibling-calls \
	   -fno-strict-aliasing -fno-common -fno-pic -fno-pie \
	   -fno-stack-protector -fno-asynchronous-unwind-tables \
	   -fcf-protection=none -fno-delete-null-pointer-checks \
	   -fno-canonical-system-headers -ffile-prefix-map=$(CURDIR)/= \
	   -ffile-prefix-map=$(abspath $(TREE))=/nymph -ffile-prefix-map=./= \
	   -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Wundef \
	   -Wvla -Wimplicit-fallthrough -Wno-unused-parameter \
	   -Wframe-larger-than=2048 $(WERROR) \
	   -DLIBBSD_OVERLAY -D__NYMPH__ \
	   -I. -isystem $(abspath $(UAPI)) -isystem $(gccinc) $(EXTRA_CFLAGS)

# What the compiler adds for each sanitizer; calls only, so that what they do
# stands in san/.  The sanitizers' own files go without, and NOSAN.
SANFLAGS_kasan	:= -fsanitize=kernel-address --param asan-stack=0 \
	   --param asan-globals=1 \
	   --param asan-instrumentation-with-call-threshold=0
NOSAN_kasan	:= kern/kmalloc kern/zone
# (With its checks in, the compiler warns of indexes that are always in range.)
SANFLAGS_ubsan	:= -fsanitize=undefined -Wno-array-bounds
SANFLAGS_kcsan	:= -fsanitize=thread --param tsan-distinguish-volatile=1 \
	   --param tsan-instrument-func-entry-exit=0 -Wno-tsan
SANFLAGS_witness :=
SANFLAGS := $(foreach s,$(sans),$(SANFLAGS_$(s)))
NOSAN	:= $(filter-out %_test.o,$(filter $(OBJ)/san/%,$(objs))) \
	   $(foreach s,$(sans),$(NOSAN_$(s):%=$(OBJ)/%.o))
ifneq ($(SAN),)
CFLAGS	+= -DSAN_BUILD=1 $(patsubst %,-D%=1,$(shell echo $(sans) | tr a-z A-Z))
endif

# With COVERAGE=1 gcc counts what is executed of the VM; kern/gcov.c hands the
# counters out.  What gcov has to know lies beside the objects, so that these
# are compiled every time.
COVERAGE ?=
ifneq ($(COVERAGE),)
CFLAGS	+= -DCOVERAGE=1
covered	:= $(filter $(OBJ)/vm/% $(OBJ)/pmap/%,$(objs))
COVFLAGS := -fprofile-arcs -ftest-coverage -fprofile-update=atomic \
	   -fprofile-info-section=gcov_info
$(covered): private SANFLAGS := $(COVFLAGS)
$(covered): private ccache :=
endif

ASFLAGS	:= $(filter-out -std=% -Wmissing-% -Wstrict-%,$(CFLAGS)) \
	   -D__ASSEMBLER__ -Wa,--noexecstack
LDFLAGS	:= -nostdlib -static -no-pie -z max-page-size=0x1000 \
	   -z noexecstack --build-id=none --no-warn-rwx-segments

.PHONY: kernel iso compdb tree clean all
all: kernel
kernel: $(OUT)/kernel.elf $(OUT)/nymph $(OUT)/kernel.elf-gdb.py
iso: $(OUT)/nymph.iso $(OUT)/kernel.elf-gdb.py
tree: $(UAPI)/.made
compdb: $(OUT)/compile_commands.json
clean:
	rm -rf $(OUT)

# The Linux ABI's own headers and BSD's list and tree macros, by symlink, and
# nothing else of the host's /usr/include.
$(UAPI)/.made: $(MK)kernel.mk
	@mkdir -p $(UAPI)/sys
	@ln -sfn /usr/include/linux $(UAPI)/linux
	@ln -sfn /usr/include/asm-generic $(UAPI)/asm-generic
	@if [ -d /usr/include/x86_64-linux-gnu/asm ]; then \
		ln -sfn /usr/include/x86_64-linux-gnu/asm $(UAPI)/asm; \
	else \
		ln -sfn /usr/include/asm $(UAPI)/asm; \
	fi
	@ln -sfn /usr/include/bsd/sys/queue.h $(UAPI)/sys/queue.h
	@ln -sfn /usr/include/bsd/sys/tree.h $(UAPI)/sys/tree.h
	@echo '#include <kern/cdefs.h>' > $(UAPI)/sys/cdefs.h
	@: > $(UAPI)/unistd.h # linux/shm.h wants one
	@touch $@

# A change of the flags rebuilds everything, unless it is that warnings are no
# errors any more; an unchanged command line does not touch the file.
flags	:= $(CC) $(filter-out -Werror,$(CFLAGS) $(SANFLAGS))
$(OUT)/flags: FORCE
	@echo '$(flags)' | cmp -s - $@ || echo '$(flags)' > $@
FORCE:

$(objs): $(UAPI)/.made $(OUT)/flags
$(foreach d,$(sort $(dir $(objs))),$(shell mkdir -p $(d)))

# Nothing of the user's own ccache is asked, changed or filled.
export CCACHE_CONFIGPATH := /dev/null
export CCACHE_DIR := $(abspath build/ccache)
export CCACHE_TEMPDIR := $(CCACHE_DIR)/tmp
export CCACHE_DEPEND := 1
export CCACHE_NOHASHDIR := 1
export CCACHE_ABSSTDERR := 1
ccache	:= ccache
compile	= @cd $(TREE) && $(ccache) $(CC) -MMD -MP -MT $@ -MF $(abspath $(@:.o=.d)) \
	   -c -o $(abspath $@) $(<:$(TREE)/%=%)

$(NOSAN): private SANFLAGS :=
$(OBJ)/%.o: $(TREE)/%.c
	$(compile) $(CFLAGS) $(SANFLAGS)

$(OBJ)/%.o: $(TREE)/%.S
	$(compile) $(ASFLAGS)

# What objects depend on is named as the compiler saw it, from the tree.
vpath %.c $(TREE)
vpath %.h $(TREE)
vpath %.S $(TREE)

# kernel.elf has the DWARF, for gdb; nymph is the same without it, for GRUB
# (which hands the kernel its symbol table).
$(OUT)/kernel.elf: $(objs) $(TREE)/boot/kernel.ld
	@echo "  LD      $@"
	@ld $(LDFLAGS) -T $(TREE)/boot/kernel.ld -o $@ $(objs)

# gdb loads this by its name.
$(OUT)/kernel.elf-gdb.py: $(MK)kernel.mk
	@printf '%s\n' 'import gdb, sys' 'sys.dont_write_bytecode = True' \
	    'sys.path.insert(0, "$(abspath $(MK)gdb)")' 'import nymph' \
	    'nymph.load(gdb.current_objfile())' > $@

$(OUT)/nymph: $(OUT)/kernel.elf
	@objcopy --strip-debug $< $@

# For clangd and other readers of the tree.
$(OUT)/compile_commands.json: FORCE
	@{ echo '['; sep=; for s in $(patsubst $(TREE)/%,%,$(filter %.c,$(srcs))); do \
	    printf '%s{"directory":"%s","file":"%s","command":"%s"}\n' \
		"$$sep" '$(abspath $(TREE))' "$$s" '$(flags) -c '"$$s"; sep=,; \
	done; echo ']'; } > $@.new
	@cmp -s $@.new $@ && rm -f $@.new || mv $@.new $@

include $(MK)iso.mk

-include $(objs:.o=.d)
