// SPDX-License-Identifier: MIT
//
// gbctl create and attach: what stands behind a --module becomes words of its specification; what the module does not
// have, or what is beyond a limit, is told before anything is made.

import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { fromRoot } from "../../host/lab/paths.js";
import { CREATING, creating, DD, fails, onlyDom0, RUNNING, run } from "./support.js";

const wish = suite("gbctl options of a --module");

const GPU =
  "name=virtio-gpu version=0.1.0 abi=1 serial=1 ram_param=memory_bytes params=outputs:1:1:4,width:1024:640:3840," +
  "height:768:480:2400,width1:1024:640:3840,height1:768:480:2400,memory_bytes:16777216:4096:268435456";
const BOCHS =
  "name=bochs-display version=0.1.0 abi=1 serial=2 ram_param=vram_bytes params=vram_bytes:16777216:4194304:268435456," +
  "width:1024:640:3840,height:768:480:2400";
const NEXT = `${DD}/vgpu/2/1`;
const HAVING = `${RUNNING}node ${DD}/module/1 ${GPU}\nnode ${DD}/module/2 ${BOCHS}
node ${DD}/module/3 name=plain version=1.0 abi=1 serial=3\n`;
const READY = `${HAVING}on write ${NEXT} module= :: set ${NEXT}/state ready\n`;

const attach = (...words: string[]): string[] => ["attach", "demo", "--module", ...words];

const SPECIFICATIONS: [words: string[], specification: string][] = [
  [
    ["virtio-gpu", "--weight", "8", "--cap", "50", "--exec-quantum-us", "2000", "--preempt-timeout-us", "100000"],
    "weight=8 cap=50 exec-quantum-us=2000 preempt-timeout-us=100000",
  ],
  [["virtio-gpu", "--priority", "high"], "priority=high"],
  [["virtio-gpu", "--period-us", "16667", "--runtime-us", "6000"], "period-us=16667 runtime-us=6000"],
  [["virtio-gpu", "--period-us", "0", "--runtime-us", "0"], "period-us=0 runtime-us=0"],
  [
    ["virtio-gpu", "--outputs", "1920x1080,1280x720", "--memory", "64M"],
    "outputs=2 width=1920 height=1080 width1=1280 height1=720 memory_bytes=67108864",
  ],
  [["virtio-gpu", "--slot", "4", "--param", "outputs=2"], "slot=4 outputs=2"],
  [["bochs-display", "--outputs", "1280x1024", "--memory", "32M"], "width=1280 height=1024 vram_bytes=33554432"],
];
for (const [words, text] of SPECIFICATIONS) {
  wish(`${words.slice(1).join(" ")}`, async () => {
    const result = await run(attach(...words), { scenario: READY });
    assert.is(result.code, 0, result.stderr);
    assert.is(result.nodes.get(NEXT), `module=${words[0]} guest=pvh ${text}`);
  });
}

wish("each belongs to the --module before it", async () => {
  const third = `${DD}/vgpu/2/2`;
  const scenario = `${READY}on write ${third} module= :: set ${third}/state ready\n`;
  const words = ["virtio-gpu", "--weight", "8", "--module", "bochs-display", "--weight", "4", "--memory", "8M"];
  const result = await run(attach(...words), { scenario });
  assert.is(result.nodes.get(NEXT), "module=virtio-gpu guest=pvh weight=8");
  assert.is(result.nodes.get(third), "module=bochs-display guest=pvh weight=4 vram_bytes=8388608");
});

wish("of several versions without a name for one: what was loaded last says what there is", async () => {
  const scenario = `${READY}node ${DD}/module/4 name=virtio-gpu version=0.2.0 abi=1 serial=9 params=width:1:1:9\n`;
  await fails(attach("virtio-gpu", "--memory", "1M"), { scenario }, 2, /module virtio-gpu@0\.2\.0 has no memory/);
  const result = await run(attach("virtio-gpu@0.1.0", "--memory", "1M"), { scenario });
  assert.is(result.nodes.get(NEXT), "module=virtio-gpu@0.1.0 guest=pvh memory_bytes=1048576");
});

