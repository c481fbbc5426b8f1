// SPDX-License-Identifier: MIT
/*
 * The little that gbctl must know of a guest's xl configuration before xl reads it: its name, its label
 * under FLASK, and its type for an early "PV guests have no device model". xl stays the one that understands the file.
 */
#include <errno.h>
#include <string.h>

#include "config.h"

/* One `key = "value"` line; both quotes of xl's grammar. */
static bool read_line(const char *line, const char *key, char *out, size_t size) {
    size_t length = strlen(key);
    const char *end;

    line += strspn(line, " \t");
    if (strncmp(line, key, length))
        return false;
    line += length;
    line += strspn(line, " \t");
    if (*line != '=')
        return false;
    line++;
    line += strspn(line, " \t");
    if (*line != '"' && *line != '\'')
        return false;
    end = strchr(line + 1, *line);
    if (!end || (size_t)(end - line) > size)
        return false;
    snprintf(out, size, "%.*s", (int)(end - line - 1), line + 1);
    return true;
}

static int check_type(struct gb *gb, const char *path, const char *type) {
    if (!*type || !strcmp(type, "pvh") || !strcmp(type, "hvm"))
        return GB_OK;
    return gb_fail(gb, GB_USAGE, "%s: type=\"%s\": only pvh and hvm guests can have a vGPU", path, type);
}

static int check_label(struct gb *gb, const char *path, const char *label) {
    if (*label)
        return label_check(gb, path, label);
    if (!flask_active(gb))
        return GB_OK;
    return gb_fail(gb, GB_USAGE,
                   "%s: this Xen has FLASK, and a guest without a label cannot have a vGPU: add the line "
                   "seclabel=\"" FLASK_GUEST_LABEL "\", or another label that the policy lets the driver domain serve",
                   path);
}

int config_read(struct gb *gb, const char *path, struct config *out) {
    char line[1024];
    char type[8] = "";
    FILE *file = fopen(path, "re");

    memset(out, 0, sizeof(*out));
    if (!file)
        return gb_fail(gb, GB_NOT_FOUND, "guest configuration %s: %s", path, strerror(errno));
    while (fgets(line, sizeof(line), file)) {
        read_line(line, "name", out->name, sizeof(out->name));
        read_line(line, "seclabel", out->label, sizeof(out->label));
        read_line(line, "type", type, sizeof(type));
    }
    fclose(file);
    if (!out->name[0])
        return gb_fail(gb, GB_USAGE, "%s: it has no line name=\"...\" (of at most %d characters)", path,
                       DOMAIN_NAME_MAX);
    if (name_check(gb, "guest", out->name))
        return gb_because(gb, GB_USAGE, "%s", path);
    if (check_label(gb, path, out->label))
        return GB_USAGE;
    return check_type(gb, path, type);
}
