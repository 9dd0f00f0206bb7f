/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Draws on the screen, /dev/fb0, by writing to its mapped memory: a nymph, and
 * beside it the chain of objects behind a process's memory.
 */

#include <fcntl.h>
#include <linux/fb.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"

#define PAGE	 4096
#define OWNPAGES 8
#define OWNGENS	 4 /* of the chain made for the picture */
#define MAXCHAIN 6 /* boxes that the screen has room for */

static const char usage[] =
    "usage: draw [PID]\n"
    "\n"
    "Draws on the screen, /dev/fb0, a nymph, and the longest chain of objects\n"
    "in a process's memory; without PID a chain that it makes itself.\n";

/* One object, as /proc/PID/vm has it. */
struct object {
	long id, refs, size, resident;
};

static uint32_t *pixels; /* the screen: width by height, stride in pixels */
static int width, height, stride;

/* --- Shapes ------------------------------------------------------------- */

/* Lays a colour over a pixel, share of 256 of it. */
static void
blend(int x, int y, uint32_t colour, int share)
{
	uint32_t old, rb, g;

	if (x < 0 || y < 0 || x >= width || y >= height || share <= 0)
		return;
	if (share > 256)
		share = 256;
	old = pixels[y * stride + x];
	rb = ((colour & 0xff00ff) * share + (old & 0xff00ff) * (256 - share)) >>
	    8;
	g = ((colour & 0xff00) * share + (old & 0xff00) * (256 - share)) >> 8;
	pixels[y * stride + x] = (rb & 0xff00ff) | (g & 0xff00);
}

static void
rectangle(int x, int y, int w, int h, uint32_t colour)
{
	for (int i = y; i < y + h; i++)
		for (int k = x; k < x + w; k++)
			blend(k, i, colour, 256);
}

/* An ellipse with radii rx and ry, turned by an angle, with a soft edge. */
static void
ellipse(float cx, float cy, float rx, float ry, float angle, uint32_t colour)
{
	float c = cosf(angle), s = sinf(angle), r = rx > ry ? rx : ry;
	float u, v, f, soft = (rx < ry ? rx : ry) / 2;

	for (int y = cy - r - 1; y <= cy + r + 1; y++)
		for (int x = cx - r - 1; x <= cx + r + 1; x++) {
			u = ((x - cx) * c + (y - cy) * s) / rx;
			v = ((y - cy) * c - (x - cx) * s) / ry;
			f = (1 - u * u - v * v) * soft + 0.5f;
			blend(x, y, colour, f * 256);
		}
}

/* A line that grows thinner from radius r0 to r1. */
static void
line(
    float x0, float y0, float x1, float y1, float r0, float r1, uint32_t colour)
{
	float dx = x1 - x0, dy = y1 - y0, len2 = dx * dx + dy * dy;
	float t, px, py, d;

	for (int y = fminf(y0, y1) - r0 - 1; y <= fmaxf(y0, y1) + r0 + 1; y++)
		for (int x = fminf(x0, x1) - r0 - 1;
		     x <= fmaxf(x0, x1) + r0 + 1; x++) {
			t = ((x - x0) * dx + (y - y0) * dy) / len2;
			t = t < 0 ? 0 : t > 1 ? 1 : t;
			px = x - x0 - t * dx;
			py = y - y0 - t * dy;
			d = r0 + t * (r1 - r0) - sqrtf(px * px + py * py);
			blend(x, y, colour, (d + 0.5f) * 256);
		}
}

