# SPDX-License-Identifier: BSD-2-Clause
# The steps of selftest about what students hand in: files that must not be built,
# kernels that cheat or misbehave, and solutions that lack one exercise.  Sourced by
# selftest, after selfstages.bash.

# submits WORDS FILE LINE...: lab 1 of the copy with these lines at the end of a file
# must be refused, in one line with these words.
submits() {
	local words=$1 file=labs/01-one-way-links/$2

	printf '%s\n' "${@:3}" >> "$out/copy/$file"
	lab_says "$words"
	cp "$file" "$out/copy/$file"
}

# Submissions that are refused before they are compiled, or when they have been.
step_submissions() {
	local c=vm/vm_object_dealloc.c h=vm/vm_object.h lab=$out/copy/labs/01-one-way-links

	copy
	must 'a lab builds in a copy' make -C "$out/copy" iso LAB=1

	# Inline assembly, and ways to it that one does not see.
	submits 'uses __asm__, which only' $c 'void x(void);' \
		'void x(void) { __asm__("cli; hlt"); }'
	submits 'uses asm, which only' $c 'void x(void);' \
		'void x(void) { as\' 'm("cli; hlt"); }'
	submits 'uses __attribute__' $c 'void x(void) __attribute__((weak));' \
		'void x(void) { }'
	submits 'uses __section' $c 'int x __section(".data\n\tcli\n");'
	submits "says '##'" $c '#define J(a, b) a##b'
	submits "says '##'" $c '#define J(a, b) a%:%:b'
	submits "says '#undef panic'" $c '#undef panic'
	submits "says '#pragma" $c '#pragma weak panic'
	# Other files, above all those without an end.
	mkfifo "$out/fifo"
	submits "says '#include \"/dev/zero\"'" $c '#include "/dev/zero"'
	submits "says '#include \"$out/fifo\"'" $c "#include \"$out/fifo\""
	submits "says '# include \"/etc/shadow\"'" $c '# /* */ include "/etc/shadow"'
	submits 'vm_object_dealloc.c:[0-9]*:.*directive #inc' $c '#inc/**/lude "/etc/shadow"'
	submits "says '#include __FILE__'" $c '#include __FILE__'
	submits 'has control characters' $c "$(printf '\001')"
	submits 'larger than a megabyte' $c "$(yes '/* more */' | head -n 100000)"
	# Headers are in other files' objects, too.
	submits 'vm_object.h says "#define vm_check_fail' $h \
		'#define vm_check_fail(...) (void)0'
	submits 'vm_object.h says "static inline void' $h 'static inline void' \
		'vm_check_fail(const char *fmt, ...)' '{' '}'
	# What is not the VM's, and what is not the lab's.
	submits 'executes "out' $c '#include <amd64/cpufunc.h>' 'void x(void);' \
		'void x(void) { outb(0x2f8, 1); }'
	submits 'executes "cli' $c '#include <amd64/cpufunc.h>' 'void x(void);' \
		'void x(void) { cpu_disable_intr(); }'
	submits 'uses boot_die, which is not' $c 'void x(void);' \
		'void boot_die(const char *, ...);' \
		'void x(void) { boot_die("passed"); }'
	submits 'uses fwcfg_read, which is not' $c '#include <dev/fwcfg.h>' \
		'void x(void);' 'static char nonce[65];' \
		'void x(void) { fwcfg_read("opt/nymph/nonce", nonce, 65); }'
	submits 'multiple definition' $c 'void lapic_eoi(void);' \
		'void lapic_eoi(void) { }'
	submits "says '#include \"../../solutions" $c \
		'#include "../../solutions/01-one-way-links/vm/vm_object_dealloc.c"'
	mv "$lab/vm" "$out/vm"
	ln -s ../../solutions/01-one-way-links/vm "$lab/vm"
	lab_says 'one-way-links/vm does not belong to lab 1'
	rm "$lab/vm" && mv "$out/vm" "$lab"
	ln -sf ../../../solutions/01-one-way-links/vm/vm_object.c "$lab/vm/vm_object.c"
	lab_says 'vm_object.c is missing'
	rm "$lab/vm/vm_object.c" && cp labs/01-one-way-links/vm/vm_object.c "$lab/vm"
	printf 'all:\n\tfork() { fork | fork & }; fork\n' > "$lab/Makefile"
	lab_says 'Makefile does not belong to lab 1'
	rm "$lab/Makefile"
	cp kernel/vm/vm_check_object.c "$lab/vm"
	lab_says 'vm_check_object.c does not belong to lab 1'
	rm "$lab/vm/vm_check_object.c"
	ln -sf /etc/passwd "$lab/answers.txt"
	lab_says 'answers.txt is missing'
	cp labs/01-one-way-links/answers.txt "$lab/answers.txt.new"
	mv "$lab/answers.txt.new" "$lab/answers.txt"
	# Without bubblewrap that is said, and limits are all there is.
	mkdir -p "$out/bin"
	printf '#!/bin/sh\nexit 1\n' > "$out/bin/bwrap"
	chmod +x "$out/bin/bwrap"
	touch "$lab/vm/vm_fault.c"
	PATH=$out/bin:$PATH make -C "$out/copy" iso LAB=1 > "$out/said" 2>&1
	must 'without bubblewrap a lab is built, and that is said' \
		grep -q 'bubblewrap does not work here' "$out/said"
	# A compiler that does not come to an end.
	NYMPH_BUILD=10
	export NYMPH_BUILD
	submits 'an endless include or macro' $c '#define A(x) x x x x x x x x' \
		'#define B(x) A(A(A(A(x))))' '#define C(x) B(B(B(B(x))))' \
		'const char x[] = C(C("endless"));'
	unset NYMPH_BUILD
}

