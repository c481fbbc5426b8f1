/* SPDX-License-Identifier: MIT */
#include "trace.h"

#include <string.h>

#define MAGIC "GBTRACE\n"
#define VERSION 1u
enum { AT_VERSION = 8, AT_LEVEL = 10, AT_PARAMS = 11, AT_CRC = 12, AT_RECORDS = 24, AT_VALUES = 128 };
#define LEVEL_MODULE 1u

static uint64_t little(const uint8_t *at, uint32_t bytes) {
    uint64_t value = 0;

    for (uint32_t i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

/* CRC-32 of IEEE 802.3 over the file, with its own field taken as zeros. */
static uint32_t crc_of(const uint8_t *bytes, size_t length) {
    uint32_t crc = ~0u;

    for (size_t i = 0; i < length; i++) {
        crc ^= i >= AT_CRC && i < AT_CRC + 4 ? 0 : bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
    }
    return ~crc;
}

const char *trace_open(struct trace *trace, const uint8_t *bytes, size_t length) {
    if (length < TRACE_HEADER_BYTES || memcmp(bytes, MAGIC, 8) != 0)
        return "no trace file";
    if (little(bytes + AT_VERSION, 2) != VERSION)
        return "a trace of another version";
    trace->count = (uint32_t)little(bytes + AT_RECORDS, 4);
    if (trace->count > TRACE_RECORDS_MAX)
        return "too many records";
    if (length != TRACE_HEADER_BYTES + (size_t)trace->count * TRACE_RECORD_BYTES)
        return "cut off, or more than its records";
    if (crc_of(bytes, length) != little(bytes + AT_CRC, 4))
        return "damaged";
    trace->params = bytes[AT_PARAMS];
    if (bytes[AT_LEVEL] != LEVEL_MODULE || trace->params > TRACE_PARAMS_MAX)
        return "no trace of one module";
    for (uint32_t i = 0; i < TRACE_PARAMS_MAX; i++)
        trace->param[i] = i < trace->params ? little(bytes + AT_VALUES + 8 * i, 8) : 0;
    trace->records = bytes + TRACE_HEADER_BYTES;
    return 0;
}

void trace_bare(struct trace *trace, const uint8_t *bytes, size_t length) {
    memset(trace, 0, sizeof(*trace));
    trace->records = bytes;
    trace->count = (uint32_t)(length / TRACE_RECORD_BYTES);
}

struct trace_record trace_record(const struct trace *trace, uint32_t index) {
    const uint8_t *at = trace->records + (size_t)index * TRACE_RECORD_BYTES;

    return (struct trace_record){
        .kind = at[11],
        .bar = at[12],
        .size = at[13],
        .count = (uint16_t)little(at + 14, 2),
        .addr = little(at + 16, 8),
        .data = little(at + 24, 8),
    };
}
