/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two serial ports: COM1 the console, COM2 the result stream.
 */
#ifndef DEV_UART_H
#define DEV_UART_H

#include <kern/types.h>

enum uart_port { UART_CONSOLE, UART_RESULTS, UART_PORTS };

void uart_init(void); /* boot; output works from then on */
/* Polled, any context. Callers keep their text whole by kprintf's lock. */
void uart_putc(enum uart_port port, int ch);
/* Bytes as they are, whole: nothing else comes in between. Any context; kept
 * short, since interrupts wait meanwhile. (kern/kprintf.c) */
void output_write(enum uart_port port, const void *buf, size_t len);
/* Console input from now on: interrupts; the boot CPU, after ioapic_init()
 * and when console_input() may be called. */
void uart_input_start(void);
/* RQF_UART: hands what has come to console_input(). Interrupts enabled, in
 * a critical section, CPU 0. */
void uart_input(void);

/* The terminal's (fs/): one character came; sleeps on nothing. */
void console_input(int ch);

#endif