/* Capitals, digits and a few signs: seven rows of five dots each. */
static const char font_chars[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-/#:.";
static const uint8_t font[][7] = {
    {0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e},
    {0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e},
    {0x0e, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1f},
    {0x1f, 0x02, 0x04, 0x06, 0x01, 0x11, 0x0e},
    {0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02},
    {0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e},
    {0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e},
    {0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08},
    {0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e},
    {0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c},
    {0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11},
    {0x1e, 0x11, 0x11, 0x1e, 0x11, 0x11, 0x1e},
    {0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e},
    {0x1e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1e},
    {0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f},
    {0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x10},
    {0x0e, 0x11, 0x10, 0x17, 0x11, 0x11, 0x0f},
    {0x11, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11},
    {0x0e, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e},
    {0x07, 0x02, 0x02, 0x02, 0x02, 0x12, 0x0c},
    {0x11, 0x12, 0x14, 0x18, 0x14, 0x12, 0x11},
    {0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1f},
    {0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11},
    {0x11, 0x19, 0x15, 0x13, 0x11, 0x11, 0x11},
    {0x0e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e},
    {0x1e, 0x11, 0x11, 0x1e, 0x10, 0x10, 0x10},
    {0x0e, 0x11, 0x11, 0x11, 0x15, 0x12, 0x0d},
    {0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11},
    {0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e},
    {0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04},
    {0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e},
    {0x11, 0x11, 0x11, 0x11, 0x11, 0x0a, 0x04},
    {0x11, 0x11, 0x11, 0x15, 0x15, 0x1b, 0x11},
    {0x11, 0x11, 0x0a, 0x04, 0x0a, 0x11, 0x11},
    {0x11, 0x11, 0x0a, 0x04, 0x04, 0x04, 0x04},
    {0x1f, 0x01, 0x02, 0x04, 0x08, 0x10, 0x1f},
    {0x00, 0x00, 0x00, 0x1f, 0x00, 0x00, 0x00},
    {0x01, 0x01, 0x02, 0x04, 0x08, 0x10, 0x10},
    {0x0a, 0x0a, 0x1f, 0x0a, 0x1f, 0x0a, 0x0a},
    {0x00, 0x04, 0x04, 0x00, 0x04, 0x04, 0x00},
    {0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x0c},
};

/* Text, each dot of it a square of so many pixels. */
static void
text(int x, int y, int dot, uint32_t colour, const char *s)
{
	const char *p;

	for (; *s != '\0'; s++, x += 6 * dot) {
		p = strchr(font_chars, *s);
		if (p == NULL)
			continue;
		for (int row = 0; row < 7; row++)
			for (int col = 0; col < 5; col++)
				if (font[p - font_chars][row] & 0x10 >> col)
					rectangle(x + col * dot, y + row * dot,
					    dot, dot, colour);
	}
}

/* --- The picture ---------------------------------------------------------- */

/* A pond, darker towards the ground, and the light on it. */
static void
pond(void)
{
	for (int y = 0; y < height; y++) {
		int d = y * 256 / height;
		uint32_t colour = (uint32_t)(24 - d * 16 / 256) << 16 |
		    (uint32_t)(112 - d * 80 / 256) << 8 |
		    (uint32_t)(128 - d * 64 / 256);

		rectangle(0, y, width, 1, colour);
	}
	for (int i = 0; i < 9; i++)
		line(40 + i * 83 % 300, 14 + i * 7, 130 + i * 83 % 300,
		    14 + i * 7, 1.5f, 0.5f, 0x6fc0c0);
}

/* A nymph from above, its head up, this much of the screen's units. */
static void
nymph(float x, float y, float unit)
{
	static const float widths[] = {30, 36, 41, 44, 45, 43, 38, 31, 22};
	static const float feet[3][4] = {
	    /* knee, foot; from the middle of the thorax */
	    {-75, -60, -105, -130},
	    {-95, -5, -150, -25},
	    {-85, 55, -135, 120},
	};
	float side, at;
	int i;

	for (side = -1; side <= 1; side += 2)
		for (i = 0; i < 3; i++) {
			line(x + side * 30 * unit, y + (i - 1) * 18 * unit,
			    x - side * feet[i][0] * unit, y + feet[i][1] * unit,
			    6 * unit, 4.5f * unit, 0x4f5a28);
			line(x - side * feet[i][0] * unit,
			    y + feet[i][1] * unit, x - side * feet[i][2] * unit,
			    y + feet[i][3] * unit, 4.5f * unit, 2 * unit,
			    0x5f6c30);
		}
	for (i = -1; i <= 1; i++)
		line(x + i * 8 * unit, y + 262 * unit, x + i * 17 * unit,
		    y + (302 - 12 * abs(i)) * unit, 7 * unit, 1, 0x56602c);
	for (i = 8; i >= 0; i--) {
		at = y + (58 + 25 * i) * unit;
		ellipse(x, at, widths[i] * unit, 19 * unit, 0,
		    i % 2 ? 0x7c8a3c : 0x8e9c48);
		ellipse(x, at - 4 * unit, widths[i] * 0.35f * unit, 9 * unit, 0,
		    0xb0ba64);
	}
	ellipse(x, y, 42 * unit, 46 * unit, 0, 0x7c8a3c);
	for (side = -1; side <= 1; side += 2) {
		ellipse(x + side * 26 * unit, y + 62 * unit, 13 * unit,
		    58 * unit, side * -0.22f, 0x5d6a2c);
		ellipse(x + side * 14 * unit, y + 56 * unit, 11 * unit,
		    52 * unit, side * -0.12f, 0x9aa650);
	}
	ellipse(x, y - 8 * unit, 24 * unit, 26 * unit, 0, 0xa4b058);
	for (side = -1; side <= 1; side += 2)
		line(x + side * 12 * unit, y - 82 * unit, x + side * 34 * unit,
		    y - 122 * unit, 2.5f * unit, 1, 0x5f6c30);
	ellipse(x, y - 66 * unit, 44 * unit, 25 * unit, 0, 0x8e9c48);
	for (side = -1; side <= 1; side += 2) {
		ellipse(x + side * 37 * unit, y - 72 * unit, 17 * unit,
		    19 * unit, side * 0.5f, 0x3a1f10);
		ellipse(x + side * 33 * unit, y - 79 * unit, 5 * unit, 5 * unit,
		    0, 0xf0e8c8);
	}
}

/* A chain of objects, the front one on top: a box for each, with its number,
 * references and pages. */
static void
chain(const struct object *o, int n, int x, int y, int w)
{
	static const uint32_t colours[MAXCHAIN] = {
	    0xe0a030, 0xd07030, 0xb04838, 0x904060, 0x684880, 0x485890};
	int step = 88, h = 62, cell, cells;
	char label[64];

	for (int i = 0; i < n; i++, o++, y += step) {
		rectangle(x + 5, y + 5, w, h, 0x06141c);
		rectangle(x, y, w, h, colours[i]);
		rectangle(x + 3, y + 3, w - 6, h - 6, 0x10262e);
		snprintf(label, sizeof(label), "OBJECT #%ld", o->id);
		text(x + 12, y + 10, 2, 0xf4f0e0, label);
		snprintf(label, sizeof(label), "REFS: %ld", o->refs);
		text(x + w - 110, y + 10, 2, colours[i], label);
		cells = o->size > 0 && o->size < 16 ? o->size : 16;
		cell = (w - 24) / cells;
		for (int k = 0; k < cells; k++)
			rectangle(x + 12 + k * cell, y + 34, cell - 3, 18,
			    k * o->size < o->resident * cells ? colours[i]
							      : 0x2a444c);
		if (i == n - 1)
			break;
		line(x + w / 2, y + h, x + w / 2, y + step - 8, 2.5f, 2.5f,
		    0xf4f0e0);
		line(x + w / 2 - 8, y + step - 12, x + w / 2, y + step - 3,
		    2.5f, 1, 0xf4f0e0);
		line(x + w / 2 + 8, y + step - 12, x + w / 2, y + step - 3,
		    2.5f, 1, 0xf4f0e0);
	}
}

static void
picture(const struct object *o, int n, int pid)
{
	char label[64];

	pond();
	nymph(210, 250, 1);
	text(430, 24, 6, 0xf4f0e0, "NYMPH");
	snprintf(label, sizeof(label), "THE CHAIN OF PROCESS %d", pid);
	text(430, 78, 2, 0xa8d0d0, label);
	chain(o, n, 430, 106, 330);
}

/* --- What is to be drawn ------------------------------------------------------ */

/* Reads the longest chain of a process, at most MAXCHAIN objects of it; how
 * many there are in o. */
static int
read_chain(int pid, struct object *o)
{
	char path[32], *text_line = NULL, *p;
	struct object found[MAXCHAIN];
	size_t size = 0;
	int n, best = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/vm", pid);
	f = fopen(path, "r");
	if (f == NULL)
		return -1;
	while (getline(&text_line, &size, f) > 0) {
		n = 0;
		for (p = strstr(text_line, "\"id\":");
		     p != NULL && n < MAXCHAIN;
		     p = strstr(p + 1, "\"id\":"), n++) {
			found[n].id = json_number(p, "\"id\":");
			found[n].refs = json_number(p, "\"refs\":");
			found[n].size = json_number(p, "\"size\":");
			found[n].resident = json_number(p, "\"resident\":");
		}
		if (n > best) {
			best = n;
			memcpy(o, found, sizeof(found));
		}
	}
	free(text_line);
	fclose(f);
	return best;
}

/* Maps the screen; a message, or NULL. */
static const char *
open_screen(void)
{
	struct fb_fix_screeninfo fix;
	struct fb_var_screeninfo var;
	int fd = open("/dev/fb0", O_RDWR);
	void *p;

	if (fd == -1)
		return "there is no screen";
	if (ioctl(fd, FBIOGET_FSCREENINFO, &fix) == -1 ||
	    ioctl(fd, FBIOGET_VSCREENINFO, &var) == -1)
		return "the screen tells nothing of itself";
	if (var.bits_per_pixel != 32)
		return "the screen has not 32 bits a pixel";
	width = (int)var.xres;
	height = (int)var.yres;
	stride = (int)fix.line_length / 4;
	p = mmap(NULL, (size_t)height * fix.line_length, PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return "the screen cannot be mapped";
	pixels = p;
	return NULL;
}

/* The generations of the chain for the picture: each writes a page, the last
 * one draws. */
static int
generation(char *p, int gen)
{
	struct object o[MAXCHAIN];
	int status = 1, n;
	pid_t pid;

	for (int i = 0; i < OWNPAGES; i++)
		if (gen == 0 || i == gen)
			p[i * PAGE] = (char)(gen + 1);
	if (gen == OWNGENS) {
		n = read_chain(getpid(), o);
		if (n > 0)
			picture(o, n, getpid());
		return n > 0 ? 0 : 1;
	}
	pid = fork();
	if (pid == 0)
		_exit(generation(p, gen + 1));
	if (pid != -1)
		waitpid(pid, &status, 0);
	return status != 0;
}

int
main(int argc, char **argv)
{
	struct object o[MAXCHAIN];
	const char *error;
	int n, pid;
	char *p;

	pid = argc == 2 ? atoi(argv[1]) : 0;
	if (argc > 2 || (argc == 2 && pid <= 0)) {
		fputs(usage, stderr);
		return 2;
	}
	error = open_screen();
	if (error != NULL) {
		fprintf(stderr, "draw: %s\n", error);
		return 1;
	}
	if (pid != 0) {
		n = read_chain(pid, o);
		if (n < 0) {
			fprintf(stderr, "draw: no such process\n");
			return 1;
		}
		picture(o, n, pid);
	} else {
		p = mmap(NULL, OWNPAGES * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED || generation(p, 0) != 0) {
			fprintf(stderr, "draw: no chain to draw\n");
			return 1;
		}
	}
	printf("drawn, %d by %d\n", width, height);
	return 0;
}
