/* What an extension module says of the GIL, read from its file without loading it.
 *
 * A module of several phases has an array of slots {int32 id; padding; void *value}, ended by zeros. Slot 4,
 * Py_mod_gil, with the value 1 says that the module does not need the GIL; 0, or no such slot, that it does (CPython,
 * Include/moduleobject.h). In a shared library such an array stands in writable data, slots 1 and 2 (create, exec)
 * hold addresses, which the linker must relocate, slots 3 and 4 hold small numbers, and some relocated word, m_slots,
 * has the address of the array. That is enough to find it without symbols. A module of one phase says it by a call of
 * PyUnstable_Module_SetGIL.
 *
 * Not read: Mach-O, PE, 32-bit and big-endian files; slots that are put together when the program runs, as some
 * bindings do; the other slot numbers of Python 3.15 (PEP 820) and PyModExport (PEP 793). Those answer "cannot tell".
 */
#include "ready/ready.h"

enum {
    SHT_PROGBITS = 1,
    SHT_RELA = 4,
    SHT_DYNSYM = 11,
    SHT_RELR = 19,
    SHF_WRITE = 1,
    SECTION_MAX = 4096,
    RELOCATION_MAX = 8 << 20,
    RELR_STEPS = 1 << 25, /* relocations times sections; no real file comes near */
    SLOT_CREATE = 1,
    SLOT_GIL = 4,
    RUN_MAX = 64
};

typedef struct ElfSection {
    u32 type, link;
    u64 flags, address, offset, size;
} ElfSection;
typedef Vec(u64) AddressVec;
typedef struct Elf {
    Arena *a;
    Str bytes;
    Vec(ElfSection) sections;
    AddressVec relocated; /* addresses of words that are relocated, sorted */
    AddressVec targets;   /* what relocations put there, sorted */
    bool init, multi_phase, set_gil, export_;
} Elf;

static u64 number(Str b, u64 at, u32 size)
{
    u64 v = 0;
    if (at > b.n || b.n - at < size) return 0;
    for (u32 i = 0; i < size; i++) v |= (u64)(u8)b.p[at + i] << (8 * i);
    return v;
}

/* The bytes of a section; empty when they lie outside of the file. */
static Str section_bytes(const Elf *x, const ElfSection *s)
{
    if (s->offset > x->bytes.n || x->bytes.n - s->offset < s->size) return (Str){0};
    return str_slice(x->bytes, s->offset, s->offset + s->size);
}

static bool sections_read(Elf *x)
{
    enum { HEADER = 64 };
    Str b = x->bytes;
    u64 table = number(b, 40, 8), size = number(b, 58, 2), n = number(b, 60, 2);
    u64 whole = 0;
    if (size < HEADER || n == 0 || n > SECTION_MAX || table > b.n || (b.n - table) / size < n) return false;
    for (u64 i = 0; i < n; i++) {
        u64 at = table + i * size;
        ElfSection s = {.type = (u32)number(b, at + 4, 4),
                        .flags = number(b, at + 8, 8),
                        .address = number(b, at + 16, 8),
                        .offset = number(b, at + 24, 8),
                        .size = number(b, at + 32, 8),
                        .link = (u32)number(b, at + 40, 4)};
        vec_push(x->a, &x->sections, s);
        if (section_bytes(x, &s).n) whole += s.size;
    }
    return whole <= 2 * (u64)b.n + HEADER; /* sections that lie over each other would be read again and again */
}

/* ---- symbols ------------------------------------------------------------------------------------------- */

static bool name_is(Str names, u64 at, Str word, bool whole)
{
    if (at >= names.n || names.n - at <= word.n) return false;
    return memcmp(names.p + at, word.p, word.n) == 0 && (!whole || names.p[at + word.n] == 0);
}

static void symbols_read(Elf *x, const ElfSection *s)
{
    enum { SYMBOL = 24 };
    Str b = section_bytes(x, s);
    if (s->link >= x->sections.n) return;
    Str names = section_bytes(x, &x->sections.v[s->link]);
    for (u64 at = 0; at + SYMBOL <= b.n; at += SYMBOL) {
        u64 name = number(b, at, 4);
        bool defined = number(b, at + 6, 2) != 0;
        if (defined) {
            x->init |= name_is(names, name, S("PyInit_"), false);
            x->export_ |= name_is(names, name, S("PyModExport_"), false);
        } else {
            x->multi_phase |= name_is(names, name, S("PyModuleDef_Init"), true);
            x->set_gil |= name_is(names, name, S("PyUnstable_Module_SetGIL"), true);
        }
    }
}

/* ---- relocations --------------------------------------------------------------------------------------- */

/* The word of the file at an address in memory. */
static u64 word_at(const Elf *x, u64 address)
{
    for (u32 i = 0; i < x->sections.n; i++) {
        const ElfSection *s = &x->sections.v[i];
        if (s->type == SHT_PROGBITS && address >= s->address && address - s->address < s->size)
            return number(x->bytes, s->offset + (address - s->address), 8);
    }
    return 0;
}

static void relocation_add(Elf *x, u64 address, u64 target)
{
    if (x->relocated.n >= RELOCATION_MAX) return; /* more than any real file has */
    vec_push(x->a, &x->relocated, address);
    if (target) vec_push(x->a, &x->targets, target);
}