wish("--memory before any --module is the driver domain's, behind one the device's", async () => {
  const module = `on xl create -q /tmp :: set ${DD}/module/0 ${BOCHS}\n`;
  const options = creating({ driver: CREATING.driver + module });
  const words = ["create", "demo.cfg", "--kernel", "glovebox.elf", "--memory", "32"];
  const result = await run([...words, "--module", "bochs-display", "--memory", "8M"], options);
  assert.is(result.code, 0, result.stderr);
  assert.is(result.nodes.get(`${DD}/vgpu/2/0`), "module=bochs-display guest=pvh vram_bytes=8388608");
  const wrong = [...words, "--module", "bochs-display", "--outputs", "1x1"];
  onlyDom0(
    await fails(wrong, options, 2, /choosing the modules: --outputs: width 1 of output 0: .* takes 640 to 3840/),
  );
});

const MISTAKES: [words: string[], message: RegExp][] = [
  [["virtio-gpu", "--weight", "0"], /--weight 0: must be 1 to 1000/],
  [["virtio-gpu", "--weight", "1001"], /--weight 1001: must be 1 to 1000/],
  [["virtio-gpu", "--weight", "8", "--weight", "8"], /--weight 8: given twice for --module virtio-gpu/],
  [["virtio-gpu", "--cap", "0"], /--cap 0: must be 1 to 100/],
  [["virtio-gpu", "--cap", "101"], /--cap 101: must be 1 to 100/],
  [["virtio-gpu", "--cap", "50%"], /--cap 50%: must be 1 to 100/],
  [["virtio-gpu", "--priority", "realtime"], /--priority realtime: must be low, normal or high/],
  [["virtio-gpu", "--exec-quantum-us", "99"], /--exec-quantum-us 99: must be 100 to 1000000/],
  [["virtio-gpu", "--exec-quantum-us", "1000001"], /--exec-quantum-us 1000001: must be 100 to 1000000/],
  [["virtio-gpu", "--preempt-timeout-us", "999"], /--preempt-timeout-us 999: must be 1000 to 10000000/],
  [["virtio-gpu", "--period-us", "10000"], /--period-us 10000: needs --runtime-us/],
  [["virtio-gpu", "--runtime-us", "10000"], /--runtime-us 10000: needs --period-us/],
  [["virtio-gpu", "--period-us", "999", "--runtime-us", "1"], /--period-us 999: must be 0, or 1000 to 10000000/],
  [["virtio-gpu", "--period-us", "2000", "--runtime-us", "2001"], /--runtime-us 2001: above --period-us 2000/],
  [["virtio-gpu", "--outputs", "1000"], /--outputs: "1000" must be WIDTHxHEIGHT, 1 to 16384 each, commas between/],
  [["virtio-gpu", "--outputs", "640x480,"], /--outputs: "" must be WIDTHxHEIGHT/],
  [["virtio-gpu", "--outputs", "640x0"], /--outputs: "640x0" must be/],
  [["virtio-gpu", "--outputs", "640x480", "--outputs", "640x480"], /--outputs 640x480: given twice/],
  [
    ["virtio-gpu", "--outputs", Array(1000).fill("640x480").join()],
    /1000 outputs, but module virtio-gpu@0.1.0 has 1 to 4/,
  ],
  [["virtio-gpu", "--outputs", "640x480,640x480,640x480"], /module virtio-gpu@0.1.0 has no parameter width2/],
  [["virtio-gpu", "--outputs", "3841x480"], /width 3841 of output 0: module virtio-gpu@0.1.0 takes 640 to 3840/],
  [["virtio-gpu", "--outputs", "640x480,640x479"], /height 479 of output 1: .* takes 480 to 2400/],
  [["virtio-gpu", "--outputs", "640x480", "--param", "width=640"], /--outputs and --param width=640: both/],
  [["bochs-display", "--outputs", "640x480,640x480"], /2 outputs, but module bochs-display@0.1.0 has one only/],
  [["plain", "--outputs", "640x480"], /module plain@1.0 has no parameter width/],
  [["plain", "--memory", "64M"], /--memory 67108864: module plain@1.0 has no memory to size/],
  [["bochs-display", "--memory", "1M"], /vram_bytes of module bochs-display@0.1.0 must be 4194304 to 268435456 bytes/],
  [["virtio-gpu", "--memory", "64MB"], /--memory 64MB: must be a decimal number of bytes/],
  [["virtio-gpu", "--memory", "1M", "--memory", "1M"], /--memory 1M: given twice/],
];
for (const [words, message] of MISTAKES) {
  wish(`refused: ${words.join(" ").slice(0, 60)}`, async () => {
    const result = await fails(attach(...words), { scenario: READY }, 2, message);
    assert.not.ok(result.nodes.has(NEXT));
  });
}

