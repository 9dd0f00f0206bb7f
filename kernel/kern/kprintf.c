/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formatted output. kvformat() is the one formatter; console, result stream
 * and buffers are its outlets.
 */
#include <kern/bootopt.h>
#include <kern/globaldata.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>

#include <amd64/cpufunc.h>
#include <dev/uart.h>

BOOTOPT(
    bo_loglevel, "loglevel", "0", "0 errors only, 1 what was found, 2 details");

/* One conversion as it is read. */
struct conv {
	void (*out)(void *, int);
	void *arg;
	int count; /* characters out so far */
	int width;
	int precision; /* -1: none */
	bool left, zero, plus, space, alt;
};

/*
 * One output's owner at a time: 0, or 1 + the CPU. It is taken with
 * interrupts disabled and no critical section, so that it works from the
 * first instruction to a post-mortem. The panicking CPU ignores it.
 */
static volatile uint32_t output_owner;
static bool panic_mode;
static uint32_t panic_cpu;

/*
 * One character to the outlet.
 */
static void
emit(struct conv *c, int ch)
{
	c->out(c->arg, ch);
	c->count++;
}

/*
 * Pads on the left, prints prefix and text, pads on the right.
 */
static void
emit_field(
    struct conv *c, const char *prefix, int zeroes, const char *s, int len)
{
	int plen = (int)strlen(prefix);
	int pad = c->width - plen - zeroes - len;

	for (; !c->left && pad > 0; pad--)
		emit(c, ' ');
	while (*prefix != '\0')
		emit(c, *prefix++);
	while (zeroes-- > 0)
		emit(c, '0');
	while (len-- > 0)
		emit(c, *s++);
	for (; c->left && pad > 0; pad--)
		emit(c, ' ');
}

/*
 * An unsigned number with prefix or sign; precision is the least number of
 * digits, as in ISO C.
 */
static void
emit_number(
    struct conv *c, uint64_t v, unsigned base, const char *prefix, bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char buf[24];
	int i = sizeof(buf), len, zeroes;

	for (; v != 0; v /= base)
		buf[--i] = digits[v % base];
	len = (int)sizeof(buf) - i;
	zeroes = (c->precision < 0 ? 1 : c->precision) - len;
	if (c->precision < 0 && c->zero && !c->left)
		zeroes = c->width - (int)strlen(prefix) - len;
	if (c->precision < 0 && len == 0 && zeroes < 1)
		zeroes = 1;
	emit_field(c, prefix, zeroes < 0 ? 0 : zeroes, buf + i, len);
}

/* The argument of an integer conversion of the given length: -2 hh, -1 h,
 * 0 none, 1 anything of 64 bits. */
static uint64_t
get_unsigned(va_list *ap, int length)
{
	switch (length) {
	case -2:
		return (unsigned char)va_arg(*ap, unsigned);
	case -1:
		return (unsigned short)va_arg(*ap, unsigned);
	case 0:
		return va_arg(*ap, unsigned);
	default:
		return va_arg(*ap, unsigned long);
	}
}

/*
 * The same for signed conversions.
 */
static int64_t
get_signed(va_list *ap, int length)
{
	switch (length) {
	case -2:
		return (signed char)va_arg(*ap, int);
	case -1:
		return (short)va_arg(*ap, int);
	case 0:
		return va_arg(*ap, int);
	default:
		return va_arg(*ap, long);
	}
}

/*
 * Reads flags, width, precision and length; where the conversion stands.
 */
static const char *
parse_spec(struct conv *c, const char *fmt, va_list *ap, int *length)
{
	c->left = c->zero = c->plus = c->space = c->alt = false;
	c->width = 0;
	c->precision = -1;
	*length = 0;
	for (;; fmt++) {
		if (*fmt == '-')
			c->left = true;
		else if (*fmt == '0')
			c->zero = true;
		else if (*fmt == '+')
			c->plus = true;
		else if (*fmt == ' ')
			c->space = true;
		else if (*fmt == '#')
			c->alt = true;
		else
			break;
	}
	if (*fmt == '*') {
		c->width = va_arg(*ap, int);
		fmt++;
		if (c->width < 0) {
			c->left = true;
			c->width = -c->width;
		}
	} else {
		c->width = (int)kstrtoull(fmt, &fmt, 10);
	}
	if (*fmt == '.') {
		fmt++;
		if (*fmt == '*') {
			c->precision = va_arg(*ap, int);
			fmt++;
		} else {
			c->precision = (int)kstrtoull(fmt, &fmt, 10);
		}
	}
	for (;; fmt++) {
		if (*fmt == 'h')
			(*length)--;
		else if (*fmt == 'l' || *fmt == 'z' || *fmt == 'j' ||
		    *fmt == 't')
			*length = 1;
		else
			return fmt;
	}
}

/*
 * One conversion. False when the character is none.
 */
