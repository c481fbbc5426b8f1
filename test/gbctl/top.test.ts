// SPDX-License-Identifier: MIT
//
// gbctl top: rates and shares between two samples; who goes drops out, whose figures begin anew has none; a terminal
// is left as it was.

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { DD, DOM0, DRIVER_NODES, fails, run } from "./support.js";

const top = suite("gbctl top");

const WORLD = `${DOM0}domain 1 glovebox-demo pv 16384
${DRIVER_NODES}node ${DD}/state ready
domain 2 desk pvh 278528
domain 3 game pvh 278528
node ${DD}/vgpu/2/0 module=virtio-gpu guest=pvh
node ${DD}/vgpu/2/0/state ready
node ${DD}/vgpu/3/0 module=virtio-gpu guest=pvh
node ${DD}/vgpu/3/0/state ready
node ${DD}/vgpu/3/1 module=none guest=pvh
node ${DD}/vgpu/3/1/state refused
`;

interface Figures {
  traps: number;
  engine: number;
  done: number;
  queue: number;
  now: number;
  busy: number;
  weight: number;
  policy: string;
  more: string;
}
const ZERO: Figures = {
  traps: 0,
  engine: 0,
  done: 0,
  queue: 0,
  now: 1_000_000_000,
  busy: 0,
  weight: 1,
  policy: "weighted",
  more: "",
};

function stat(guest: number, figures: Partial<Figures>): string {
  const f = { ...ZERO, ...figures };
  return `once request stat ${guest} 0 :: reply ok module=virtio-gpu state=ready traps=${f.traps} refused=7 \
ram_pages=256 buffers=3 buffer_bytes=12582912 quota_ram_pages=4096 quota_buffers=64 quota_bytes=1073741824 \
quarantined=0 recent_faults=2${f.more}
once request engine ${guest} 0 :: reply ok policy=${f.policy} weight=${f.weight} cap=100 priority=normal \
exec_quantum_us=2000 period_us=0 runtime_us=0 now_ns=${f.now} busy_ns=${f.busy} engine_ns=${f.engine} \
queue=${f.queue} done=${f.done} recent_wait_p50_us=96 recent_wait_p99_us=1280\n`;
}

const domain = (restarts = 0): string => `once request stat :: reply ok restarts=${restarts}\n`;
const ONCE = ["top", "--once", "--interval", "100"];
const later = { now: 3_000_000_000, busy: 1_500_000_000 };
/** Two guests flood the engine for two seconds, weights 8 and 4. */
const FLOOD =
  domain() +
  stat(2, { weight: 8 }) +
  stat(3, { weight: 4 }) +
  domain() +
  stat(2, { ...later, weight: 8, traps: 400, engine: 1_000_000_000, done: 2000, queue: 2 }) +
  stat(3, { ...later, weight: 4, traps: 10, engine: 500_000_000, done: 1000, queue: 1 });

top("shares and rates of an interval, in JSON", async () => {
  const result = await run([...ONCE, "--json"], { scenario: WORLD + FLOOD });
  assert.is(result.code, 0, result.stderr);
  const [told, ...none] = JSON.parse(result.stdout);
  assert.is(none.length, 0);
  assert.equal(
    [told.driver_domain, told.policy, told.restarted, told.interval_ns, told.engine_ppm],
    ["glovebox-demo", "weighted", false, 2_000_000_000, 750_000],
  );
  assert.equal(told.vgpus[0], {
    guest: "desk",
    domid: 2,
    vgpu: 0,
    module: "virtio-gpu",
    state: "ready",
    engine_ppm: 500_000,
    wanted_ppm: 666_667,
    got_ppm: 666_667,
    queue: 2,
    done_per_s: 1000,
    wait_p50_us: 96,
    wait_p99_us: 1280,
    traps_per_s: 200,
    faults: 2,
    refused: 7,
    buffers: 3,
    buffers_quota: 64,
    bytes: 12_582_912,
    bytes_quota: 1_073_741_824,
    ram_pages: 256,
    ram_pages_quota: 4096,
  });
  assert.is(told.vgpus[1].wanted_ppm, 333_333);
  assert.is(told.vgpus.length, 2, "what was refused is no vGPU");
});

