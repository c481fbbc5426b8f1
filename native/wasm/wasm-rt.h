/* SPDX-License-Identifier: MIT */
/*
 * What wasm2c's C (npm wabt 1.0.39) needs from its surroundings, and no more: fixed-size memories with explicit
 * bounds checks, a call-depth counter, traps that leave by longjmp. There is no growing, no guard page, no segment
 * trick. A table has a fixed size too and lies in the instance. Float and externref names exist because the generated
 * prologue mentions them; the ABI check lets neither in.
 */
#ifndef GLOVEBOX_WASM_RT_H
#define GLOVEBOX_WASM_RT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WASM_RT_USE_SEGUE 0
#define WASM_RT_MEMCHECK_GUARD_PAGES 0
#define WASM_RT_SANITY_CHECKS 0
#define WASM_RT_SEGUE_FREE_SEGMENT 0
#define WASM_RT_STACK_DEPTH_COUNT 1
#define WABT_BIG_ENDIAN 0

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define wasm_rt_memcpy __builtin_memcpy

typedef enum {
    WASM_RT_TRAP_NONE,
    WASM_RT_TRAP_OOB,
    WASM_RT_TRAP_INT_OVERFLOW,
    WASM_RT_TRAP_DIV_BY_ZERO,
    WASM_RT_TRAP_INVALID_CONVERSION,
    WASM_RT_TRAP_UNREACHABLE,
    WASM_RT_TRAP_CALL_INDIRECT,
    WASM_RT_TRAP_EXHAUSTION,
    WASM_RT_TRAP_CAPABILITY, /* ours: an import said that the instance must not go on */
    WASM_RT_TRAP_PROMISE,    /* ours: the module broke a promise of its manifest */
} wasm_rt_trap_t;

typedef enum { WASM_RT_I32, WASM_RT_I64, WASM_RT_F32, WASM_RT_F64, WASM_RT_FUNCREF, WASM_RT_EXTERNREF } wasm_rt_type_t;

typedef struct {
    uint8_t *data;
    uint64_t size;  /* in bytes; never changes after instantiation */
    uint64_t pages; /* of 64 KiB */
} wasm_rt_memory_t;

typedef const char *wasm_rt_func_type_t;
typedef void (*wasm_rt_function_ptr_t)(void);
typedef struct {
    void (*fn)(void **instance_ptr, void *tail_call_stack, void *next);
} wasm_rt_tailcallee_t;
typedef struct {
    wasm_rt_func_type_t func_type;
    wasm_rt_function_ptr_t func;
    wasm_rt_tailcallee_t func_tailcallee;
    void *module_instance;
} wasm_rt_funcref_t;
/* The packer writes a module's number at the head of its w2c_NAME.h; most have no table. */
#ifndef WASM_TABLE_ENTRIES
#define WASM_TABLE_ENTRIES 1
#endif
typedef struct {
    wasm_rt_funcref_t *data; /* entries, below */
    uint32_t max_size;
    uint32_t size;
    wasm_rt_funcref_t entries[WASM_TABLE_ENTRIES];
} wasm_rt_funcref_table_t;
typedef void *wasm_rt_externref_t;
typedef struct {
    wasm_rt_externref_t *data;
    uint32_t max_size;
    uint32_t size;
} wasm_rt_externref_table_t;
#define wasm_rt_funcref_null_value ((wasm_rt_funcref_t){0})
#define wasm_rt_externref_null_value ((wasm_rt_externref_t)0)

extern uint32_t wasm_rt_call_stack_depth;
/* Not a constant: each border crossing gives the callee its own allowance on top of the depth reached. */
extern uint32_t wasm_rt_call_stack_limit;
#define WASM_RT_MAX_CALL_STACK_DEPTH wasm_rt_call_stack_limit

static inline bool wasm_rt_is_initialized(void) {
    return true;
}
/* Ends the running call: a module's goes back to shim_instance_call with a fault, the core's is a panic. */
_Noreturn void wasm_rt_trap(wasm_rt_trap_t code);
/* Called by instantiation only; initial must equal maximum. The bytes come zeroed out of a static arena. */
void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint64_t initial_pages, uint64_t max_pages, bool is64,
                             uint32_t page_bytes);
static inline void wasm_rt_free_memory(wasm_rt_memory_t *memory) {
    (void)memory; /* the arena's pages go back with the instance */
}

/* Called by instantiation only; the entries are null, for the instance's bytes come zeroed. */
static inline void wasm_rt_allocate_funcref_table(wasm_rt_funcref_table_t *table, uint32_t entries, uint32_t max) {
    if (entries != max || entries > WASM_TABLE_ENTRIES)
        wasm_rt_trap(WASM_RT_TRAP_CALL_INDIRECT); /* slipped past the ABI check: there will be no such instance */
    table->data = table->entries;
    table->max_size = table->size = entries;
}
static inline void wasm_rt_free_funcref_table(wasm_rt_funcref_table_t *table) {
    (void)table;
}

#endif