wish("before any --module, or for another verb, they mean nothing", async () => {
  await fails(["attach", "demo", "--weight", "8"], { scenario: READY }, 2, /--weight must follow the --module/);
  await fails(["attach", "demo", "--memory", "64M"], { scenario: READY }, 2, /--memory must follow the --module/);
  await fails(["start", "--memory", "64M"], { scenario: READY }, 2, /the driver domain's MiB/);
  await fails(["start", "--weight", "8"], { scenario: READY }, 2, /start knows no --weight/);
  const replace = ["replace", "demo", "--module", "virtio-gpu", "--weight", "8"];
  await fails(replace, { scenario: READY }, 2, /everything else stays as it is/);
});

wish(
  "what the driver domain alone can know is its refusal: deadlines that cannot all be met, with the sum",
  async () => {
    const sum = "deadline cannot be met: runtime-us=6000 and 100 us to switch, of period-us=10000, are 61.00 %";
    const scenario = `${HAVING}on write ${NEXT} module= :: set ${NEXT}/error ${sum}, limit 95.00 %
on write ${NEXT} module= :: set ${NEXT}/state refused\n`;
    const words = ["virtio-gpu", "--period-us", "10000", "--runtime-us", "6000"];
    await fails(
      attach(...words),
      { scenario },
      1,
      /vgpu 1 \(virtio-gpu\): refused: deadline cannot be met: .* 61\.00 %/,
    );
  },
);

wish("a module's node that makes no sense promises nothing", async () => {
  for (const params of ["memory_bytes", "memory_bytes:", "memory_bytes:1:2", "memory_bytes:x:1:2", ",,,", "a:1:1:1,"]) {
    const node = `node ${DD}/module/4 name=odd version=1 abi=1 serial=5 ram_param=memory_bytes params=${params}\n`;
    await fails(attach("odd", "--memory", "1M"), { scenario: HAVING + node }, 2, /module odd@1 has no memory to size/);
  }
});

wish("limits are those of the driver domain", () => {
  const read = (path: string): string => readFileSync(fromRoot(path), "utf8");
  const header = read("native/dom0/gbctl/limits.h");
  const core = read("unikernel/core/sched/limits.ts") + read("unikernel/core/limits.ts");
  const names = ["WEIGHT_MAX", "CAP_MAX", "QUANTUM_US_MIN", "QUANTUM_US_MAX", "TIMEOUT_US_MIN", "TIMEOUT_US_MAX"];
  for (const name of [...names, "PERIOD_US_MIN", "PERIOD_US_MAX", "REQUEST_BYTES_MAX"]) {
    const here = new RegExp(`#define ${name} (\\d+)`).exec(header)?.[1];
    const there = new RegExp(`const ${name}: u\\d\\d = ([\\d_]+)`).exec(core)?.[1]?.replaceAll("_", "");
    assert.ok(here !== undefined && here === there, `${name}: ${here} here, ${there} there`);
  }
});

wish.run();
