/* SPDX-License-Identifier: MIT */
/* Page tables: other domains' frames, the machine's, Xen's, and our own tables made writable. */
#include "probe.h"

#include "module_table.h"

#define RAM_GFN 0x400
#define APIC_MFN 0xfee00
#define IO_APIC_MFN 0xfec00
#define VGA_MFN 0xb8
/* Odd, so that every offset within larger pages comes up. */
#define STRIDE 61
#define TRIED_MIN 1000
#define XEN_L4_SLOT 256
#define ENTRY_BYTES 8
#define RETURN 0xc3

static uint8_t window[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

static uint16_t foreign(domid_t domid) {
    return domid == world.self ? DOMID_SELF : domid;
}

static void map_window(uint64_t flags) {
    uint64_t pte = machine_mfn(window) << PAGE_SHIFT | flags;
    (void)hypercall_update_va_mapping(window, pte, UVMF_INVLPG | UVMF_LOCAL);
}

static void give_back(void) {
    map_window(PTE_READ_WRITE);
}

static const char *map(domid_t owner, uint64_t frame, uint64_t command) {
    struct mmu_update update = {.ptr = machine_pte(window) | command, .val = frame << PAGE_SHIFT | PTE_READ_WRITE};
    int rc = hypercall_mmu_update(&update, 1, NULL, foreign(owner));
    if (rc == 0)
        give_back();
    return errno_word(rc);
}

static const char *map_normal(domid_t domid) {
    return map(domid, RAM_GFN, MMU_NORMAL_PT_UPDATE);
}

static const char *map_no_translate(domid_t domid) {
    return map(domid, RAM_GFN, MMU_PT_UPDATE_NO_TRANSLATE);
}

static const char *map_xen(domid_t domid) {
    (void)domid;
    return map(DOMID_XEN, RAM_GFN, MMU_NORMAL_PT_UPDATE);
}

static const char *map_devices(domid_t domid) {
    static const uint64_t mfns[] = {APIC_MFN, IO_APIC_MFN, VGA_MFN};
    const char *refused = NULL;
    (void)domid;
    for (uint32_t i = 0; i < sizeof(mfns) / sizeof(*mfns); i++)
        if (!(refused = map(DOMID_IO, mfns[i], MMU_NORMAL_PT_UPDATE)))
            break;
    return refused;
}

static const char *map_own(domid_t domid) {
    return map(domid, machine_mfn(window), MMU_NORMAL_PT_UPDATE);
}

static uint64_t grant_table_mfn(void) {
    xen_pfn_t mfn = 0;
    struct gnttab_setup_table op = {.dom = DOMID_SELF, .nr_frames = 1};
    set_xen_guest_handle(op.frame_list, &mfn);
    (void)hypercall_grant_table_op(GNTTABOP_setup_table, &op, 1);
    return mfn;
}

/* Our memory, and the two pages of Xen's that it shares with us. */
static bool is_ours(uint64_t mfn, uint64_t grant_table) {
    uint64_t pfn = machine_to_phys_mapping[mfn];
    if (mfn == world.info->shared_info >> PAGE_SHIFT || mfn == grant_table)
        return true;
    return pfn < world.info->nr_pages && machine_mfn((const void *)(pfn << PAGE_SHIFT)) == mfn;
}

/* Every 61st frame of the machine as if it were ours: Dom0's, guests', Xen's, nobody's. */
static const char *map_any(domid_t domid) {
    long end = hypercall_memory_op(XENMEM_maximum_ram_page, NULL);
    uint64_t grant_table = grant_table_mfn();
    uint32_t tried = 0;
    for (uint64_t mfn = 0; (long)mfn < end; mfn += STRIDE) {
        if (is_ours(mfn, grant_table))
            continue;
        if (!map(domid, mfn, MMU_NORMAL_PT_UPDATE))
            return NULL;
        tried++;
    }
    return tried > TRIED_MIN ? "each of them" : "too few to tell";
}

static const char *map_own_table(domid_t domid) {
    return map(domid, machine_pte(window) >> PAGE_SHIFT, MMU_NORMAL_PT_UPDATE);
}

/* The upper half of fd names whose page table is written, plus one (xen.h, mmu_update). */
static const char *write_table(domid_t domid) {
    struct mmu_update update = {.ptr = machine_pte(window), .val = machine_mfn(window) << PAGE_SHIFT | PTE_READ_WRITE};
    uint64_t owner = (domid + 1ul) << 16 | DOMID_SELF;
    return errno_word(hypercall(__HYPERVISOR_mmu_update, (uint64_t)&update, 1, 0, owner, 0));
}

static const char *write_xen_slot(domid_t domid) {
    uint64_t table = machine_mfn((const void *)world.info->pt_base) << PAGE_SHIFT;
    struct mmu_update update = {.ptr = table + XEN_L4_SLOT * ENTRY_BYTES, .val = 0};
    (void)domid;
    return errno_word(hypercall_mmu_update(&update, 1, NULL, DOMID_SELF));
}

static const char *update_machphys(domid_t domid) {
    struct mmu_update update = {.ptr = (uint64_t)RAM_GFN << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, .val = 0};
    return errno_word(hypercall_mmu_update(&update, 1, NULL, foreign(domid)));
}

static const char *update_va_mapping(domid_t domid) {
    uint64_t pte = (uint64_t)RAM_GFN << PAGE_SHIFT | PTE_READ_WRITE;
    long rc = hypercall(__HYPERVISOR_update_va_mapping_otherdomain, (uint64_t)window, pte, UVMF_INVLPG | UVMF_LOCAL,
                        domid, 0);
    if (rc == 0)
        give_back();
    return errno_word(rc);
}

static const char *extended(uint32_t cmd, uint64_t mfn, domid_t domid) {
    struct mmuext_op op = {.cmd = cmd, .arg1.mfn = mfn};
    return errno_word(hypercall(__HYPERVISOR_mmuext_op, (uint64_t)&op, 1, 0, foreign(domid), 0));
}

static const char *pin_foreign(domid_t domid) {
    return extended(MMUEXT_PIN_L4_TABLE, RAM_GFN, domid);
}

/* Accepted, it would be a page table that we can write at will. */
static const char *pin_writable(domid_t domid) {
    return extended(MMUEXT_PIN_L1_TABLE, machine_mfn(window), domid);
}

/* An empty table that nobody can write is fine. */
static const char *pin_read_only(domid_t domid) {
    map_window(PTE_READ_ONLY);
    const char *refused = extended(MMUEXT_PIN_L1_TABLE, machine_mfn(window), domid);
    if (!refused)
        (void)extended(MMUEXT_UNPIN_TABLE, machine_mfn(window), domid);
    give_back();
    return refused;
}

static const char *base_pointer(domid_t domid) {
    return extended(MMUEXT_NEW_BASEPTR, RAM_GFN, domid);
}

static const char *base_pointer_own(domid_t domid) {
    return extended(MMUEXT_NEW_BASEPTR, machine_mfn((const void *)world.info->pt_base), domid);
}

static const char *flush_cache(domid_t domid) {
    return extended(MMUEXT_FLUSH_CACHE, 0, domid);
}

static const char *set_gdt(domid_t domid) {
    uint64_t frame = RAM_GFN;
    (void)domid;
    return errno_word(hypercall(__HYPERVISOR_set_gdt, (uint64_t)&frame, 512, 0, 0, 0));
}

/* A present call gate (Intel SDM volume 3, 5.8.3.1: type 12) to code segment `selector`. */
static const char *call_gate(uint64_t selector) {
    uint64_t gate = 0x0000ec0000000000ul | selector << 16;
    return errno_word(hypercall(__HYPERVISOR_update_descriptor, machine_mfn(window) << PAGE_SHIFT, gate, 0, 0, 0));
}

/* xen/arch/x86/include/asm/config.h: __HYPERVISOR_CS. */
#define XEN_CS 0xe008
#define OWN_CS 0x8

static const char *gate_to_xen(domid_t domid) {
    (void)domid;
    return call_gate(XEN_CS);
}

static const char *gate_to_self(domid_t domid) {
    (void)domid;
    return call_gate(OWN_CS);
}

/* --- Xen's memory by address: it is in every address space, for Xen only ------------------------------------------ */

/* xen/arch/x86/include/asm/config.h: Xen's text, and the direct map of all memory. */
#define XEN_TEXT 0xffff82d040200000ul
#define XEN_DIRECT_MAP 0xffff830000000000ul

static void read_word(void *address) {
    (void)*(volatile uint64_t *)address;
}

static void write_word(void *address) {
    *(volatile uint64_t *)address = 0;
}

static const char *read_xen(domid_t domid) {
    (void)domid;
    return catch(read_word, (void *)XEN_TEXT);
}

static const char *read_direct_map(domid_t domid) {
    (void)domid;
    return catch(read_word, (void *)XEN_DIRECT_MAP);
}

static const char *read_machphys(domid_t domid) {
    (void)domid;
    return catch(read_word, (void *)machine_to_phys_mapping);
}

static const char *write_machphys(domid_t domid) {
    (void)domid;
    return catch(write_word, (void *)machine_to_phys_mapping);
}

/* --- never both written and executed ------------------------------------------------------------------------------ */

static void write_back(void *address) {
    volatile uint8_t *byte = address;
    uint8_t same = *byte;
    *byte = same;
}

static void execute(void *address) {
    ((void (*)(void))address)();
}

static const char *write_text(domid_t domid) {
    (void)domid;
    return catch(write_back, (void *)write_back);
}

static const char *write_module(domid_t domid) {
    (void)domid;
    return module_at(0) ? catch(write_back, (void *)module_at(0)->entry[ENTRY_BAR_READ]) : "no module";
}

static const char *write_constants(domid_t domid) {
    (void)domid;
    return module_at(0) ? catch(write_back, (void *)module_at(0)) : "no module";
}

static const char *execute_data(domid_t domid) {
    (void)domid;
    window[0] = RETURN;
    return catch(execute, window);
}

static const char *execute_constants(domid_t domid) {
    (void)domid;
    return module_at(0) ? catch(execute, (void *)module_at(0)->manifest) : "no module";
}

static const struct probe rows[] = {
    {"MMU_NORMAL_PT_UPDATE", DOM0, "read and write Dom0's memory", map_normal},
    {"MMU_PT_UPDATE_NO_TRANSLATE", DOM0, "read and write Dom0's memory", map_no_translate},
    {"MMU_NORMAL_PT_UPDATE", OTHER, "read and write any guest's memory", map_normal},
    {"MMU_PT_UPDATE_NO_TRANSLATE", OTHER, "read and write any guest's memory", map_no_translate},
    {"MMU_NORMAL_PT_UPDATE", TARGET, "copy from and to its guest's memory", map_normal},
    {"MMU_NORMAL_PT_UPDATE of DOMID_XEN", NOBODY, "read and write Xen's shared pages", map_xen},
    {"MMU_NORMAL_PT_UPDATE of DOMID_IO", NOBODY, "reach the APICs and the VGA", map_devices},
    {"MMU_NORMAL_PT_UPDATE of its own page", SELF, "change its own mappings", map_own},
    {"MMU_NORMAL_PT_UPDATE of any frame", SELF, "read and write all memory by machine frame", map_any},
    {"MMU_NORMAL_PT_UPDATE of a page table", SELF, "write its own page tables past Xen", map_own_table},
    {"MMU_NORMAL_PT_UPDATE in a table", DOM0, "write Dom0's page tables", write_table},
    {"MMU_NORMAL_PT_UPDATE of L4 slot 256", SELF, "replace Xen in its own address space", write_xen_slot},
    {"MMU_MACHPHYS_UPDATE", DOM0, "forge Dom0's frame numbers", update_machphys},
    {"HYPERVISOR_update_va_mapping_otherdomain", OTHER, "read and write any guest's memory", update_va_mapping},
    {"MMUEXT_PIN_L4_TABLE", DOM0, "take frames of Dom0 for page tables", pin_foreign},
    {"MMUEXT_PIN_L1_TABLE of a writable page", SELF, "forge page tables", pin_writable},
    {"MMUEXT_PIN_L1_TABLE of a read-only page", SELF, "make a page table that Xen looks after", pin_read_only},
    {"MMUEXT_NEW_BASEPTR", SELF, "run on page tables that are not its own", base_pointer},
    {"MMUEXT_NEW_BASEPTR of its own table", SELF, "run on its own page tables", base_pointer_own},
    {"MMUEXT_FLUSH_CACHE", SELF, "slow the whole machine down", flush_cache},
    {"HYPERVISOR_set_gdt", SELF, "use frames not its own as descriptors", set_gdt},
    {"HYPERVISOR_update_descriptor call gate to Xen", SELF, "enter Xen where it likes", gate_to_xen},
    {"HYPERVISOR_update_descriptor call gate", SELF, "jump within itself, as Xen then traps", gate_to_self},
    {"read Xen's text", NOBODY, "read Xen", read_xen},
    {"read Xen's direct map", NOBODY, "read all memory through Xen's eyes", read_direct_map},
    {"read the machine-to-physical table", NOBODY, "translate its own frames", read_machphys},
    {"write the machine-to-physical table", NOBODY, "forge everybody's frame numbers", write_machphys},
    {"write its own text", NOBODY, "change the shim's and the core's code", write_text},
    {"write a module's code", NOBODY, "change what the loader has checked", write_module},
    {"write a module's descriptor", NOBODY, "send calls of a module elsewhere", write_constants},
    {"execute its own data", NOBODY, "run bytes that a guest or a module wrote", execute_data},
    {"execute a module's constants", NOBODY, "run bytes that nobody decoded", execute_constants},
};
const struct probe_table mapping_probes = PROBE_TABLE(rows);
