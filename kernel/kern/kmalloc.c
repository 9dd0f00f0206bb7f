/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kmalloc: memory of any size, counted by owner.
 *
 * Sizes up to SLAB_MAX are rounded to a power of two and carved out of
 * single pages: a slab has its header at the start of the page, so that an
 * object's slab is found by masking the address, and a bitmap of its free
 * objects, so that the lowest one is given out first and freeing twice is
 * found out. Larger sizes are runs of whole pages, page-aligned, looked up
 * in a small hash when they come back; where no run of free pages is left,
 * single ones are mapped side by side.
 */
#include <kern/inject.h>
#include <kern/kmalloc.h>

#include <kern/kprintf.h>
#include <kern/kstring.h>
#include <san/kasan_var.h>
#include <san/witness.h>
#include <vm/vm_kern.h>
#include <vm/vm_page.h>

MALLOC_DEFINE(M_TEMP, "temp");
MALLOC_DEFINE(M_KMALLOC, "kmalloc");

#define SLAB_MIN_SHIFT 4
#define SLAB_MAX_SHIFT 10
#define SLAB_MAX       (1UL << SLAB_MAX_SHIFT)
#define SLAB_CLASSES   (SLAB_MAX_SHIFT - SLAB_MIN_SHIFT + 1)
#define SLAB_MAGIC     0x534c4142U
#define SLAB_WORDS     4 /* 256 bits: 252 objects of 16 bytes at most */

struct slab {		   /* all but the constants under the class's lock */
	uint32_t sl_magic; /* (k) */
	uint16_t sl_class; /* (k) */
	uint16_t sl_nfree;
	LIST_ENTRY(slab) sl_link;     /* on sc_partial while sl_nfree > 0 */
	uint64_t sl_free[SLAB_WORDS]; /* bit set: object free */
} __aligned(64);

static struct slabclass {
	struct spinlock sc_spin;      /* guards the list and its slabs */
	LIST_HEAD(, slab) sc_partial; /* slabs with a free object */
	int sc_nempty;		      /* of them, wholly free ones */
} __cachealigned classes[SLAB_CLASSES];

struct bigrun {
	LIST_ENTRY(bigrun) br_link;
	void *br_va;
	int br_npages;
	bool br_mapped; /* by kmem_alloc_mapped */
};
#define BIG_BUCKETS 64
static struct spinlock big_spin = SPINLOCK_INITIALIZER("kmalloc runs");
static LIST_HEAD(, bigrun) bigruns[BIG_BUCKETS]; /* big_spin */

extern struct malloc_type *const __start_set_malloc_types[];
extern struct malloc_type *const __stop_set_malloc_types[];

/* Boot CPU, once pages can be had. */
void
kmalloc_init(void)
{
	for (int c = 0; c < SLAB_CLASSES; c++) {
		spin_init(&classes[c].sc_spin, "kmalloc class");
		LIST_INIT(&classes[c].sc_partial);
	}
}

static size_t
class_size(int class)
{
	return 1UL << (class + SLAB_MIN_SHIFT);
}

/* The class for a size of 1 to SLAB_MAX bytes. */
static int
class_of(size_t size)
{
	if (size <= class_size(0))
		return 0;
	return 64 - __builtin_clzl(size - 1) - SLAB_MIN_SHIFT;
}

static int
slab_capacity(int class)
{
	return (PAGE_SIZE - sizeof(struct slab)) / class_size(class);
}

/* A new slab with all its objects free, on no list; NULL when memory is
 * short. */
static struct slab *
slab_new(int class)
{
	struct slab *sl = kmem_page_alloc(1, 1);
	int n = slab_capacity(class);

	if (sl == NULL)
		return NULL;
	atomic_add_long(&kmem_pool_pages, 1);
	kasan_slab(sl);
	sl->sl_magic = SLAB_MAGIC;
	sl->sl_class = class;
	sl->sl_nfree = n;
	for (int w = 0; w < SLAB_WORDS; w++, n -= 64)
		sl->sl_free[w] = n >= 64 ? ~0UL : n > 0 ? (1UL << n) - 1 : 0;
	return sl;
}

/* Takes the lowest free object of a slab that has one. Class locked. */
static void *
slab_take(struct slabclass *sc, struct slab *sl)
{
	int w = 0, bit;

	if (sl->sl_nfree == slab_capacity(sl->sl_class))
		sc->sc_nempty--;
	while (sl->sl_free[w] == 0)
		w++;
	bit = __builtin_ctzl(sl->sl_free[w]);
	sl->sl_free[w] &= ~(1UL << bit);
	if (--sl->sl_nfree == 0)
		LIST_REMOVE(sl, sl_link);
	return (char *)(sl + 1) + (w * 64 + bit) * class_size(sl->sl_class);
}

