/* SPDX-License-Identifier: MIT */
/* Answers in the words of Xen's headers, so that the log and the document need no table of numbers. */
#include "probe.h"

static const struct {
    long value;
    const char *name;
} errors[] = {
#define XEN_ERRNO(name, value) {(value), "-" #name},
#include <xen/errno.h>
};

const char *errno_word(long rc) {
    if (rc >= 0)
        return NULL;
    for (uint32_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
        if (errors[i].value == -rc)
            return errors[i].name;
    return "an unknown errno";
}

const char *grant_word(int status) {
    switch (status) {
    case GNTST_okay:
        return NULL;
    case GNTST_general_error:
        return "GNTST_general_error";
    case GNTST_bad_domain:
        return "GNTST_bad_domain";
    case GNTST_bad_gntref:
        return "GNTST_bad_gntref";
    case GNTST_permission_denied:
        return "GNTST_permission_denied";
    default:
        return "another GNTST";
    }
}

const char *extents_word(long done) {
    return done < 0 ? errno_word(done) : done ? NULL : "0 extents";
}
