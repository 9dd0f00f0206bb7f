/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debian's busybox shell, the binary as it is packaged.  Each test gives it one
 * script; what the script prints is the fact.
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "t.h"

/* Runs a script with busybox sh -c, and says how the shell ended. */
static void
script(const char *text)
{
	char *argv[] = {"sh", "-c", (char *)(uintptr_t)text, NULL};
	char *envp[] = {"PATH=/bin", "HOME=/", "LC_ALL=C", NULL};
	pid_t pid;

	pid = t_fork();
	if (pid == 0) {
		MUST(dup2(1, 2)); /* complaints are facts, too */
		MUST(execve("/bin/sh", argv, envp));
		_exit(9);
	}
	say("%s\n", t_status(t_wait(pid)));
}

/* Words, quotes and variables. */
TEST(echo)
{
	script("x='two words'; echo one $x \"$x\" '$x' ${x%words}end; "
	       "echo ${#x} ${y:-none} $#; set -- a b c; echo $# $2 \"$*\"");
}

/* Pipes. */
TEST(pipe)
{
	script("echo c b a | tr ' ' '\\n' | sort | cat -n");
	script("seq 1 1000 | wc -l");
	script("seq 1 5000 | sed -n '4999,$p' | tr '\\n' ' '; echo");
}

/* Command substitution, nested too. */
TEST(substitution)
{
	script("a=$(echo $(echo inner) outer); echo \"[$a]\"; echo `echo old`;"
	       "n=$(seq 1 100 | wc -l); echo $((n * 2 + 1))");
}

/* Loops and tests. */
TEST(loops)
{
	script("i=0; while [ $i -lt 5 ]; do i=$((i+1)); [ $i = 3 ] && continue;"
	       "printf '%s ' $i; done; echo; for f in x y z; do echo -n $f; "
	       "done; echo; until [ $i -eq 0 ]; do i=$((i-1)); done; echo $i");
}

/* Functions, case, arithmetic and recursion. */
TEST(functions)
{
	script("fib() { if [ $1 -lt 2 ]; then echo $1; else echo $(( "
	       "$(fib $(($1-1))) + $(fib $(($1-2))) )); fi; }; fib 6; "
	       "case abc in a*c) echo match;; *) echo no;; esac; "
	       "echo $((7/2)) $((7%2)) $((1<<10)) $((0x1f))");
}

/* Redirection, here-documents and append. */
TEST(redirection)
{
	script("mkdir sr && cd sr || exit; echo one > f; echo two >> f; "
	       "cat < f; cat <<END >> f\nthree $((1+2))\nEND\nwc -l < f; "
	       "ls nothing 2>/dev/null || echo gone; { echo a; echo b; } > g; "
	       "cat f g; cd ..; rm -r sr; ls sr");
}

/* Exit statuses, and, or, not. */
TEST(statuses)
{
	script("true; echo $?; false; echo $?; (exit 7); echo $?; "
	       "true && echo and; false || echo or; ! false && echo not; "
	       "sh -c 'kill -9 $$'; echo $?; nosuchcommand; echo $?; exit 3");
}

/* Background jobs and wait. */
TEST(background)
{
	script("(exit 4) & p=$!; wait $p; echo $?; "
	       "for i in 1 2 3; do (exit $i) & done; wait; echo all; "
	       "sleep 0.01 & wait $!; echo slept");
}

/* Listing, finding and removing files. */
TEST(files)
{
	script("mkdir -p sf/a/b sf/c; cd sf; echo x > a/1; echo yy > a/b/2; "
	       "cp a/1 c/3; mv a/b/2 c/2; ln -s c link; ls -1 . link; "
	       "find . | sort; cat c/*; rm -r a c link; ls; cd ..; rmdir sf");
}

/* Text tools. */
TEST(text)
{
	script(
	    "seq 1 20 | grep 1 | head -n 5 | tr '\\n' ,; echo; "
	    "printf 'b 2\\na 1\\nc 3\\n' | sort -k2 -r | cut -d' ' -f1; "
	    "echo hello | sed 's/l\\+/L/'; "
	    "printf '1 2\\n3 4\\n' | awk '{ s += $1 * $2 } END { print s }'");
}

/* Checksums and archives: more bytes through pipes. */
TEST(archive)
{
	script("mkdir sa; seq 1 3000 > sa/n; md5sum < sa/n; tar cf - sa | tar "
	       "tf -; gzip -c sa/n | gunzip -c | md5sum; od -An -tx1 sa/n | "
	       "head -n 2; rm -r sa");
}

/* A trap, and a signal that the shell sends to itself. */
TEST(trap)
{
	script("trap 'echo caught' USR1; kill -USR1 $$; echo on; "
	       "trap 'echo bye' EXIT; trap '' TERM; kill $$; echo alive");
}

/* A script in a file, run by name, with arguments. */
TEST(file)
{
	script("printf 'echo \"$0 has $#: $1\"\\nexit 5\\n' > s.sh; sh s.sh a "
	       "b; echo $?; . ./s.sh; echo never");
	script("cat s.sh | sh -s x y z; rm s.sh");
}

/* A long line of processes, each reading the one before. */
TEST(long_pipe)
{
	script("echo 1 | cat | cat | cat | cat | cat | cat | cat | sed s/1/2/");
	script("yes | head -n 1000 | md5sum");
}
