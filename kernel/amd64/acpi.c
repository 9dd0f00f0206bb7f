/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI, as far as its static tables go: RSDP, RSDT or XSDT, MADT (ACPI
 * specification 6.4, 5.2.5 to 5.2.12).
 */
#include <kern/bootopt.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>

#include <amd64/acpi.h>
#include <amd64/multiboot.h>

struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length; /* from here on: revision 2 */
	uint64_t xsdt;
	uint8_t ext_checksum, reserved[3];
} __packed;

struct sdt {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem[6], oem_table[8];
	uint32_t oem_revision, creator, creator_revision;
} __packed;

struct madt {
	struct sdt sdt;
	uint32_t lapic, flags;
	uint8_t entries[];
} __packed;

#define MADT_LAPIC    0
#define MADT_IOAPIC   1
#define MADT_OVERRIDE 2
#define MADT_LAPIC64  5

struct acpi_info acpi_info;

/*
 * ACPI's checksum: the bytes of a table add up to 0.
 */
static bool
sum_is_zero(const void *p, size_t len)
{
	const uint8_t *b = p;
	uint8_t sum = 0;

	while (len-- > 0)
		sum += *b++;
	return sum == 0;
}

/*
 * Is this the root pointer? Its first 20 bytes have a checksum of their own.
 */
static bool
rsdp_valid(const struct rsdp *r)
{
	return memcmp(r->signature, "RSD PTR ", 8) == 0 && sum_is_zero(r, 20);
}

/*
 * The root pointer: the boot loader's copy, or, by the BIOS's convention,
 * on a 16-byte boundary of the EBDA's first KiB or of 0xe0000-0xfffff.
 */
static const struct rsdp *
find_rsdp(void)
{
	vm_paddr_t ebda;
	const struct rsdp *r = (const struct rsdp *)bootinfo.bi_rsdp;

	if (bootinfo.bi_have_rsdp && rsdp_valid(r))
		return r;
	ebda = (vm_paddr_t) * (const uint16_t *)PHYS_TO_DMAP(0x40e) << 4;
	for (vm_paddr_t pa = ebda; ebda != 0 && pa < ebda + 1024; pa += 16) {
		if (rsdp_valid((r = (void *)PHYS_TO_DMAP(pa))))
			return r;
	}
	for (vm_paddr_t pa = 0xe0000; pa < 0x100000; pa += 16) {
		if (rsdp_valid((r = (void *)PHYS_TO_DMAP(pa))))
			return r;
	}
	return NULL;
}

/*
 * The table of that signature, or NULL.
 */
static const struct sdt *
find_table(const struct rsdp *r, const char *signature)
{
	bool wide = r->revision >= 2 && r->xsdt != 0;
	vm_paddr_t root = wide ? r->xsdt : r->rsdt;
	const struct sdt *t = (const void *)PHYS_TO_DMAP(root);
	const uint8_t *p = (const uint8_t *)(t + 1);
	const uint8_t *end = (const uint8_t *)t + t->length;
	size_t size = wide ? 8 : 4;

	for (; p + size <= end; p += size) {
		vm_paddr_t pa = 0;

		memcpy(&pa, p, size);
		t = (const void *)PHYS_TO_DMAP(pa);
		if (memcmp(t->signature, signature, 4) == 0 &&
		    sum_is_zero(t, t->length))
			return t;
	}
	return NULL;
}

/*
 * Notes a processor that the firmware says may be used; the boot CPU is there
 * already. Says so when there is no room for more.
 */
static void
add_cpu(uint8_t apicid)
{
	if (apicid == acpi_info.ai_apicid[0])
		return;
	if (acpi_info.ai_cpus == MAXCPU) {
		klog(KLOG_ERR, "CPU with APIC id %u not used: %d at most\n",
		    apicid, MAXCPU);
		return;
	}
	acpi_info.ai_apicid[acpi_info.ai_cpus++] = apicid;
}

/*
 * Notes an I/O APIC: its registers' address and its first input's number.
 */
static void
add_ioapic(const uint8_t *e)
{
	uint32_t pa, base;
	int i = acpi_info.ai_ioapics;

	if (i == ACPI_IOAPICS)
		return;
	memcpy(&pa, e + 4, 4);
	memcpy(&base, e + 8, 4);
	acpi_info.ai_ioapic[i].pa = pa;
	acpi_info.ai_ioapic[i].gsi_base = base;
	acpi_info.ai_ioapics = i + 1;
}

/*
 * Notes that an ISA interrupt arrives at another input or with another
 * polarity than it would by default.
 */
static void
add_override(const uint8_t *e)
{
	uint32_t gsi;
	uint16_t flags;
	struct acpi_override *o = &acpi_info.ai_isa[e[3] & 15];

	memcpy(&gsi, e + 4, 4);
	memcpy(&flags, e + 8, 2);
	o->gsi = gsi;
	o->active_low = (flags & 3) == 3;
	o->level = (flags >> 2 & 3) == 3;
}

/*
 * Fills acpi_info (see acpi.h). Boot CPU, once.
 */
void
acpi_init(uint32_t boot_apicid)
{
	const struct rsdp *r = find_rsdp();
	const struct madt *m;
	const uint8_t *e, *end;
	uint64_t lapic64;

	if (r == NULL)
		boot_die("no ACPI tables");
	m = (const struct madt *)find_table(r, "APIC");
	if (m == NULL)
		boot_die("ACPI has no table of interrupt controllers (MADT)");
	acpi_info.ai_lapic = m->lapic;
	acpi_info.ai_apicid[0] = (uint8_t)boot_apicid;
	acpi_info.ai_cpus = 1;
	for (uint32_t i = 0; i < 16; i++)
		acpi_info.ai_isa[i].gsi = i;
	end = (const uint8_t *)m + m->sdt.length;
	for (e = m->entries; e + 2 <= end && e[1] >= 2; e += e[1]) {
		switch (e[0]) {
		case MADT_LAPIC:
			if (e[4] & 1) /* enabled */
				add_cpu(e[3]);
			break;
		case MADT_IOAPIC:
			add_ioapic(e);
			break;
		case MADT_OVERRIDE:
			add_override(e);
			break;
		case MADT_LAPIC64:
			memcpy(&lapic64, e + 4, 8);
			acpi_info.ai_lapic = lapic64;
			break;
		}
	}
}
