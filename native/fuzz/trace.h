/* SPDX-License-Identifier: MIT */
/* Trace files in C: docs/TRACE.md. The bytes are anybody's; what is not whole is refused, nothing is copied. */
#ifndef GLOVEBOX_FUZZ_TRACE_H
#define GLOVEBOX_FUZZ_TRACE_H

#include <stddef.h>
#include <stdint.h>

#define TRACE_HEADER_BYTES 320u
#define TRACE_RECORD_BYTES 32u
#define TRACE_RECORDS_MAX 65536u
#define TRACE_PARAMS_MAX 12u

enum trace_kind {
    TRACE_CALL_ATTACH = 0xc0,
    TRACE_CALL_RESET = 0xc1,
    TRACE_CALL_READ = 0xc2,
    TRACE_CALL_WRITE = 0xc3,
    TRACE_CALL_EVENT = 0xc4,
    TRACE_CALL_WORK_DONE = 0xc5,
    TRACE_MEMORY = 0xd0,
    TRACE_TIME = 0xd1,
    TRACE_ANSWERS = 0xd3,
    TRACE_MEMORY_LATER = 0xd4,
};

struct trace_record {
    uint8_t kind, bar, size;
    uint16_t count;
    uint64_t addr, data;
};

struct trace {
    const uint8_t *records;
    uint32_t count;
    uint32_t params;
    uint64_t param[TRACE_PARAMS_MAX];
};

/* 0, or why these bytes are no trace. */
const char *trace_open(struct trace *trace, const uint8_t *bytes, size_t length);
/* Bytes without a header: whole records; what is left over at the end is ignored. */
void trace_bare(struct trace *trace, const uint8_t *bytes, size_t length);
struct trace_record trace_record(const struct trace *trace, uint32_t index);

#endif
