/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 16550 serial ports (PC16550D data sheet), at 115200 baud, 8N1.
 */
#include <kern/globaldata.h>
#include <kern/kprintf.h>

#include <amd64/cpufunc.h>
#include <amd64/machdep.h>
#include <dev/uart.h>

#define UART_DATA 0 /* with DLAB: divisor low */
#define UART_IER  1 /* with DLAB: divisor high */
#define UART_FCR  2
#define UART_IIR  2
#define UART_LCR  3
#define UART_MCR  4
#define UART_LSR  5

#define IER_RX	 0x01
#define FCR_ON	 0x07 /* enabled, both FIFOs cleared */
#define LCR_8N1	 0x03
#define LCR_DLAB 0x80
#define MCR_ON	 0x0b /* DTR, RTS, and OUT2, which lets interrupts out */
#define LSR_RX	 0x01
#define LSR_TX	 0x20

#define TX_PATIENCE 100000 /* polls; a port that is stuck must not hang us */
#define COM1_IRQ    4

static const uint16_t uart_base[UART_PORTS] = {0x3f8, 0x2f8};
static bool uart_there[UART_PORTS]; /* (k) */

/*
 * Sets both ports up and finds out which of them exist.
 */
void
uart_init(void)
{
	for (int i = 0; i < UART_PORTS; i++) {
		uint16_t base = uart_base[i];

		outb(base + UART_IER, 0);
		outb(base + UART_LCR, LCR_DLAB);
		outb(base + UART_DATA, 1); /* 115200 / 1 */
		outb(base + UART_IER, 0);
		outb(base + UART_LCR, LCR_8N1);
		outb(base + UART_FCR, FCR_ON);
		outb(base + UART_MCR, MCR_ON);
		/* Where there is no port, the bus reads all ones. */
		uart_there[i] = inb(base + UART_LSR) != 0xff;
	}
}

/*
 * Sends one character, waiting for room as long as it is reasonable.
 */
void
uart_putc(enum uart_port port, int ch)
{
	uint16_t base = uart_base[port];

	if (!uart_there[port])
		return;
	for (int i = 0; i < TX_PATIENCE; i++) {
		if (inb(base + UART_LSR) & LSR_TX)
			break;
		cpu_pause();
	}
	outb(base + UART_DATA, (uint8_t)ch);
}

/*
 * The interrupt: characters stay in the FIFO until uart_input() runs; no
 * further interrupt comes before that.
 */
static void
uart_intr(void *arg)
{
	atomic_set_uint(&mycpu->gd_reqflags, RQF_UART);
}

/*
 * Turns the console's receive interrupt on.
 */
void
uart_input_start(void)
{
	uint16_t base = uart_base[UART_CONSOLE];

	if (!uart_there[UART_CONSOLE])
		return;
	if (intr_establish(COM1_IRQ, uart_intr, NULL) != 0) {
		klog(KLOG_ERR, "no console input: no interrupt\n");
		return;
	}
	outb(base + UART_IER, IER_RX);
	/* What came before is not announced by an interrupt of its own. */
	if (inb(base + UART_LSR) & LSR_RX)
		atomic_set_uint(&mycpu->gd_reqflags, RQF_UART);
}

/*
 * Empties the receive FIFO into the terminal.
 */
void
uart_input(void)
{
	uint16_t base = uart_base[UART_CONSOLE];

	while (inb(base + UART_LSR) & LSR_RX)
		console_input(inb(base + UART_DATA));
	(void)inb(base + UART_IIR);
}
