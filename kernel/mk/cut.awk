# SPDX-License-Identifier: BSD-2-Clause
#
# Cuts a starter from a solution file.  An exercise's text stands there between
#
#	/* LAB 4.2a: a hint */ ... /* END LAB 4.2a */
#
# where the letter tells the regions of one exercise apart.  The body becomes
# LAB_TODO(4, 2), or, with "LAB 4.2a previous: a hint", what the previous stage
# had at this place.  In a text file the marks begin with "#", and of the body's
# lines "question = answer" the answers become "?".
#
# Wants: mode, "cut", or "strip" for the solution without its marks; and for
# cut: lab, the number; plain, the solution without its marks; before, the
# previous stage's file without marks, or ""; and names, a file to which each
# region's name and place is added.  With "only", an exercise, the other regions
# keep their bodies.  An error is said in one line and ends it with status 1.

function fail(line, why)
{
	printf "%s:%d: %s\n", FILENAME, line, why > "/dev/stderr"
	failed = 1
	exit 1
}

# The mark that begins at this line, read to its end, or "".
function mark(	text)
{
	if ($0 !~ /^[ \t]*(\/\*|#) (END )?LAB [0-9]/)
		return ""
	text = $0
	while (text !~ /^[ \t]*#/ && text !~ /\*\//) {
		if ((getline) <= 0)
			fail(FNR, "the mark's comment has no end")
		text = text "\n" $0
	}
	return text
}

{
	text = mark()
	if (text == "") {
		if (mode == "strip")
			print
		line[++n] = $0
		next
	}
	id = text
	sub(/^[ \t]*(\/\*|#) (END )?LAB /, "", id)
	rest = id
	sub(/[^0-9.a-z].*/, "", id)
	rest = substr(rest, length(id) + 1)
	if (text ~ /^[ \t]*(\/\*|#) END /) {
		if (open == "")
			fail(FNR, "the end of region " id ", which has not begun")
		if (open != id)
			fail(FNR, "the end of region " id " in region " open)
		last[regions] = n
		tail[regions] = text
		open = ""
		next
	}
	if (id !~ /^[0-9]+\.[0-9]+[a-z]?$/ ||
	    rest !~ /^( previous)?: ./)
		fail(FNR, "a mark looks like /* LAB 4.2a: hint */")
	if (open != "")
		fail(FNR, "region " id " begins in region " open)
	if (mode == "cut" && id + 0 != lab && id !~ "^" lab "\\.")
		fail(FNR, "region " id " in lab " lab)
	open = id
	name[++regions] = id
	kind[regions] = rest ~ /^ previous:/ ? "previous" : \
	    text ~ /^[ \t]*#/ ? "answers" : "todo"
	sub(/ previous:/, ":", text)
	head[regions] = text
	first[regions] = n + 1
	at[regions] = FNR
}

# Reads how the plain solution differs from the file before it: hunks of
# lines old[h] .. old[h] + gone[h] - 1 there, new[h] .. here, both counted from 1;
# of nothing, where it would stand.
function hunks(	cmd, s, part, l, r, op)
{
	cmd = "diff --minimal '" before "' '" plain "'"
	while ((cmd | getline s) > 0) {
		if (s !~ /^[0-9]/)
			continue
		op = s
		gsub(/[0-9,]/, "", op)
		split(s, part, /[acd]/)
		split(part[1] "," part[1], l, ",")
		split(part[2] "," part[2], r, ",")
		nh++
		old[nh] = op == "a" ? l[1] + 1 : l[1]
		gone[nh] = op == "a" ? 0 : l[2] - l[1] + 1
		new[nh] = op == "d" ? r[1] + 1 : r[1]
		come[nh] = op == "d" ? 0 : r[2] - r[1] + 1
	}
	close(cmd)
	while ((getline s < before) > 0)
		was[++nwas] = s
}

# The previous stage's text of region i.
function previous(i,	h, shift, grow, to, k, out)
{
	for (h = 1; h <= nh; h++) {
		to = new[h] + come[h] - 1
		if (!used[h] && new[h] >= first[i] && to <= last[i] &&
		    new[h] <= last[i] + 1) {
			used[h] = 1
			grow += gone[h] - come[h]
			changed[i] = 1
		} else if (to < first[i]) {
			shift += gone[h] - come[h]
		} else if (new[h] <= last[i]) {
			fail(at[i], "what part " lab " changes at its line " \
			    new[h] " lies across an edge of region " name[i])
		}
	}
	if (!changed[i])
		fail(at[i], "region " name[i] " changes nothing of the stage before")
	for (k = first[i] + shift; k <= last[i] + shift + grow; k++)
		out = out was[k] "\n"
	return out
}

# The number of an exercise that region i belongs to.
function exercise(i,	s)
{
	s = name[i]
	sub(/[a-z]$/, "", s)
	return s
}

# The text that a starter has for region i.
function body(i,	indent, out, k, s)
{
	if (only != "" && exercise(i) != only) {
		for (k = first[i]; k <= last[i]; k++)
			out = out line[k] "\n"
		return out
	}
	if (kind[i] == "previous")
		return previous(i)
	if (kind[i] == "answers") {
		for (k = first[i]; k <= last[i]; k++) {
			s = line[k]
			sub(/ = .*/, " = ?", s)
			out = out s "\n"
		}
		return out
	}
	indent = head[i]
	sub(/\/\*.*/, "", indent)
	if (indent !~ /^\t/)
		fail(at[i], "region " name[i] " is in no function: say previous")
	s = exercise(i)
	sub(/\./, ", ", s)
	return indent "LAB_TODO(" s ");\n"
}

END {
	if (failed)
		exit 1
	if (open != "")
		fail(at[regions], "region " open " has no end")
	if (mode == "strip")
		exit 0
	if (before != "")
		hunks()
	for (i = 1; i <= regions; i++) {
		if (kind[i] == "previous" && before == "")
			fail(at[i], "region " name[i] ": no stage before has the file")
		print name[i], FILENAME ":" at[i] >> names
	}
	i = 1
	for (k = 1; k <= n + 1; k++) {
		while (i <= regions && first[i] == k) {
			printf "%s\n%s%s\n", head[i], body(i), tail[i]
			k = last[i] + 1
			i++
		}
		if (k <= n)
			print line[k]
	}
}