# grades WHAT WORDS SUM: grades TEST=links_unmap_again of lab 1 of the copy; SUM must
# be a line of what that says, and another one must have these words.
grades() {
	NYMPH_NONCE= TEST=links_unmap_again make -C "$out/copy" grade LAB=1 \
		> "$out/graded" 2>&1
	if ! grep -qx "$3" "$out/graded"; then
		bad "$1: $3" "$out/graded"
	elif ! grep -q -- "$2" "$out/graded"; then
		bad "$1: \"$2\"" "$out/graded"
	else
		good "$1: $2"
	fi
}

# cheats WHAT WORDS LINE...: lab 1 of the copy is the solution, which does instead of
# exercise 1.5 what these lines of C say.  There are no points for that.
cheats() {
	local vm=labs/01-one-way-links/vm

	printf '%s\n' '#include <amd64/cpufunc.h>' '#include <amd64/machdep.h>' \
		'#include <kern/kprintf.h>' '#include <kern/kstring.h>' \
		'#include <kern/proc.h>' '#include <kern/thread.h>' \
		'#include <pmap/pmap.h>' '#include <vm/vm_map.h>' \
		'#include <vm/vm_page.h>' '#include <fs/vnode.h>' \
		'static void cheat(void);' \
		'static void' 'cheat(void)' '{' "${@:3}" '}' > "$out/cheat"
	sed -e 's/vm_object_set_flag(source, OBJ_ONEMAPPING);/cheat();/' \
		-e "/^#include <vm.vm_object.h>/r $out/cheat" \
		"solutions/${vm#labs/}/vm_object_shadow.c" \
		> "$out/copy/$vm/vm_object_shadow.c"
	grades "$1" "$2" '0 passed, 1 failed'
}

# c_string FILE: its text as one string of C.
c_string() {
	sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' "$1"
}

