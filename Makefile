# SPDX-License-Identifier: BSD-2-Clause
#
# The only entry point.  `make help` lists the verbs.

.DEFAULT_GOAL := help
.SUFFIXES:
.DELETE_ON_ERROR:
MAKEFLAGS += -rR --no-print-directory

B	:= build

# --- What the make line may say -------------------------------------------

quote	= '$(subst ','\'',$(1))'
checked	:= $(shell sh grader/lib/args $(call quote,$(PART)) \
	   $(call quote,$(LAB)) $(call quote,$(TEST)) $(call quote,$(SEED)) \
	   $(call quote,$(CPUS)) $(call quote,$(SAN)) \
	   $(call quote,$(BASE)) $(call quote,$(ROW)) $(call quote,$(LINUX)) \
	   $(call quote,$(SEEDS)) $(call quote,$(HINT)) \
	   $(call quote,$(MAKECMDGOALS)))
ifneq ($(checked),ok)
$(error $(checked))
endif
export PART LAB BASE TEST SEED CPUS SAN ROW LINUX SEEDS HINT

# What is built and booted: a part, 0 if nothing is said, or a lab.
K	:= $(B)/$(shell sh kernel/mk/stage.sh name '$(PART)' '$(LAB)' '$(BASE)')$(if $(SAN),-$(SAN))

# --- What has to be installed ---------------------------------------------

PACKAGES := gcc make qemu-system-x86 qemu-utils ovmf grub-pc-bin grub-efi-amd64-bin \
	grub-common xorriso mtools musl-tools busybox-static libbsd-dev \
	linux-libc-dev bats bats-support bats-assert bats-file gdb jq \
	parallel bubblewrap ccache clang-format cpio patch e2fsprogs \
	gnuplot-nox

# Looked up again only after a package came or went.
$(B)/deps: Makefile $(wildcard /var/lib/dpkg/status)
	@sh grader/lib/deps $(PACKAGES)
	@mkdir -p $(@D) && touch $@

# --- Programs that run on Nymph, and the initramfs they travel in ----------

# Builds that several commands ask for at once come one after the other.
alone	:= flock $(B)/lock

U	:= $(B)/user

.PHONY: FORCE
$(U)/initrd: FORCE | $(B)/deps
	+@$(alone) $(MAKE) -f kernel/mk/user.mk U=$(U)

# --- The kernel -------------------------------------------------------------

# A lab's build says one line for the first error in the student's files.
kernelmk = $(alone) $(if $(LAB),sh kernel/mk/lab.sh '$(LAB)' '$(BASE)' $(K)) \
	$(MAKE) -f kernel/mk/kernel.mk OUT=$(K) SAN=$(SAN) \
	INITRD=$(U)/initrd

.PHONY: iso tree diff starters propagate
iso: $(U)/initrd
	+@$(kernelmk) iso

# The same kernel with schedule points: what races are looked for on.
.PHONY: sched-iso
sched-iso: $(U)/initrd
	+@$(kernelmk) OUT=$(K)-sched EXTRA_CFLAGS=-DSCHED_POINTS iso

# The same kernel, which counts what is executed of the VM.
.PHONY: coverage-iso coverage
coverage-iso: $(U)/initrd
	+@$(kernelmk) OUT=$(K)-coverage COVERAGE=1 iso

tree: $(B)/deps $(U)/initrd ## lay a stage out as one plain kernel: build/part-N/tree
	+@$(kernelmk) kernel compdb
	@echo "The sources: $(K)/tree, for clangd: $(K)/compile_commands.json"

diff: $(B)/deps ## show PART=n, or what you did in LAB=n, as one commit
	@sh kernel/mk/diff.sh '$(PART)' '$(LAB)' '$(BASE)'

starters: $(B)/deps ## cut the starter files of all labs from the solutions
	@sh kernel/mk/starters.sh

