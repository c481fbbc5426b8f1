// SPDX-License-Identifier: MIT
//
// The shim's C, but for native/arch, on this machine against a fake hypervisor, under ASan and UBSan: scenarios, and
// one life of a domain repeated with each of its hypercalls failing in turn. main.c says what is run; here it is built,
// and shown that it notices a shim that is wrong.

import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BUILD, fromRoot } from "../../host/lab/paths.js";
import { gbx, ramdisk } from "./gbx.js";

const SCRATCH = join(BUILD, "test/native");
const SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"];
const FLAGS = [
  "-std=c11",
  "-D_GNU_SOURCE",
  "-g",
  "-O1",
  "-fno-strict-aliasing",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-Wshadow",
];

interface Sources {
  iquote: string[];
  common: string[];
  xen: string[];
}

const sources = JSON.parse(readFileSync(fromRoot("native/sources.json"), "utf8")) as Sources;
const shim = [...sources.common, ...sources.xen];
const doubles = ["test/native", "test/native/fake", "test/native/double"].flatMap((folder) =>
  readdirSync(fromRoot(folder))
    .filter((name) => name.endsWith(".c"))
    .map((name) => join(folder, name)),
);

interface Change {
  file: string;
  from: string;
  to: string;
}

/** What a restart sets back: the shim's own variables, by where they lie (fake/restart.c). */
const MOVED = [".bss=shim_bss", ".data=shim_data", ".data.rel.local=shim_data", ".data.rel=shim_data"];

function compileShim(source: string, object: string): string {
  compile(source, object);
  execFileSync("objcopy", [...MOVED.flatMap((one) => ["--rename-section", one]), object]);
  return object;
}

function compile(source: string, object: string): string {
  const quoted = [...sources.iquote, "test/native"].flatMap((folder) => ["-iquote", fromRoot(folder)]);
  execFileSync("gcc", [...FLAGS, ...SANITIZERS, ...quoted, "-c", source, "-o", object]);
  return object;
}

const compilerOf = (file: string) => (file.startsWith("native/") ? compileShim : compile);

/** Objects of the shim as it is, by source. */
const objects = new Map<string, string>();

function objectOf(file: string): string {
  const known = objects.get(file) ?? compilerOf(file)(fromRoot(file), join(SCRATCH, `${file.replaceAll("/", "-")}.o`));
  objects.set(file, known);
  return known;
}

/** The test program, with one source or header of the shim changed when asked to. */
function build(name: string, change?: Change): string {
  mkdirSync(SCRATCH, { recursive: true });
  const program = join(SCRATCH, name);
  const linked = [...shim, ...doubles].map((file) =>
    change !== undefined && reaches(change, file) ? changed(name, file, change) : objectOf(file),
  );
  execFileSync("gcc", [...SANITIZERS, ...linked, "-o", program]);
  return program;
}

const reaches = (change: Change, file: string): boolean =>
  file === change.file || readFileSync(fromRoot(file), "utf8").includes(`#include "${basename(change.file)}"`);

/** The source, in a folder where the changed file lies, too: what stands beside a source is included first. */
function changed(name: string, source: string, { file, from, to }: Change): string {
  const folder = join(SCRATCH, `${name}-changed`);
  mkdirSync(folder, { recursive: true });
  const text = readFileSync(fromRoot(file), "utf8");
  assert.ok(text.includes(from), `${file} no longer contains: ${from}`);
  const copy = join(folder, basename(source));
  copyFileSync(fromRoot(source), copy);
  writeFileSync(join(folder, basename(file)), text.replace(from, to));
  return compileShim(copy, `${copy}.o`);
}

/** The modules of every scenario: slot 0 works, slot 1 wants more memory than it says. */
function modules(): string {
  const path = join(SCRATCH, "modules.img");
  const plain = { name: "plain-1.gbx", bytes: gbx() };
  const greedy = { name: "greedy-1.gbx", bytes: gbx({ name: "greedy", cflags: ["-DGREEDY"] }) };
  mkdirSync(SCRATCH, { recursive: true });
  writeFileSync(path, ramdisk([plain, greedy]));
  return path;
}

const run = (program: string, scenario = "") => {
  const env = { ...process.env, FAKE_RAMDISK: modules() };
  return spawnSync(program, [scenario], { encoding: "utf8", timeout: 120_000, env });
};