top("the same as text", async () => {
  const text = (await run(ONCE, { scenario: WORLD + FLOOD })).stdout.split("\n");
  assert.match(text[0] ?? "", /^glovebox-demo \(domain 1\), policy weighted, engine +75\.0 %, 2 vGPUs$/);
  const row = "desk/0 +virtio-gpu +ready +50\\.0 +66\\.7 +66\\.7 +2 +1000 +96us +1280us +200 +2 +7 +3/64 +";
  assert.match(text[2] ?? "", new RegExp(`^ {2}${row}12288K/1024M 1024K/16384K$|^ {2}${row}\\S+/\\S+ +\\S+/\\S+$`));
  assert.not.ok(text.join("").includes("\x1b"));
});

top("who did not want the engine has no share of it; best-effort promises nobody one", async () => {
  const idle = FLOOD.replaceAll("engine_ns=500000000 queue=1 done=1000", "engine_ns=0 queue=0 done=0");
  const [told] = JSON.parse((await run([...ONCE, "--json"], { scenario: WORLD + idle })).stdout);
  assert.equal([told.vgpus[0].wanted_ppm, told.vgpus[1].wanted_ppm, told.vgpus[1].got_ppm], [1_000_000, null, null]);
  assert.is(told.vgpus[1].engine_ppm, 0);
  const best = FLOOD.replaceAll("policy=weighted", "policy=best-effort");
  const [free] = JSON.parse((await run([...ONCE, "--json"], { scenario: WORLD + best })).stdout);
  assert.equal([free.vgpus[0].wanted_ppm, free.vgpus[0].got_ppm], [null, 666_667]);
});

top("a restart in place begins figures anew: said, and no rates", async () => {
  const scenario = WORLD + FLOOD.replace(/restarts=0\n(?![\s\S]*restarts)/, "restarts=1\n");
  const [told] = JSON.parse((await run([...ONCE, "--json"], { scenario })).stdout);
  assert.equal([told.restarts, told.restarted, told.engine_ppm], [1, true, null]);
  assert.equal([told.vgpus[0].engine_ppm, told.vgpus[0].traps_per_s], [null, null]);
  const text = (await run(ONCE, { scenario })).stdout;
  assert.match(text, /it restarted in place \(1 times so far\), figures begin anew/);
  assert.match(text, /desk\/0 +virtio-gpu +ready +- +- +- +2 +- /);
});

top("figures that are lower than before are another device's", async () => {
  const scenario = WORLD + FLOOD.replace("traps=0", "traps=500");
  const [told] = JSON.parse((await run([...ONCE, "--json"], { scenario })).stdout);
  assert.equal([told.vgpus[0].engine_ppm, told.vgpus[0].traps_per_s], [null, null]);
  assert.is(told.vgpus[1].traps_per_s, 5);
});

top("a guest that goes between two samples, or in the middle of one, drops out", async () => {
  const between = `on request engine 3 0 :: rm ${DD}/vgpu/2\n`;
  const first = domain() + stat(2, {}) + stat(3, {});
  const second = domain() + stat(3, { ...later, engine: 500_000_000 });
  const [told] = JSON.parse((await run([...ONCE, "--json"], { scenario: WORLD + between + first + second })).stdout);
  assert.equal([told.vgpus.length, told.vgpus[0].guest, told.vgpus[0].got_ppm], [1, "game", 1_000_000]);
  const gone = "once request stat 2 0 :: reply error no such guest: 2\n";
  const middle = WORLD + first + domain() + gone + stat(3, { ...later, engine: 1 });
  const [left] = JSON.parse((await run([...ONCE, "--json"], { scenario: middle })).stdout);
  assert.equal([left.vgpus.length, left.vgpus[0].guest], [1, "game"]);
});