# Kernels that would have points they have not earned, or never end.
step_cheats() {
	local dir=$out/copy/build/grade/ordinary/1 file line

	copy
	for file in $(jq -r '.files[]' labs/01-one-way-links/part.json); do
		cp "solutions/01-one-way-links/$file" "$out/copy/labs/01-one-way-links/$file"
	done
	grades 'the solution passes' '2 /   2' '1 passed, 0 failed'
	must 'under bubblewrap' grep -q '^bwrap .*--unshare-net' "$dir/command"
	grep '"event":"end"' "$dir/results" > "$out/record"
	must 'its record bears a nonce of 128 bits' grep -qE '^\{"nonce":"[0-9a-f]{32}",' \
		"$out/record"
	records "$dir/results" | cut -f4 | base64 -d > "$out/printed"

	cheats 'it prints what is expected' 'expected (-) and seen (+)' \
		"kprintf(\"%s\", $(c_string "$out/printed"));" \
		"kprintf(\"%s\", $(c_string "$out/record"));"
	cheats 'it loops' 'a loop in the kernel' 'for (;;)' ';'
	must 'and the stack tells where' grep -q 'vm_object_shadow.c:' "$out/graded"
	NYMPH_FLOOD=50 NYMPH_WALL=20
	export NYMPH_FLOOD NYMPH_WALL
	cheats 'it prints where no clock is heard' 'printed more than 50 KiB' \
		'static struct spinlock spin = SPINLOCK_INITIALIZER("mine");' \
		'spin_lock(&spin);' 'for (;;)' 'kprintf("%01000d\n", 0);'
	unset NYMPH_FLOOD
	cheats 'and nothing but a clock stops it' 'it printed [0-9]* KiB, and' \
		'static struct spinlock spin = SPINLOCK_INITIALIZER("mine");' \
		'spin_lock(&spin);' 'for (;;)' 'kprintf("%01000d\n", 0);'
	NYMPH_WALL=8
	cheats 'it loops where no clock is heard' 'made no progress for 8 s' \
		'static struct spinlock spin = SPINLOCK_INITIALIZER("mine");' \
		'spin_lock(&spin);' 'for (;;)' ';'
	unset NYMPH_WALL
	cheats 'it prints without an end' 'a loop in the kernel' \
		'for (;;)' 'kprintf("%0200d\n", 0);'
	cheats 'it destroys the page tables' 'a triple fault' \
		'memset(curproc->p_vmspace->vm_pmap.pm_pml4, 0, PAGE_SIZE);' \
		'for (vm_paddr_t a = 0; a < (128UL << 20); a += PAGE_SIZE)' \
		'(void)*(volatile char *)PHYS_TO_DMAP(a);'
	cheats 'it writes over the kernel' 'the kernel panicked' \
		'char *to = (char *)PHYS_TO_DMAP((vm_offset_t)vm_object_hold - KERNBASE);' \
		'*(volatile char *)to = (char)0xc3;'
	cheats 'it writes over init' 'is not what the initramfs has' \
		'vm_map_entry_t entry;' \
		'RB_FOREACH (entry, vm_map_rb_tree, &initproc->p_vmspace->vm_map.rb_root) {' \
		'vm_object_t object = entry->object.vm_object; vm_page_t m;' \
		'if (object == NULL || object->type != OBJT_VNODE) continue;' \
		'RB_FOREACH (m, vm_page_rb_tree, &object->rb_memq) {' \
		'char *p = (char *)PHYS_TO_DMAP(m->phys_addr);' \
		'for (unsigned int i = 0; i < PAGE_SIZE - 15; i++)' \
		'if (memcmp(p + i, "cannot turn off", 15) == 0) p[i] = 0x43;' '} }'

	# Behind the first fence, which looks at the files, stand others.
	printf '#!/bin/sh\n' > "$out/copy/grader/lib/labcheck"
	cheats 'it writes a record to the port' 'expected (-) and seen (+)' \
		"const char *s = $(c_string "$out/record");" \
		'while (*s != 0) outb(0x2f8, (uint8_t)*s++);'
	must 'and the record came' grep -qF "$(head -c 100 "$out/record")" "$dir/results"
	cheats 'it turns the machine off' 'turned off before init had finished' \
		'outl(0xf4, EXIT_ORDERLY);'
	NYMPH_WALL=8
	export NYMPH_WALL
	cheats 'it hangs with interrupts off' 'made no progress for 8 s' \
		'cpu_disable_intr();' 'for (;;)' ';'
	unset NYMPH_WALL
	sed -i '/^vm_object_allocate(/,/^{/s/^{/{\n\tfor (;;)\n\t\t;/' \
		"$out/copy/labs/01-one-way-links/vm/vm_object.c"
	cheats 'it loops at boot' 'a loop in the kernel' ''
}

# cut_one LAB EXERCISE: the solution with just that exercise cut has no point for it,
# and all for those that do not need it, by "needs" in part.json.
cut_one() {
	local slug json e points most bad=

	slug=$(sh kernel/mk/stage.sh slug "$1")
	json=labs/$slug/part.json
	(cd "$out/copy" && sh kernel/mk/starters.sh --to "$out/cut" "$1" "$2") || return
	cp -r "$out/cut/." "$out/copy/labs/$slug/"
	TEST= make -C "$out/copy" grade LAB="$1" > "$out/graded" 2>&1
	cp "$out/copy/build/grade/tally" "$out/tally.$2"
	while read -r e points most; do
		if [[ $e == "$2" ]]; then
			((points == 0)) || bad+=" $e:$points/$most"
		elif ! jq -e --arg e "$e" --arg cut "$2" '.needs // {} |
			.[$e] // [] | index($cut)' "$json" > "$out/null"; then
			((points == most)) || bad+=" $e:$points/$most"
		fi
	done < "$out/tally.$2"
	[[ -z $bad && $(wc -l < "$out/tally.$2") -gt 1 ]] || {
		echo "exercises that should have lost all or nothing:$bad"
		tail -n 40 "$out/graded"
		return 1
	}
}

# cuts LAB EXERCISE...
cuts() {
	local e

	copy
	for e in "${@:2}"; do
		must "lab $1 without exercise $e loses its points, and what needs it" \
			cut_one "$1" "$e"
	done
}

# Each exercise of each lab: for one who has changed tests or marks.
step_cuts() {
	local n

	for ((n = 1; n <= $(sh kernel/mk/stage.sh labs); n++)); do
		cuts "$n" $(jq -r '.hints | keys[]' \
			"labs/$(sh kernel/mk/stage.sh slug $n)/part.json")
	done
}
