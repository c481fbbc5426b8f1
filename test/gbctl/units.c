// SPDX-License-Identifier: MIT
/* What the scenarios do not reach: the real xl_run() over ordinary programs, and the parsers at their edges. */
#include <stdlib.h>
#include <string.h>

#include "../../native/dom0/gbctl/top.h"

static int failures;

#define CHECK(condition)                                                  \
    do {                                                                  \
        if (!(condition)) {                                               \
            printf("FAIL line %d: %s\n", __LINE__, #condition);           \
            failures++;                                                   \
        }                                                                 \
    } while (0)

static void test_numbers(void) {
    uint64_t value = 7;

    CHECK(parse_u64("0", 0, &value) && value == 0);
    CHECK(parse_u64("18446744073709551615", UINT64_MAX, &value) && value == UINT64_MAX);
    CHECK(!parse_u64("18446744073709551616", UINT64_MAX, &value));
    CHECK(!parse_u64("99999999999999999999", UINT64_MAX, &value));
    CHECK(!parse_u64("", 10, &value) && !parse_u64("-1", 10, &value) && !parse_u64(" 1", 10, &value));
    CHECK(!parse_u64("1 ", 10, &value) && !parse_u64("0x1", 10, &value) && !parse_u64("11", 10, &value));
}

static void test_words(void) {
    static struct words w;
    static char many[STORE_VALUE_MAX + 1];
    uint64_t value;

    words_parse(&w, "  a=1   flag b==x c= ");
    CHECK(w.count == 4 && !strcmp(words_get(&w, "a"), "1") && !strcmp(words_get(&w, "b"), "=x"));
    CHECK(!*words_get(&w, "flag") && !*words_get(&w, "c") && !words_get(&w, "d"));
    CHECK(words_u64(&w, "a", 1, &value) && value == 1 && !words_u64(&w, "a", 0, &value));
    words_parse(&w, "a=\"b c=d\" e=\"\" f=\"open");
    CHECK(w.count == 3 && !strcmp(words_get(&w, "a"), "b c=d") && !*words_get(&w, "e"));
    CHECK(!strcmp(words_get(&w, "f"), "open"));
    words_parse(&w, "");
    CHECK(w.count == 0);
    for (size_t i = 0; i + 2 < sizeof(many); i += 2)
        memcpy(many + i, "x ", 2);
    words_parse(&w, many);
    CHECK(w.count == WORDS_MAX);
}

static struct gb fresh(uint32_t seconds) {
    struct gb gb;

    memset(&gb, 0, sizeof(gb));
    gb.opt.timeout_s = seconds;
    gb.deadline_ns = clock_ns() + seconds * 1000000000ull;
    return gb;
}

static void test_xl(void) {
    const char *const good[] = {"sh", "-c", "echo hello", NULL};
    const char *const bad[] = {"sh", "-c", "echo first; echo second >&2; exit 3", NULL};
    const char *const slow[] = {"sh", "-c", "echo started; sleep 30", NULL};
    const char *const daemon[] = {"sh", "-c", "sleep 5 & exit 0", NULL};
    const char *const absent[] = {"no-such-program", NULL};
    struct gb gb = fresh(20);
    uint64_t start = clock_ns();

    CHECK(xl_run(&gb, good) == GB_OK);
    CHECK(xl_run(&gb, bad) == GB_FAILED && strstr(gb.error, "exit code 3") && strstr(gb.error, "first;second"));
    CHECK(xl_run(&gb, absent) == GB_FAILED && strstr(gb.error, "no-such-program"));
    /* A daemon that stays behind with our output open must not hold us up. */
    CHECK(xl_run(&gb, daemon) == GB_OK && clock_ns() - start < 4000000000ull);
    gb = fresh(1);
    CHECK(xl_run(&gb, slow) == GB_TIMED_OUT && strstr(gb.error, "within 1 s") && strstr(gb.error, "started"));
}

static void test_text(void) {
    char *out = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&out, &size);
    struct json j = {.to = file};

    text_print(file, "a\x1b[31m\xff~");
    fputc('|', file);
    json_open(&j, NULL, '{');
    json_string(&j, "k\"", "\n\x80\\");
    json_value(&j, "n", "12");
    json_value(&j, "z", "012");
    json_value(&j, "big", "9007199254740993");
    json_open(&j, "list", '[');
    json_close(&j, ']');
    json_bool(&j, "b", true);
    json_close(&j, '}');
    fclose(file);
    CHECK(!strcmp(out, "a\\x1b[31m\\xff~|{\"k\\\"\":\"\\u000a\\u0080\\\\\",\"n\":12,\"z\":\"012\","
                       "\"big\":\"9007199254740993\",\"list\":[],\"b\":true}"));
    free(out);
}