static bool
convert(struct conv *c, int ch, int length, va_list *ap)
{
	int64_t sv;
	uint64_t v;
	char one;
	const char *s;

	switch (ch) {
	case 'd':
	case 'i':
		sv = get_signed(ap, length);
		emit_number(c, sv < 0 ? -(uint64_t)sv : (uint64_t)sv, 10,
		    sv < 0	   ? "-"
			: c->plus  ? "+"
			: c->space ? " "
				   : "",
		    false);
		return true;
	case 'u':
		emit_number(c, get_unsigned(ap, length), 10, "", false);
		return true;
	case 'x':
	case 'X':
		v = get_unsigned(ap, length);
		emit_number(c, v, 16, c->alt && v != 0 ? "0x" : "", ch == 'X');
		return true;
	case 'o':
		v = get_unsigned(ap, length);
		emit_number(c, v, 8, c->alt && v != 0 ? "0" : "", false);
		return true;
	case 'p':
		emit_number(c, (uint64_t)va_arg(*ap, void *), 16, "0x", false);
		return true;
	case 'c':
		one = (char)va_arg(*ap, int);
		emit_field(c, "", 0, &one, 1);
		return true;
	case 's':
		s = va_arg(*ap, const char *);
		if (s == NULL)
			s = "(null)";
		emit_field(c, "", 0, s,
		    (int)(c->precision < 0 ? strlen(s)
					   : strnlen(s, (size_t)c->precision)));
		return true;
	default:
		return false;
	}
}

/*
 * The formatter (see kprintf.h). An unknown conversion comes out as it stands.
 */
int
kvformat(
    void (*out)(void *arg, int ch), void *arg, const char *fmt, va_list ap0)
{
	struct conv c = {.out = out, .arg = arg};
	const char *start;
	int length;
	va_list ap;

	va_copy(ap, ap0);
	while (*fmt != '\0') {
		if (*fmt != '%') {
			emit(&c, *fmt++);
			continue;
		}
		start = fmt;
		fmt = parse_spec(&c, fmt + 1, &ap, &length);
		if (*fmt == '%') {
			emit(&c, '%');
		} else if (!convert(&c, *fmt, length, &ap)) {
			/* Not ours: show it as it stands. */
			for (; start < fmt; start++)
				emit(&c, *start);
			continue;
		}
		fmt++;
	}
	va_end(ap);
	return c.count;
}

struct strout {
	char *p, *end;
};

/*
 * The outlet into a buffer: what does not fit is dropped.
 */
static void
out_string(void *arg, int ch)
{
	struct strout *o = arg;

	if (o->p < o->end)
		*o->p++ = (char)ch;
}

/*
 * Formats into memory.
 */
int
kvsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct strout o = {buf, buf + (size > 0 ? size - 1 : 0)};
	int n = kvformat(out_string, &o, fmt, ap);

	if (size > 0)
		*o.p = '\0';
	return n;
}

/*
 * Formats into memory.
 */
int
ksnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = kvsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

/*
 * Makes this CPU the output's owner; interrupts are disabled. False: it was
 * already, or a panic broke the lock, and there is nothing to give back.
 */
static bool
output_lock(uint32_t me)
{
	while (!panic_mode && output_owner != me) {
		if (atomic_cmpset_uint(&output_owner, 0, me))
			return true;
		cpu_pause();
	}
	return false;
}

/*
 * Both outlets of text: the lock, the text, the lock.
 */
static int
output(void (*out)(void *, int), const char *fmt, va_list ap)
{
	uint64_t fl = intr_disable();
	uint32_t me = 1 + mycpuid;
	bool locked = output_lock(me);
	int n;

	/* After a panic only the CPU that panics has anything to say. */
	n = panic_mode && panic_cpu != me ? 0 : kvformat(out, NULL, fmt, ap);
	if (locked)
		atomic_store_uint(&output_owner, 0);
	intr_restore(fl);
	return n;
}

/*
 * Bytes as they are, whole.
 */
void
output_write(enum uart_port port, const void *buf, size_t len)
{
	const uint8_t *p = buf;
	uint64_t fl = intr_disable();
	uint32_t me = 1 + mycpuid;
	bool locked = output_lock(me);

	if (!panic_mode || panic_cpu == me) {
		while (len-- > 0)
			uart_putc(port, *p++);
	}
	if (locked)
		atomic_store_uint(&output_owner, 0);
	intr_restore(fl);
}

/*
 * The console's outlet: terminals want a carriage return.
 */
static void
out_console(void *arg, int ch)
{
	if (ch == '\n')
		uart_putc(UART_CONSOLE, '\r');
	uart_putc(UART_CONSOLE, ch);
}

/*
 * The result stream's outlet.
 */
static void
out_results(void *arg, int ch)
{
	uart_putc(UART_RESULTS, ch);
}

/*
 * Prints on the console.
 */
int
kvprintf(const char *fmt, va_list ap)
{
	return output(out_console, fmt, ap);
}

/*
 * Prints on the console.
 */
int
kprintf(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = kvprintf(fmt, ap);
	va_end(ap);
	return n;
}

/*
 * Prints on the console what the user wants to know.
 */
void
klog(int level, const char *fmt, ...)
{
	va_list ap;

	if (level > 0 && bootopt_u64(&bo_loglevel) < (uint64_t)level)
		return;
	va_start(ap, fmt);
	kvprintf(fmt, ap);
	va_end(ap);
}

/*
 * Prints on the result stream.
 */
void
result_printf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	output(out_results, fmt, ap);
	va_end(ap);
}

/*
 * This CPU is the only one that prints from here on.
 */
void
kprintf_panic_mode(void)
{
	panic_cpu = 1 + mycpuid;
	cpu_ccfence();
	panic_mode = true;
}