test("the shim against the fake hypervisor, every hypercall failing once", () => {
  const { status, stdout, stderr } = run(build("shim"));
  if (status !== 0) process.stdout.write(`${stdout}${stderr}`);
  assert.is(status, 0);
  assert.match(stdout, /every hypercall fails once: EINVAL/);
  assert.match(stdout, /a restart fails once: EINVAL\n {5}\d+ hypercalls: \d+ failures left nothing behind, 0 ended/);
  assert.match(stdout, /\n\d+ passed, 0 failed\n$/);
});

test("memcpy, memmove, memset and memcmp of the processor's folder", () => {
  const names = ["memcpy", "memmove", "memset", "memcmp"].map((name) => `-D${name}=our_${name}`);
  const object = join(SCRATCH, "our-string.o");
  const program = join(SCRATCH, "string");
  execFileSync("gcc", ["-O2", "-ffreestanding", ...names, "-c", fromRoot("native/arch/x86_64/string.c"), "-o", object]);
  execFileSync("gcc", [...FLAGS, "-fno-builtin", fromRoot("test/native/arch/string.c"), object, "-o", program]);
  const { status, stdout } = run(program);
  assert.is(stdout, "");
  assert.is(status, 0);
});

/** Shims with one mistake each, and the scenario that says so, or the beginning of its name. */
const MISTAKES = [
  {
    what: "a window that is mapped without a flush",
    file: "native/xen/foreign.c",
    from: "        flush(window, count);\n    else",
    to: "        ;\n    else",
    by: "checksums",
  },
  {
    what: "a window that is not given back",
    file: "native/xen/checksum.c",
    from: "        foreign_unmap(window, view->count);\n",
    to: "        (void)0;\n",
    by: "checksums",
  },
  {
    what: "a page that makes room without a flush",
    file: "native/xen/foreign.c",
    from: "if (pages[i].showed_another)",
    to: "if (0)",
    by: "pages that make room for each other",
  },
  {
    what: "a page that is given up without a flush",
    file: "native/xen/foreign.c",
    from: "if (hypercall_mmuext_op(&flush, 1))",
    to: "if (flush.cmd == 0)",
    by: "pages that the guest gives back",
  },
  {
    what: "pages that stay when the guest gives them back",
    file: "native/xen/ioreq.c",
    from: "        guest_pages_outdate(server->domid);",
    to: "        (void)0;",
    by: "pages that the guest gives back",
  },
  {
    what: "pages that are outdated and never go",
    file: "native/xen/loop.c",
    from: "bool sweeps = guest_pages_sweep();",
    to: "bool sweeps = false;",
    by: "pages that the guest gives back",
  },
  {
    what: "pages that were outdated and count again",
    file: "native/xen/guest_pages.c",
    from: "    if (++generation[domid] == 0)",
    to: "    if (++generation[domid] == 0 && domid == 0)",
    by: "pages that are given back again and again",
  },
  {
    what: "a message that comes while the loop gives way and waits for the next event",
    file: "native/xen/loop.c",
    from: "        more = let_others();",
    to: "        (void)let_others();",
    by: "a message while giving way",
  },
  {
    what: "pages that are taken in their last generation only",
    file: "native/xen/guest_pages.c",
    from: "(page->name & ~GENERATION_MASK) == (name_of(domid, gfn) & ~GENERATION_MASK)",
    to: "page->name == name_of(domid, gfn)",
    by: "pages that we take while they are outdated",
  },
  {
    what: "pages that stay when we take them",
    file: "native/xen/memory.c",
    from: "    guest_pages_forget((domid_t)domid, gfn, nr_pages);",
    to: "",
    by: "pages that we take and move",
  },
  {
    what: "a dead guest that is kept by what we see of it",
    file: "native/xen/memory.c",
    from: " && guest_pages_forget_all(domid);",
    to: " && domid == 0;",
    by: "pages of a dead guest that is still there",
  },
  {
    what: "pages that stay when the server goes",
    file: "native/xen/server.c",
    from: "    guest_pages_drop(server->domid);\n",
    to: "",
    by: "pages that stay cost hypercalls once",
  },
  {
    what: "pages that outlive a restart",
    file: "native/xen/restart.c",
    from: "    guest_pages_take_back();\n",
    to: "",
    by: "a panic with requests pending",
  },
  {
    what: "pages that are told apart by their number alone",
    file: "native/xen/guest_pages.c",
    from: "(domid + 1ul) << DOMID_SHIFT | (uint64_t)generation[domid]",
    to: "1ul << DOMID_SHIFT | (uint64_t)generation[domid]",
    by: "pages of two guests at one number",
  },
  {
    what: "a page of a call that makes room for the next one",
    file: "native/xen/guest_pages.c",
    from: "if (set[i].used < found->used)",
    to: "if (set[i].used > found->used)",
    by: "pages",
  },
  {
    what: "a copy within a guest that overlooks an overlap",
    file: "native/xen/guest.c",
    from: "return a->gpa - b->gpa >= b->len && b->gpa - a->gpa >= a->len;",
    to: "return b->gpa - a->gpa >= a->len;",
    by: "moves within a guest",
  },
  {
    what: "a port that stays bound when enabling fails",
    file: "native/xen/server.c",
    from: "        unbind_all(server);\n        return rc;",
    to: "        return rc;",
    by: "every hypercall fails once",
  },
  {
    what: "a server that stays when its page cannot be mapped",
    file: "native/xen/server.c",
    from: "    if (rc)\n        (void)dm_op_destroy_ioreq_server(server->domid, server->id);\n    return rc;",
    to: "    return rc;",
    by: "every hypercall fails once",
  },
  {
    what: "a slot that is completed whatever its state has become",
    file: "native/xen/slot.h",
    from: "    if ((byte & IOREQ_STATE_MASK) != from)",
    to: "    if ((byte & IOREQ_STATE_MASK) != from && from == STATE_IOREQ_READY)",
    by: "a state that flips while answering",
  },
  {
    what: "a pending request that nobody completes",
    file: "native/xen/server_answer.c",
    from: "            slot_complete(slot, slot_flags(slot), ALL_ONES, server->ports[vcpu]);",
    to: "            continue;",
    by: "destroy with a request pending",
  },
  {
    what: "a port that inherits the silence of its number",
    file: "native/xen/event.c",
    from: "    __atomic_store_n(&shared->vcpu_info[0].evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);\n",
    to: "",
    by: "a port number that was silenced",
  },
  {
    what: "a restart that forgets the request it was answering",
    file: "native/xen/restart.c",
    from: "    server_answer_interrupted();\n",
    to: "",
    by: "a panic with requests pending",
  },
  {
    what: "a restart that does not look at requests whose event was taken",
    file: "native/xen/boot.c",
    from: "    event_raise_all();\n",
    to: "",
    by: "a panic with requests pending",
  },
  {
    what: "a restart that keeps what nobody wants",
    file: "native/xen/boot.c",
    from: "    server_drop_unclaimed();\n",
    to: "",
    by: "a restart that nobody takes anything on in",
  },
  {
    what: "an end that leaves requests unanswered",
    file: "native/xen/server_restart.c",
    from:
      "        server_answer_all(server, true);\n        server_let_answers_be_taken(server);\n" +
      "        (void)dm_op_destroy",
    to: "        (void)dm_op_destroy",
    by: "three panics in a window",
  },
  {
    what: "an instance whose memory is not zeroed",
    file: "native/wasm/arena.c",
    from: "    memset(memory->data, 0, pages * WASM_PAGE_BYTES);\n",
    to: "",
    by: "reset",
  },
  {
    what: "a module's code that stays writable",
    file: "native/wasm/loader.c",
    from: "access == ELF_CODE ? MACHINE_CODE : MACHINE_CONSTANTS",
    to: "MACHINE_DATA",
    by: "a module's code cannot be written",
  },
  {
    what: "pages of a refused module that nobody gives back",
    file: "native/wasm/loader.c",
    from: "        code_give_back((uint32_t)first, elf.pages);\n        return",
    to: "        return",
    by: "modules loaded and unloaded live",
  },
  {
    what: "a module that is unloaded under its instances",
    file: "native/wasm/module_calls.c",
    from: "    if (instance_count(module))\n        return -XEN_EBUSY;\n",
    to: "",
    by: "modules loaded and unloaded live",
  },
];

for (const { what, by, ...change } of MISTAKES) {
  test(`noticed: ${what}`, () => {
    const { status, stdout } = run(build(`mistake-${basename(change.file, ".c")}`, change), by);
    assert.match(stdout, `FAIL ${by}`);
    assert.is(status, 1);
  });
}

test.run();