/* An object of the class, or NULL when memory is short. Never sleeps. */
static void *
small_alloc(int class)
{
	struct slabclass *sc = &classes[class];
	struct slab *sl;
	void *p;

	spin_lock(&sc->sc_spin);
	sl = LIST_FIRST(&sc->sc_partial);
	if (sl == NULL) {
		spin_unlock(&sc->sc_spin);
		sl = slab_new(class);
		if (sl == NULL)
			return NULL;
		spin_lock(&sc->sc_spin);
		LIST_INSERT_HEAD(&sc->sc_partial, sl, sl_link);
		sc->sc_nempty++;
	}
	p = slab_take(sc, sl);
	spin_unlock(&sc->sc_spin);
	return p;
}

/* The slab of a small object; panics when p is not one's start. */
static struct slab *
slab_of(void *p, const struct malloc_type *type)
{
	struct slab *sl = (struct slab *)trunc_page(p);
	size_t off = (char *)p - (char *)(sl + 1);

	if (sl->sl_magic != SLAB_MAGIC || off % class_size(sl->sl_class) != 0 ||
	    off / class_size(sl->sl_class) >=
		(size_t)slab_capacity(sl->sl_class))
		panic("kfree(%s): %p was never allocated", type->ks_name, p);
	return sl;
}

/* Gives an object back, and its page when all of it is free and the class
 * has another such page in reserve. */
static void
small_free(struct slab *sl, void *p, const struct malloc_type *type)
{
	int class = sl->sl_class, i;
	struct slabclass *sc = &classes[class];
	bool release = false;

	i = ((char *)p - (char *)(sl + 1)) / class_size(class);
	spin_lock(&sc->sc_spin);
	if (sl->sl_free[i / 64] & 1UL << i % 64)
		panic("kfree(%s): %p freed twice", type->ks_name, p);
	sl->sl_free[i / 64] |= 1UL << i % 64;
	if (sl->sl_nfree++ == 0)
		LIST_INSERT_HEAD(&sc->sc_partial, sl, sl_link);
	if (sl->sl_nfree == slab_capacity(class)) {
		release = sc->sc_nempty > 0;
		if (release)
			LIST_REMOVE(sl, sl_link);
		else
			sc->sc_nempty++;
	}
	spin_unlock(&sc->sc_spin);
	if (release) {
		sl->sl_magic = 0;
		kmem_page_free(sl, 1);
		atomic_subtract_long(&kmem_pool_pages, 1);
	}
}

static unsigned
big_bucket(const void *va)
{
	return ((uintptr_t)va >> PAGE_SHIFT) % BIG_BUCKETS;
}

/* A run of whole pages, or NULL when memory is short. Never sleeps. */
static void *
big_alloc(size_t size)
{
	struct bigrun *br = small_alloc(class_of(sizeof(*br)));

	if (br == NULL)
		return NULL;
	br->br_npages = howmany(size, PAGE_SIZE);
	br->br_va = kmem_page_alloc(br->br_npages, 1);
	br->br_mapped = br->br_va == NULL;
	if (br->br_mapped)
		br->br_va = kmem_alloc_mapped(br->br_npages);
	if (br->br_va == NULL) {
		small_free(slab_of(br, &M_KMALLOC), br, &M_KMALLOC);
		return NULL;
	}
	atomic_add_long(&kmem_pool_pages, br->br_npages);
	spin_lock(&big_spin);
	LIST_INSERT_HEAD(&bigruns[big_bucket(br->br_va)], br, br_link);
	spin_unlock(&big_spin);
	return br->br_va;
}

/* The run that begins at va, taken out of the hash if asked; panics when
 * there is none. */
static struct bigrun *
big_find(void *va, bool remove, const struct malloc_type *type)
{
	struct bigrun *br;

	spin_lock(&big_spin);
	LIST_FOREACH (br, &bigruns[big_bucket(va)], br_link)
		if (br->br_va == va)
			break;
	if (br == NULL)
		panic("kfree(%s): %p is not allocated", type->ks_name, va);
	if (remove)
		LIST_REMOVE(br, br_link);
	spin_unlock(&big_spin);
	return br;
}

/* What an allocation of the size takes. */
static size_t
rounded_size(size_t size)
{
	size = kasan_room(size);
	return size <= SLAB_MAX ? class_size(class_of(size)) : round_page(size);
}

/* What the allocation at p takes. */
static size_t
allocated_size(void *p, const struct malloc_type *type)
{
	if (((uintptr_t)p & PAGE_MASK) == 0)
		return big_find(p, false, type)->br_npages * PAGE_SIZE;
	return class_size(slab_of(p, type)->sl_class);
}

/* Makes an allocation's memory free; the bytes that it took. */
static size_t
release_block(void *p, struct malloc_type *type)
{
	struct bigrun *br;
	struct slab *sl;
	size_t size;

	if (((uintptr_t)p & PAGE_MASK) == 0) {
		br = big_find(p, true, type);
		size = br->br_npages * PAGE_SIZE;
		witness_freed(p, size);
		if (br->br_mapped)
			kmem_free_mapped(p, br->br_npages);
		else
			kmem_page_free(p, br->br_npages);
		atomic_subtract_long(&kmem_pool_pages, br->br_npages);
		small_free(slab_of(br, &M_KMALLOC), br, &M_KMALLOC);
	} else {
		sl = slab_of(p, type);
		size = class_size(sl->sl_class);
		witness_freed(p, size);
		small_free(sl, p, type);
	}
	return size;
}