propagate: $(B)/deps ## carry fixes of early stages into the later copies of a file
	@sh kernel/mk/propagate.sh

# --- The verbs ----------------------------------------------------------------

.PHONY: help deps grade test run gdb rgdb bench profile mutants format clean
help: ## this list
	@sh grader/lib/help Makefile

deps: ## install with apt what is missing
	@rm -f $(B)/deps
	@$(MAKE) $(B)/deps
	@echo "Everything needed is installed."

# Without PART and LAB grade builds each stage itself.
grade: $(if $(PART)$(LAB),iso,$(U)/initrd) ## the main job: boot, run every test, print the scoreboard
	@bash grader/grade

test: $(B)/deps ## everything that must hold: grades, repeats, mutants, gdb, UEFI
	@bash grader/selftest

run: iso ## boot Nymph and talk to it on this terminal (Ctrl-A X ends it)
	@bash grader/run

gdb: iso ## boot it stopped at the kernel's first instruction, under gdb
	@bash grader/gdb

rgdb: iso ## record a test, and see it under gdb, backwards too: reverse-continue
	@bash grader/rgdb

bench: $(if $(PART)$(LAB),iso,$(U)/initrd) ## what operations cost, stage by stage; LINUX=1 sets Linux beside it
	@bash grader/bench/bench

profile: iso ## where a row of the yardstick spends its instructions: ROW=zero_fill
	@bash grader/bench/profile

coverage: coverage-iso ## which lines of the VM the tests, faults and fuzzer reach
	@bash grader/coverage

mutants: $(B)/deps ## break the kernel on purpose, patch by patch; the tests must notice
	@bash grader/mutate

format: $(B)/deps ## is every C file as clang-format would write it?
	@sh grader/lib/format

# --- The book ------------------------------------------------------------------

BOOK_PACKAGES := python3-sphinx python3-myst-parser furo python3-sphinx-copybutton \
	python3-sphinxcontrib.bibtex graphviz
LOOK_PACKAGES := chromium
RECORD_PACKAGES := python3-pyelftools
SPELL_PACKAGES := hunspell hunspell-en-us
PDF_PACKAGES := librsvg2-bin latexmk texlive-xetex texlive-latex-extra \
	texlive-fonts-recommended fonts-freefont-otf

$(B)/deps-%: $(wildcard /var/lib/dpkg/status) | $(B)/deps
	@sh grader/lib/deps $($*_PACKAGES)
	@touch $@

.PHONY: book book-pdf book-look book-data book-check book-spell
book: $(B)/deps-BOOK ## the book as web pages: build/book/html/index.html
	@sphinx-build -q -W --keep-going -b html -d $(B)/book/html.doctrees \
		book $(B)/book/html
	@echo "The book: $(B)/book/html/index.html"

book-pdf: $(B)/deps-BOOK $(B)/deps-PDF ## the book on paper: build/book/nymph.pdf
	@sphinx-build -q -W --keep-going -b latex -d $(B)/book/latex.doctrees \
		book $(B)/book/latex
	@$(MAKE) -C $(B)/book/latex LATEXMKOPTS=-silent all-pdf \
		> $(B)/book/latex.log 2>&1 || { tail -n 30 $(B)/book/latex.log; exit 1; }
	@cp $(B)/book/latex/nymph.pdf $(B)/book/nymph.pdf
	@echo "The book: $(B)/book/nymph.pdf"

book-look: book $(B)/deps-LOOK ## open every page of the book in a headless Chromium
	@bash book/look

book-data: $(U)/initrd $(B)/deps-RECORD ## record again what the book shows of all stages, or PART=n
	@bash book/record

book-check: $(U)/initrd $(B)/deps-RECORD ## is that still as book/data says?
	@bash book/record --check

book-spell: $(B)/deps-SPELL ## is every word spelt right: book, handouts, READMEs?
	@bash book/spell

clean: ## remove what was built
	rm -rf $(B)
