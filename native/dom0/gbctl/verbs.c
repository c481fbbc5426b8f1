// SPDX-License-Identifier: MIT
/* The table of verbs: what each takes, needs and says of itself. */
#include <string.h>

#include "gbctl.h"

#define STORE NEED_STORE
#define XC (NEED_STORE | NEED_XC)
#define PAGES (NEED_STORE | NEED_XC | NEED_GNTTAB)

/* Of create and attach. */
#define MODULE_OPTIONS                                                                                              \
    " of the --module before them:\n"                                                                               \
    "  --param NAME=NUMBER    a parameter of it (\"gbctl modules\" lists them); 16M means 16777216\n"              \
    "  --outputs WxH,...      its outputs and their sizes, by its parameters outputs, width, height, width1, ...\n" \
    "  --memory BYTES         its own memory, with K, M or G\n"                                                     \
    "  --slot N               PCI slot (1 to 31); HVM guests need it\n"                                             \
    "  --weight N, --cap N, --priority P, --exec-quantum-us N, --preempt-timeout-us N, --period-us N,\n"            \
    "  --runtime-us N         the scheduler's words, see \"gbctl set --help\"\n"                                   \
    " of the driver domain:\n"

static const struct verb VERBS[] = {
    {"create", "GUEST.cfg", 1, 1, OPT_JSON | OPT_MODULE | OPT_DRIVER | OPT_START | OPT_LABEL | OPT_SUPERVISE, XC,
     create_run,
     "make a guest with vGPUs, and its driver domain",
     "Starts a driver domain glovebox-GUEST (or takes the one that --driver-domain names), makes the guest from its\n"
     "xl configuration, attaches one vGPU for each --module and lets the guest run. What fails is undone.\n"
     "\n"
     "  --module NAME[@VERSION]  a vGPU; may be given up to 8 times; without a version: the one loaded last\n"
 MODULE_OPTIONS
     "  --driver-domain D      name or number of a driver domain that runs already\n"
     "  --kernel IMAGE         the driver domain's image (/usr/lib/xen/boot/glovebox.elf)\n"
     "  --modules FILE         its ramdisk with modules (modules.img beside the image, when there is one)\n"
     "  --memory MIB           before any --module: the driver domain's memory (16)\n"
     "  --wait block|busy:US   how it waits for requests: block at once, or look for them for US microseconds first\n"
     "  --threshold NAME=N[:ACTION]   what follows N times within the window; see threshold. As often as needed\n"
     "  --seclabel LABEL       the driver domain's label where Xen has FLASK (" FLASK_DRIVER_LABEL ");\n"
     "                         the guest's is in its configuration: seclabel=\"" FLASK_GUEST_LABEL "\"\n"
     "  --supervise            stay, and make guest and wiring anew when the guest reboots; end when it powers off\n"
     "\n"
     "Examples:\n"
     "  gbctl create desk.cfg --module bochs-display\n"
     "  gbctl create desk.cfg --module bochs-display --param vram_bytes=32M --supervise\n"},
    {"attach", "GUEST", 1, 1, OPT_JSON | OPT_MODULE | OPT_DRIVER, XC, attach_run, "add vGPUs to a guest that exists",
     "Adds a vGPU for each --module to a guest that was made before, best while it is paused: no guest looks for new\n"
     "PCI devices by itself.\n"
     "\n"
     "  --module NAME[@VERSION]  a vGPU; may be given up to 8 times; without a version: the one loaded last\n"
     MODULE_OPTIONS
     "  --driver-domain D      name or number; without it the one that serves the guest, or is called glovebox-GUEST\n"
     "\n"
     "Examples:\n"
     "  gbctl attach desk --module bochs-display\n"
     "  gbctl attach desk --driver-domain glovebox --module bochs-display --memory 32M\n"
     "  gbctl attach desk --module virtio-gpu --weight 8 --cap 50 --outputs 1920x1080,1280x720 --memory 64M\n"},
    {"detach", "GUEST [N]", 1, 2, OPT_JSON, XC, detach_run, "take a vGPU, or all, from a guest",
     "Removes vGPU N of the guest, or all of them, and waits until the driver domain has let go.\n"
     "\n"
     "Examples:\n"
     "  gbctl detach desk 0\n"},
    {"reset", "GUEST [N]", 1, 2, OPT_JSON, XC, reset_run, "give a vGPU a fresh start",
     "Resets vGPU N (0): its module starts anew, also after it was lost. The guest keeps running and must cope.\n"
     "\n"
     "Examples:\n"
     "  gbctl reset desk 0\n"},
    {"output", "GUEST N OUTPUT WIDTHxHEIGHT|off", 4, 4, OPT_JSON, XC, output_run, "plug in, resize or unplug an output",
     "Tells vGPU N what is plugged into its output from now on; a guest that listens sees a new monitor. What the\n"
     "module makes of it stands in the driver domain's console log.\n"
     "\n"
     "Examples:\n"
     "  gbctl output desk 0 1 1920x1080\n"
     "  gbctl output desk 0 1 off\n"},
    {"replace", "GUEST [N]", 1, 2, OPT_JSON | OPT_MODULE | OPT_TRIAL, XC, replace_run,
     "another version of a vGPU's module, while it runs",
     "The module that --module names takes vGPU N (0) over. It must be the same device to the guest. Where both have\n"
     "a state it is handed over, else the guest sees a reset. The old one stays for the trial: a fault of the new one\n"
     "brings it and its state back, and \"gbctl list\" says so.\n"
     "\n"
     "  --module NAME[@VERSION]   without a version: the one that was loaded last\n"
     "  --trial MS                how long the old one is kept (1000), 0 is not at all\n"
     "\n"
     "Examples:\n"
     "  gbctl replace desk --module bochs-display@0.2.0 --trial 5000\n"},
    {"quarantine", "GUEST", 1, 1, OPT_JSON, XC, quarantine_run, "refuse resets and attaches for a guest",
     "From now on no vGPU of the guest is reset and none attached, until it is released. What works goes on. A guest\n"
     "that reaches a threshold may get there by itself; \"gbctl list\" shows why.\n"
     "\n"
     "Examples:\n"
     "  gbctl quarantine desk\n"},
    {"release", "GUEST", 1, 1, OPT_JSON, XC, release_run, "end a guest's quarantine",
     "Resets and attaches are possible again, and counting begins anew; a warning or throttling ends, too.\n"
     "\n"
     "Examples:\n"
     "  gbctl release desk && gbctl reset desk 0\n"},
    {"threshold", "[NAME=N[:ACTION] ...]", 0, OPERANDS_MAX, OPT_JSON | OPT_DRIVER, XC, threshold_run,
     "how often what may happen, and what follows",
     "Prints the thresholds of a driver domain and what each of its guests has counted within the window; with words\n"
     "it changes them before, all or none. They outlive a restart in place, not the driver domain.\n"
     "\n"
     "  faults             calls of a module that ended in a fault (8:quarantine)\n"
     "  interrupt_storms   of these: more interrupts than the module promises (3:quarantine)\n"
     "  resets             resets that were asked for (0:quarantine)\n"
     "  refused            what a vGPU asked for and did not get (0:quarantine)\n"
     "  doorbell_storms    256 traps of a guest in less than storm_ms (100:warn)\n"
     "  engine_timeouts    workloads that took more than any may (3:quarantine)\n"
     "  window_ms          the window (60000); storm_ms: see above (10)\n"
     "\n"
     "N of 0 is never. ACTION is warn (log and list), throttle (also 2 % of the engine at most, and no polling; both\n"
     "until a window has passed without another breach) or quarantine (no resets and attaches, until released).\n"
     "\n"
     "Examples:\n"
     "  gbctl threshold\n"
     "  gbctl threshold doorbell_storms=20:throttle faults=3\n"},
    {"set", "GUEST [N] WORD=VALUE ...", 2, OPERANDS_MAX - 1, OPT_JSON, XC, set_run, "scheduler's parameters of a vGPU",
     "Changes parameters of vGPU N (0) while the guest runs, all that are named or none; prints what counts then.\n"
     "\n"
     "  weight=1..1000             share of the engine, in proportion\n"
     "  cap=1..100                 percent of the engine at most\n"
     "  priority=low|normal|high   who goes first\n"
     "  exec-quantum-us=N          engine time until others are looked at\n"
     "  preempt-timeout-us=N       who has not stopped so long after it was asked to is lost\n"
     "  period-us=N runtime-us=N   a deadline: so much engine time in each period; 0 and 0: none\n"
     "\n"
     "Examples:\n"
     "  gbctl set desk weight=4\n"
     "  gbctl set desk 1 cap=50 priority=low\n"},
    {"policy", "[NAME [GUEST [N] WORD=VALUE ...]]", 0, OPERANDS_MAX, OPT_JSON | OPT_DRIVER, XC, policy_run,
     "the scheduler's policy",
     "Says which policy the driver domain's scheduler has, how many vGPUs have a deadline, and how many millionths of\n"
     "the engine these are promised; or gives it another policy:\n"
     "\n"
     "  weighted      shares by weight, caps, priorities (at the start)\n"
     "  equal-share   the same for everybody who has work\n"
     "  fixed-share   a window for each vGPU, as long as its exec-quantum-us\n"
     "  best-effort   by turns, a whole workload each\n"
     "  deadline      runtime-us in each period-us for those who have them, the rest by weight\n"
     "\n"
     "Words behind it are set for a guest's vGPU on the way, as \"gbctl set\" does; both or none.\n"
     "\n"
     "Examples:\n"
     "  gbctl policy deadline --driver-domain glovebox\n"
     "  gbctl policy deadline cluster period-us=16667 runtime-us=6000\n"},
    {"list", "", 0, 0, OPT_JSON, STORE, list_run, "driver domains, their guests, their vGPUs",
     "One line for each vGPU: driver domain, its state, guest, number, module, state, address, what went wrong;\n"
     "and one for each guest in quarantine, with the reason.\n"
     "\n"
     "Examples:\n"
     "  gbctl list --json\n"},
    {"modules", "", 0, 0, OPT_JSON | OPT_DRIVER, STORE, modules_run, "modules that can be attached",
     "One line for each module of each driver domain: name@version, BLAKE2b of its .gbx file (the first 16 digits),\n"
     "ABI, where it came from, instances, parameters (name:default:min:max); then what was refused, and why.\n"
     "\n"
     "Examples:\n"
     "  gbctl modules --driver-domain glovebox-desk\n"},
    {"load", "FILE.gbx", 1, 1, OPT_JSON | OPT_DRIVER, XC, load_run, "give a module to a driver domain that runs",
     "The driver domain copies the file, checks it and offers the module from then on. Guests keep what they have.\n"
     "\n"
     "  --driver-domain D   name or number; needed when there are several\n"
     "\n"
     "Examples:\n"
     "  gbctl load bochs-display-0.2.0.gbx\n"},
    {"unload", "NAME@VERSION", 1, 1, OPT_JSON | OPT_DRIVER, XC, unload_run, "take a module that no vGPU has",
     "Its room in the driver domain is free again. Refused while a vGPU has it, a lost one too.\n"
     "\n"
     "  --driver-domain D   name or number; needed when there are several\n"
     "\n"
     "Examples:\n"
     "  gbctl unload bochs-display@0.1.0\n"},
    {"stat", "[GUEST [N]]", 0, 2, OPT_JSON | OPT_DRIVER, XC, stat_run, "counters of a vGPU, or of a driver domain",
     "Without a guest: the figures of the driver domain itself. With one: those of its vGPU N (0).\n"
     "\n"
     "Examples:\n"
     "  gbctl stat desk\n"
     "  gbctl stat --driver-domain glovebox-desk --json\n"},
    {"top", "", 0, 0, OPT_JSON | OPT_DRIVER | OPT_TOP, XC, top_run, "who does what on the engine, live",
     "Samples all vGPUs and shows what they did in between, drawn anew on a terminal; Ctrl-C ends it. A dash is what\n"
     "cannot be known: in a vGPU's first interval, and when figures began anew.\n"
     "\n"
     "  engine%        engine time, of the time that passed\n"
     "  wanted%, got%  of the engine time that was given out: the share due by the policy's parameters among\n"
     "                 those that wanted the engine, and the one that it had\n"
     "  queue          workloads that wait\n"
     "  done/s         workloads done: flushes and transfers\n"
     "  wait p50, p99  until a workload's first slice, in the last one to two seconds\n"
     "  faults         of the guest, within the window of thresholds\n"
     "  refused        what the vGPU asked for and did not get, since it was attached\n"
     "  buffers, bytes, ram   handles, what they speak of, RAM of its BARs: of its quota\n"
     "\n"
     "  --driver-domain D   only this one\n"
     "  --interval MS       from one sample to the next (1000)\n"
     "  --count N           end after N blocks; --once is --count 1\n"
     "  --json              one line a sample, times in ns and us, shares in millionths (ppm)\n"
     "\n"
     "Examples:\n"
     "  gbctl top --driver-domain glovebox\n"
     "  gbctl top --once --json --interval 5000\n"},
    {"state", "GUEST [N]", 1, 2, OPT_JSON, XC, state_run, "a hash of what a vGPU's module is now",
     "Prints the module, the CRC-32 over its instance's memory and globals, and the fuel that its calls have taken:\n"
     "the same module after the same calls has the same everywhere.\n"
     "\n"
     "Examples:\n"
     "  gbctl state desk --json\n"},
    {"screenshot", "GUEST [N] FILE.png|FILE.ppm", 1, 3, OPT_JSON | OPT_PICTURE, PAGES, screenshot_run,
     "a picture of a guest's screen",
     "Writes what the guest shows on vGPU N (0) to a file. The CRC-32 that the driver domain computes is compared\n"
     "with the picture's own; when they differ the screen moved, and the picture is taken again, up to 3 times.\n"
     "The guest's cursor is drawn over it; what is compared is the screen without.\n"
     "\n"
     "  --scanout K   the screen's number on that vGPU (0)\n"
     "  --no-cursor   leave the cursor out\n"
     "  --crc         only print the CRC-32, size and format, of the screen without its cursor; no file\n"
     "  --crc --cursor   those of the cursor, and where it is\n"
     "\n"
     "Examples:\n"
     "  gbctl screenshot desk desk.png\n"
     "  gbctl screenshot desk --crc --json\n"},
    {"trace", "GUEST", 1, 1, OPT_JSON | OPT_RAW, PAGES, trace_run, "what the driver domain did for a guest lately",
     "Prints the trace ring's records of the guest, oldest first.\n"
     "\n"
     "  -o, --output FILE   a trace file of this guest, which `glovebox replay` plays on any machine\n"
     "  --raw               the whole ring as it is, 32 bytes a record, to standard output\n"
     "\n"
     "Examples:\n"
     "  gbctl trace desk | tail\n"
     "  gbctl trace desk -o desk.gbt\n"},
    {"destroy", "GUEST", 1, 1, OPT_JSON, XC, destroy_run, "end a guest and its own driver domain",
     "Destroys the guest, removes its vGPUs, and destroys the driver domain glovebox-GUEST when there is one.\n"
     "\n"
     "Examples:\n"
     "  gbctl destroy desk\n"},
    {"start", "[NAME]", 0, 1, OPT_JSON | OPT_START | OPT_LABEL, XC, start_run, "start a driver domain alone",
     "Starts a driver domain with that name (glovebox) and waits until it is ready.\n"
     "\n"
     "  --kernel IMAGE, --modules FILE, --memory MIB, --wait block|busy:US, --threshold NAME=N[:ACTION],\n"
     "  --seclabel LABEL   as with create\n"
     "\n"
     "Examples:\n"
     "  gbctl start glovebox --wait busy:50\n"},
    {"policy-check", "", 0, 0, OPT_JSON | OPT_LABEL, XC, policy_check_run,
     "what this Xen's policy lacks for many guests",
     "Looks whether Xen has FLASK and enforces it, whether the loaded policy knows our labels and grants what a\n"
     "driver domain needs, and whether driver domains and guests have labels that fit. It changes nothing; exit\n"
     "code 1 when something is missing.\n"
     "\n"
     "  --seclabel LABEL       the driver domain's label (" FLASK_DRIVER_LABEL ")\n"
     "\n"
     "Examples:\n"
     "  gbctl policy-check\n"
     "  gbctl policy-check --json\n"},
    {"stop", "NAME", 1, 1, OPT_JSON | OPT_FORCE, XC, stop_run, "end a driver domain",
     "Destroys a driver domain. One that still serves guests is left alone: a guest that waits for an answer would\n"
     "hang for ever.\n"
     "\n"
     "  --force   even then\n"
     "\n"
     "Examples:\n"
     "  gbctl stop glovebox\n"},
};

