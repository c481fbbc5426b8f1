// SPDX-License-Identifier: MIT
/* PCI devices from a guest's user space: sysfs for finding, enabling and mapping, iopl() for ports. */
#include "pci.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <unistd.h>

#define DEVICES "/sys/bus/pci/devices"
#define FLAG_IO 0x100 /* linux/ioport.h: IORESOURCE_IO, third number of a line of `resource` */

static bool read_text(const char *name, const char *leaf, char *out, size_t size) {
    char path[300];
    ssize_t got;
    int fd;

    snprintf(path, sizeof(path), DEVICES "/%s/%s", name, leaf);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    got = read(fd, out, size - 1);
    close(fd);
    out[got > 0 ? got : 0] = '\0';
    return got > 0;
}

static bool matches(const char *name, unsigned vendor, unsigned device) {
    char text[16];

    return read_text(name, "vendor", text, sizeof(text)) && strtoul(text, NULL, 16) == vendor &&
           read_text(name, "device", text, sizeof(text)) && strtoul(text, NULL, 16) == device;
}

const char *pci_find(const char *text, char *name, size_t size) {
    unsigned vendor, device;
    char rest;
    struct dirent *entry;
    bool found = false;
    DIR *dir;

    if (sscanf(text, "%4x:%4x%c", &vendor, &device, &rest) != 2) {
        char line[16];

        snprintf(name, size, "%s", text);
        found = !strchr(text, '/') && read_text(name, "vendor", line, sizeof(line));
        return found ? NULL : "no PCI device has that address";
    }
    dir = opendir(DEVICES);
    if (!dir)
        return "the kernel shows no PCI devices";
    while (!found && (entry = readdir(dir))) {
        found = entry->d_name[0] != '.' && matches(entry->d_name, vendor, device);
        if (found)
            snprintf(name, size, "%s", entry->d_name);
    }
    closedir(dir);
    return found ? NULL : "no PCI device has these ids";
}

const char *pci_enable(const char *name) {
    char path[300];
    int fd;
    bool good;

    snprintf(path, sizeof(path), DEVICES "/%s/enable", name);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return "cannot open the device's `enable`";
    good = write(fd, "1", 1) == 1;
    close(fd);
    return good ? NULL : "the kernel does not enable the device";
}

static const char *map_memory(const char *name, uint32_t index, struct pci_bar *bar) {
    char path[300];
    void *mapped;
    int fd;

    snprintf(path, sizeof(path), DEVICES "/%s/resource%u", name, index);
    fd = open(path, O_RDWR | O_SYNC | O_CLOEXEC);
    if (fd < 0)
        return "cannot open the BAR's resource file";
    mapped = mmap(NULL, bar->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped == MAP_FAILED)
        return "cannot map the BAR";
    bar->memory = mapped;
    return NULL;
}

const char *pci_open_bar(const char *name, uint32_t index, struct pci_bar *bar) {
    char text[2048];
    char *line = text;
    unsigned long long start, end, flags;

    if (index >= PCI_BARS)
        return "a BAR's number is 0 to 5";
    if (!read_text(name, "resource", text, sizeof(text)))
        return "the device has no resources";
    for (uint32_t i = 0; i < index && line; i++) {
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    if (!line || sscanf(line, "%llx %llx %llx", &start, &end, &flags) != 3 || !flags || end < start)
        return "the device has no such BAR, or the kernel gave it no address";
    *bar = (struct pci_bar){.is_io = (flags & FLAG_IO) != 0, .start = start, .size = end - start + 1};
    if (!bar->is_io)
        return map_memory(name, index, bar);
    return iopl(3) ? "the kernel does not allow port access" : NULL;
}

const char *pci_config(const char *name, bool write_it, uint32_t offset, uint32_t size, uint32_t *value) {
    char path[300];
    ssize_t done;
    int fd;

    snprintf(path, sizeof(path), DEVICES "/%s/config", name);
    fd = open(path, (write_it ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (fd < 0)
        return "cannot open the device's configuration space";
    if (!write_it)
        *value = 0;
    done = write_it ? pwrite(fd, value, size, offset) : pread(fd, value, size, offset);
    close(fd);
    return done == (ssize_t)size ? NULL : "the kernel does not do that access to configuration space";
}

uint64_t bar_read(const struct pci_bar *bar, uint64_t offset, uint32_t size) {
    uint16_t port = (uint16_t)(bar->start + offset);
    volatile uint8_t *at = bar->memory + offset;

    switch (size) {
    case 1:
        return bar->is_io ? inb(port) : *at;
    case 2:
        return bar->is_io ? inw(port) : *(volatile uint16_t *)at;
    case 4:
        return bar->is_io ? inl(port) : *(volatile uint32_t *)at;
    default:
        return *(volatile uint64_t *)at;
    }
}

void bar_write(const struct pci_bar *bar, uint64_t offset, uint32_t size, uint64_t value) {
    uint16_t port = (uint16_t)(bar->start + offset);
    volatile uint8_t *at = bar->memory + offset;

    if (bar->is_io && size == 1)
        outb((uint8_t)value, port);
    else if (bar->is_io && size == 2)
        outw((uint16_t)value, port);
    else if (bar->is_io)
        outl((uint32_t)value, port);
    else if (size == 1)
        *at = (uint8_t)value;
    else if (size == 2)
        *(volatile uint16_t *)at = (uint16_t)value;
    else if (size == 4)
        *(volatile uint32_t *)at = (uint32_t)value;
    else
        *(volatile uint64_t *)at = value;
}