/* --- top_share(): each row is weight, cap, priority, then period, runtime and quantum in us --- */

struct share_case {
    const char *policy;
    uint32_t count;
    struct {
        uint64_t weight, cap;
        const char *priority;
        uint64_t period, runtime, quantum;
        bool idle;
        uint64_t due_ppm;
    } row[4];
};

static const struct share_case SHARES[] = {
    {"weighted", 2, {{8, 100, "normal", 0, 0, 1, false, 666667}, {4, 100, "normal", 0, 0, 1, false, 333333}}},
    {"weighted", 3,
     {{8, 100, "normal", 0, 0, 1, true, 0}, {3, 100, "normal", 0, 0, 1, false, 750000},
      {1, 100, "normal", 0, 0, 1, false, 250000}}},
    /* what the cap takes from one goes to the others by their weights */
    {"weighted", 3,
     {{8, 20, "normal", 0, 0, 1, false, 200000}, {3, 100, "normal", 0, 0, 1, false, 600000},
      {1, 100, "normal", 0, 0, 1, false, 200000}}},
    /* two caps, the second reached only by what the first left; idle time is nobody's share */
    {"weighted", 2, {{9, 10, "normal", 0, 0, 1, false, 250000}, {1, 30, "normal", 0, 0, 1, false, 750000}}},
    /* the lower one waits: one part in twenty */
    {"weighted", 2, {{1, 100, "high", 0, 0, 1, false, 950000}, {1, 100, "low", 0, 0, 1, false, 50000}}},
    {"weighted", 3,
     {{1, 100, "high", 0, 0, 1, false, 902500}, {1, 100, "normal", 0, 0, 1, false, 47500},
      {1, 100, "low", 0, 0, 1, false, 50000}}},
    /* a capped high one leaves the rest to the lower */
    {"weighted", 2, {{1, 40, "high", 0, 0, 1, false, 400000}, {1, 100, "low", 0, 0, 1, false, 600000}}},
    {"equal-share", 2, {{8, 20, "high", 0, 0, 1, false, 500000}, {1, 100, "low", 0, 0, 1, false, 500000}}},
    {"fixed-share", 2, {{8, 20, "high", 0, 0, 3000, false, 750000}, {1, 100, "low", 0, 0, 1000, false, 250000}}},
    {"deadline", 3,
     {{1, 100, "normal", 10000, 4000, 1, true, 0}, {1, 100, "normal", 10000, 2000, 1, false, 600000},
      {1, 100, "normal", 0, 0, 1, false, 400000}}},
};

static void test_shares(void) {
    for (size_t i = 0; i < sizeof(SHARES) / sizeof(SHARES[0]); i++) {
        struct top_vgpu v[4];
        struct top_row rows[4];

        memset(v, 0, sizeof(v));
        memset(rows, 0, sizeof(rows));
        for (uint32_t k = 0; k < SHARES[i].count; k++) {
            snprintf(v[k].policy, sizeof(v[k].policy), "%s", SHARES[i].policy);
            snprintf(v[k].priority, sizeof(v[k].priority), "%s", SHARES[i].row[k].priority);
            v[k].figure[TOP_WEIGHT] = SHARES[i].row[k].weight;
            v[k].figure[TOP_CAP] = SHARES[i].row[k].cap;
            v[k].figure[TOP_PERIOD_US] = SHARES[i].row[k].period;
            v[k].figure[TOP_RUNTIME_US] = SHARES[i].row[k].runtime;
            v[k].figure[TOP_QUANTUM_US] = SHARES[i].row[k].quantum;
            rows[k].now = &v[k];
            rows[k].wanted = !SHARES[i].row[k].idle;
        }
        top_share(rows, SHARES[i].count);
        for (uint32_t k = 0; k < SHARES[i].count; k++) {
            if (rows[k].due_ppm == SHARES[i].row[k].due_ppm && rows[k].due_known == rows[k].wanted)
                continue;
            printf("FAIL shares %zu row %u: %llu\n", i, k, (unsigned long long)rows[k].due_ppm);
            failures++;
        }
    }
}

int main(void) {
    signals_catch();
    test_shares();
    test_numbers();
    test_words();
    test_text();
    test_xl();
    printf("%d failures\n", failures);
    return failures != 0;
}