#define VERB_COUNT (sizeof(VERBS) / sizeof(VERBS[0]))

const struct verb *verb_find(const char *name) {
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (!strcmp(VERBS[i].name, name))
            return &VERBS[i];
    }
    return NULL;
}

static void print_common(FILE *to) {
    fprintf(to,
            "\nEverywhere:\n"
            "  --json         machine-readable output, errors too\n"
            "  --timeout S    give up after S seconds (%d)\n"
            "  --help         this text\n"
            "\nExit codes: 0 done, 1 failed, 2 wrong command line, 3 not found, 4 timed out, 5 no rights.\n",
            TIMEOUT_DEFAULT_S);
}

void help_print(FILE *to) {
    fputs("gbctl wires guests to Glovebox driver domains, and looks at them. It runs in Dom0 of a Xen machine.\n\n"
          "Usage: gbctl VERB [operands] [--options]\n\nVerbs:\n",
          to);
    for (size_t i = 0; i < VERB_COUNT; i++)
        fprintf(to, "  %-12s  %-28s  %s\n", VERBS[i].name, VERBS[i].operands, VERBS[i].brief);
    fputs("\n\"gbctl VERB --help\" says more, with examples.\n", to);
    print_common(to);
}

void help_print_verb(const struct verb *verb) {
    printf("Usage: gbctl %s%s%s [--options]\n\n%s", verb->name, *verb->operands ? " " : "", verb->operands, verb->help);
    print_common(stdout);
}