#ifdef KASAN
/* What leaves the quarantine; it is accounted for as free already. */
static void
release(void *p, struct malloc_type *type)
{
	release_block(p, type);
}

/* See san/kasan_var.h. */
bool
kmalloc_block(uint64_t addr, char **startp, size_t *sizep)
{
	struct slab *sl = (struct slab *)trunc_page(addr);
	uint64_t off = addr - (uint64_t)(sl + 1);

	if (sl->sl_magic != SLAB_MAGIC || addr < (uint64_t)(sl + 1))
		return false;
	*sizep = class_size(sl->sl_class);
	*startp = (char *)(sl + 1) + off / *sizep * *sizep;
	return true;
}
#endif

/* size bytes, aligned to 16 at least and to a page from SLAB_MAX + 1 on.
 * M_WAITOK sleeps until there is memory; M_NOWAIT returns NULL then, and is
 * legal under a spinlock. A size of 0 is served as 1. */
void *
kmalloc(size_t size, struct malloc_type *type, int flags)
{
	size_t room = kasan_room(size);
	void *p;

	KASSERT(!(flags & M_WAITOK) != !(flags & M_NOWAIT),
	    ("kmalloc(%s): flags %x", type->ks_name, flags));
	KASSERT(
	    size <= INT32_MAX, ("kmalloc(%s): %lu bytes", type->ks_name, size));
	if (flags & M_WAITOK)
		witness_may_sleep("kmalloc");
	if (inject(INJECT_KMALLOC)) {
		if (flags & M_NOWAIT)
			return NULL;
		vm_wait("kmalloc");
	}
	for (;;) {
		p = room <= SLAB_MAX ? small_alloc(class_of(room))
				     : big_alloc(room);
		if (p != NULL)
			break;
		if (kasan_drain(release))
			continue;
		if (flags & M_NOWAIT)
			return NULL;
		vm_wait("kmalloc");
	}
	atomic_add_long(&type->ks_inuse, 1);
	atomic_add_long(&type->ks_bytes, rounded_size(size));
	kasan_kmalloc(p, size, rounded_size(size), type);
	if (flags & M_ZERO)
		memset(p, 0, size);
	return p;
}

/* Frees what kmalloc() gave for the same owner. Never sleeps. */
void
kfree(void *p, struct malloc_type *type)
{
	size_t size;

	if (p == NULL)
		return;
	kasan_kfree_check(p);
#ifdef KASAN
	size = allocated_size(p, type);
	kasan_kfree(p, size, type, release);
#else
	size = release_block(p, type);
#endif
	atomic_subtract_long(&type->ks_inuse, 1);
	atomic_subtract_long(&type->ks_bytes, size);
}

/* Changes the size of an allocation, contents kept, M_ZERO for what is new
 * and beyond the old allocation. p may be NULL. On NULL the old stays. */
void *
krealloc(void *p, size_t size, struct malloc_type *type, int flags)
{
	size_t old;
	void *new;

	if (p == NULL)
		return kmalloc(size, type, flags);
	old = allocated_size(p, type);
	if (rounded_size(size) == old) {
		kasan_kmalloc(p, size, old, type);
		return p;
	}
	new = kmalloc(size, type, flags);
	if (new == NULL)
		return NULL;
	memcpy(new, p, MIN(kasan_size(p, old), size));
	kfree(p, type);
	return new;
}

/* A copy of a string; may sleep. */
char *
kstrdup(const char *s, struct malloc_type *type)
{
	size_t len = strlen(s) + 1;

	return memcpy(kmalloc(len, type, M_WAITOK), s, len);
}

/* The owner or zone that follows `last' by name; NULL after the last one. */
static const struct malloc_type *
type_after(const struct malloc_type *last)
{
	struct malloc_type *const *tp;
	const struct malloc_type *t, *best = NULL;
	struct zone *z = NULL;

	tp = __start_set_malloc_types;
	for (;;) {
		if (tp < __stop_set_malloc_types) {
			t = *tp++;
		} else {
			z = zone_next(z);
			if (z == NULL)
				return best;
			z->z_type.ks_inuse = z->z_inuse;
			z->z_type.ks_bytes = z->z_inuse * (int64_t)z->z_size;
			t = &z->z_type;
		}
		if ((last == NULL || strcmp(t->ks_name, last->ks_name) > 0) &&
		    (best == NULL || strcmp(t->ks_name, best->ks_name) < 0))
			best = t;
	}
}

/* See kern/kmalloc.h. Names are unique. */
void
kmalloc_foreach(
    void (*fn)(void *arg, const char *name, int64_t inuse, int64_t bytes),
    void *arg)
{
	const struct malloc_type *t = NULL;

	while ((t = type_after(t)) != NULL)
		fn(arg, t->ks_name, t->ks_inuse, t->ks_bytes);
}