top("a driver domain that goes is not shown any more; a named one ends it", async () => {
  const scenario = `${WORLD}on request engine 3 0 :: after 20 destroy 1\n${domain()}${stat(2, {})}${stat(3, {})}`;
  const result = await run([...ONCE, "--json"], { scenario });
  assert.equal([result.code, result.stdout], [0, "[]\n"]);
  assert.match((await run(ONCE, { scenario })).stdout, /no driver domain is ready/);
  await fails([...ONCE, "--driver-domain", "glovebox-demo"], { scenario }, 3, /domain 1 \(glovebox-demo\) has gone/);
});

top("quarantined, lost, unknown: the words are the domain's, escaped", async () => {
  const odd = FLOOD.replaceAll("quarantined=0", "quarantined=1").replaceAll("module=virtio-gpu", "module=\x1b[2J");
  const text = (await run(ONCE, { scenario: WORLD + odd })).stdout;
  assert.match(text, /desk\/0 +\\x1b\[2J +quarantined /);
  assert.not.ok(text.includes("\x1b"));
  const slow = FLOOD.replaceAll("weight=8 cap=100", "throttle=2 weight=8 cap=100");
  assert.match((await run(ONCE, { scenario: WORLD + slow })).stdout, /desk\/0 +virtio-gpu +throttled +50\.0 +2\.0 /);
  const lost = FLOOD.replaceAll("state=ready", "state=lost");
  assert.match((await run(ONCE, { scenario: WORLD + lost })).stdout, /desk\/0 +virtio-gpu +lost /);
});

/** Answers that stay the same, however often they are asked for. */
const STILL = (domain() + stat(2, {}) + stat(3, {})).replaceAll("once ", "on ");

top("blocks elsewhere, as many as wanted", async () => {
  const result = await run(["top", "--interval", "100", "--count", "3"], { scenario: WORLD + STILL });
  assert.is(result.stdout.split("glovebox-demo (domain 1)").length - 1, 3);
  const lines = await run(["top", "--interval", "100", "--count", "2", "--json"], { scenario: WORLD + STILL });
  assert.equal(
    lines.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)[0].driver_domain),
    ["glovebox-demo", "glovebox-demo"],
  );
});

top("drawn anew on a terminal, which is left as it was; Ctrl-C ends it cleanly", async () => {
  const counted = 'script -qefc "$0 $* --count 2" /dev/null';
  const interrupted = 'script -qefc "timeout --foreground --preserve-status -s INT 1 $0 $*" /dev/null';
  for (const shell of [counted, interrupted]) {
    const scenario = WORLD + STILL;
    const drawn = await run(["top", "--interval", "100"], { scenario, shell });
    assert.is(drawn.code, 0);
    assert.ok(drawn.stdout.startsWith("\x1b[?25l\x1b[2J\x1b[H"), drawn.stdout);
    assert.ok(drawn.stdout.split("\x1b[H").length > 2);
    assert.ok(drawn.stdout.trimEnd().endsWith("\x1b[?25h"), "the cursor is back");
  }
  const shell = 'timeout --preserve-status -s INT 1 "$0" "$@"';
  const quiet = await run(["top", "--interval", "100"], { scenario: WORLD + STILL, shell });
  assert.is(quiet.code, 0, quiet.stderr);
});

top("bad words", async () => {
  const scenario = WORLD + STILL;
  await fails(["top", "--interval", "99"], { scenario }, 2, /--interval 99: must be 100 to 3600000/);
  await fails(["top", "--count", "0"], { scenario }, 2, /--count 0: must be 1 to/);
  await fails(["top", "desk"], { scenario }, 2, /too many words, from "desk" on/);
  await fails(["list", "--once"], { scenario }, 2, /list knows no --once/);
  await fails(["top"], {}, 3, /no driver domain is ready/);
  await fails(["top", "--driver-domain", "desk"], { scenario }, 3, /desk\) is no Glovebox driver domain/);
  await fails(["top", "--timeout", "1"], { scenario: WORLD }, 4, /"stat": no answer within 1 s/);
});

top.run();