static void rela_read(Elf *x, Str b)
{
    for (u64 at = 0; at + 24 <= b.n; at += 24) relocation_add(x, number(b, at, 8), number(b, at + 16, 8));
}

/* Packed relative relocations: an even word is an address, an odd one a map of the 63 words behind (System V gABI,
 * SHT_RELR). What they put there is what stands there, moved. */
static void relr_read(Elf *x, Str b)
{
    u64 next = 0;
    for (u64 at = 0; at + 8 <= b.n && (u64)x->relocated.n * x->sections.n < RELR_STEPS; at += 8) {
        u64 entry = number(b, at, 8);
        if (!(entry & 1)) {
            relocation_add(x, entry, word_at(x, entry));
            next = entry + 8;
            continue;
        }
        for (u32 bit = 0; bit < 63; bit++) {
            u64 address = next + 8 * (u64)bit;
            if (entry >> (bit + 1) & 1) relocation_add(x, address, word_at(x, address));
        }
        next += 8 * 63;
    }
}

static int address_cmp(const void *a, const void *b)
{
    u64 x = *(const u64 *)a, y = *(const u64 *)b;
    return (x > y) - (x < y);
}

static void addresses_sort(AddressVec *v)
{
    if (v->n) qsort(v->v, v->n, sizeof *v->v, address_cmp);
}

static bool address_in(const AddressVec *v, u64 address)
{
    return v->n && bsearch(&address, v->v, v->n, sizeof *v->v, address_cmp);
}

/* ---- slots --------------------------------------------------------------------------------------------- */

typedef enum Slots { SLOTS_NONE, SLOTS_SILENT, SLOTS_USED, SLOTS_NOT_USED } Slots;

/* What the array of slots at an offset of the section says; SLOTS_NONE when it is none. */
static Slots slots_at(const Elf *x, const ElfSection *s, Str b, u64 at)
{
    Slots says = SLOTS_SILENT;
    for (u32 n = 0; n < RUN_MAX && at + 16 <= b.n; n++, at += 16) {
        u64 id = number(b, at, 4), value = number(b, at + 8, 8);
        bool moved = address_in(&x->relocated, s->address + at + 8);
        if (id == 0) return n && !value && !moved && !number(b, at, 8) ? says : SLOTS_NONE;
        if (id > SLOT_GIL || moved != (id < 3)) return SLOTS_NONE;
        if (id == SLOT_GIL && value > 1) return SLOTS_NONE;
        if (id == 3 && value > 2) return SLOTS_NONE;
        if (id == SLOT_GIL) says = value ? SLOTS_NOT_USED : SLOTS_USED;
    }
    return SLOTS_NONE;
}

/* The best that an array of the section says, so that what merely looks like an array accuses nobody. */
static Slots slots_find(const Elf *x, const ElfSection *s)
{
    Slots best = SLOTS_NONE;
    Str b = section_bytes(x, s);
    for (u64 at = (8 - s->address % 8) % 8; at + 32 <= b.n; at += 8) {
        u64 id = number(b, at, 4);
        if (id < SLOT_CREATE || id > SLOT_GIL || !address_in(&x->targets, s->address + at)) continue;
        Slots says = slots_at(x, s, b, at);
        best = MAX(best, says);
    }
    return best;
}

static void tables_read(Elf *x)
{
    for (u32 i = 0; i < x->sections.n; i++) {
        const ElfSection *s = &x->sections.v[i];
        if (s->type == SHT_DYNSYM) symbols_read(x, s);
        if (s->type == SHT_RELA) rela_read(x, section_bytes(x, s));
        if (s->type == SHT_RELR) relr_read(x, section_bytes(x, s));
    }
    addresses_sort(&x->relocated);
    addresses_sort(&x->targets);
}

Declared extension_declares(Arena *scratch, Str bytes, const char **why)
{
    Elf x = {.a = scratch, .bytes = bytes};
    Slots says = SLOTS_NONE;
    *why = "it is no 64-bit little-endian ELF file";
    if (!str_starts(bytes, S("\177ELF\2\1"))) return DECLARED_UNKNOWN;
    *why = "its section headers are missing or damaged";
    if (!sections_read(&x)) return DECLARED_UNKNOWN;
    tables_read(&x);
    *why = "it defines no PyInit_ function";
    if (!x.init && !x.export_) return DECLARED_NOTHING;
    *why = "it calls PyUnstable_Module_SetGIL";
    if (x.set_gil) return DECLARED_YES;
    *why = "it exports its slots by PyModExport_ (PEP 793)";
    if (!x.init) return DECLARED_UNKNOWN;
    for (u32 i = 0; i < x.sections.n; i++) {
        const ElfSection *s = &x.sections.v[i];
        if (s->type == SHT_PROGBITS && (s->flags & SHF_WRITE)) says = MAX(says, slots_find(&x, s));
    }
    static const char *const reasons[] = {"its slots were not found", "its slots have no Py_mod_gil",
                                          "its slot Py_mod_gil says Py_MOD_GIL_USED",
                                          "its slot Py_mod_gil says Py_MOD_GIL_NOT_USED"};
    *why = says == SLOTS_NONE && !x.multi_phase ? "it is a module of one phase" : reasons[says];
    return says == SLOTS_NOT_USED ? DECLARED_YES : says == SLOTS_NONE ? DECLARED_UNKNOWN : DECLARED_NO;
}
