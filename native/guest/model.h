/* SPDX-License-Identifier: MIT */
/*
 * What a guest must see of its register-file devices (test/modules/register-file), byte for byte and call for call,
 * restated here in plain C: the reference that gb-forms holds the mediator against. It also knows how Xen cuts an
 * instruction's access into requests (xen/arch/x86/hvm/emulate.c), because the devices count their calls.
 */
#ifndef GUEST_MODEL_H
#define GUEST_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define DEVICES_MAX 2
#define REGISTERS_BYTES 4096u
#define REGIONS_MAX (DEVICES_MAX * 5)
#define PAGE_BYTES 4096u

/* Registers of the module's head that are not plain; PLAIN and above keep what is written. */
enum { IDENTITY = 0x00, SCRATCH = 0x04, DOORBELL = 0x08, WRITES = 0x0c, READS = 0x10, MISDEED = 0x14, SEED = 0x18,
       COMMAND = 0x1c, PLAIN = 0x20 };
#define IDENTITY_VALUE 0x47425246u
#define TABLE_BAR 4u     /* MSI-X: the mediator's own, no call of the module */
#define TABLE_VECTORS 4u /* the manifest's `msix` */
#define TABLE_ENTRY_BYTES 16u

struct region {
    bool io;
    uint32_t device, bar;
    uint64_t start, size;
};

struct device {
    bool memory_on, io_on; /* decoding */
    uint8_t image[REGISTERS_BYTES];
    uint8_t table[PAGE_BYTES];
};

struct model {
    uint32_t region_count;
    struct region region[REGIONS_MAX];
    struct device device[DEVICES_MAX];
};

/* As after the module's reset, with the parameter `seed`. */
void model_reset(struct model *m, uint32_t device, uint32_t seed);
/* Registers that others may have changed before: set to what is known. */
void model_set(struct model *m, uint32_t device, uint32_t offset, uint32_t value);
uint32_t model_get(const struct model *m, uint32_t device, uint32_t offset);

/* One access of an instruction: 1, 2, 4 or 8 bytes at any address. */
uint64_t model_read(struct model *m, bool io, uint64_t address, uint32_t size);
void model_write(struct model *m, bool io, uint64_t address, uint32_t size, uint64_t value);
/* One item of a string instruction that Xen forwards whole, even across the end of a page. */
uint64_t model_read_whole(struct model *m, bool io, uint64_t address, uint32_t size);
void model_write_whole(struct model *m, bool io, uint64_t address, uint32_t size, uint64_t value);

enum { CLAIMED_NONE, CLAIMED_SOME, CLAIMED_ALL };
int model_claimed(const struct model *m, bool io, uint64_t address, uint64_t bytes);
/* Would a write there do more than store bytes: ring, or make the module do wrong? */
bool model_dangerous(const struct model *m, bool io, uint64_t address, uint64_t bytes);
const struct region *model_region(const struct model *m, bool io, uint64_t address);

#endif
