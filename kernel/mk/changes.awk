# SPDX-License-Identifier: BSD-2-Clause
#
# Reads two stages' versions of one file, without exercise marks, and prints the
# functions, types and macros that differ, or that only one of them has.
# Called with the earlier version first; "/dev/null" stands for no file.

FNR == 1 {
	finish()
	side++
}

function finish()
{
	if (name != "")
		text[side, name] = body
	if (name != "" && !(name in known)) {
		known[name] = 1
		order[++n] = name
	}
	name = body = ""
}

# A name's text goes on to the line that ends it.
name != "" {
	body = body "\n" $0
	if (ends == "brace" ? /^}/ : !/\\$/) {
		if (name ~ /^typedef$/) {
			name = $0
			sub(/^} /, "", name)
			sub(/;.*/, "", name)
		}
		finish()
	}
	next
}

/^(typedef )?(struct|union|enum)( [a-z_0-9]+)? {$/ {
	name = $1 == "typedef" ? "typedef" : $1 " " $2
	ends = "brace"
	body = $0
	next
}

/^#define/ {
	name = $2
	sub(/\(.*/, "", name)
	ends = "line"
	body = $0
	if (!/\\$/)
		finish()
	next
}

# Return type on its own line, then the name in column one.
/^[a-zA-Z_][A-Za-z_0-9]*\(/ && last ~ /^[a-z].*[a-z_0-9*]$/ && last !~ /;/ {
	name = $0
	sub(/\(.*/, "", name)
	ends = "brace"
	body = last "\n" $0
	next
}

{ last = $0 }

END {
	finish()
	for (i = 1; i <= n; i++)
		if (text[1, order[i]] != text[2, order[i]])
			print order[i]
}
