// SPDX-License-Identifier: MIT
//
// gbctl modules, load, unload: versions beside each other, and a file that is granted for one request.

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { DD, fails, RUNNING, run } from "./support.js";

const modules = suite("gbctl modules, load, unload, state");

const DIGEST = "0123456789abcdef".repeat(8);
const TWO_MODULES = `${RUNNING}node ${DD}/module/1 name=bochs-display version=0.2.0 abi=1 from=live serial=2
node ${DD}/refused/0 bad-1.gbx: not listed in \x1b B2SUMS
on request module 0 :: reply ok name=bochs-display version=0.1.0 abi=1 blake2b=${DIGEST} from=ramdisk instances=1
on request module 1 :: reply ok name=bochs-display version=0.2.0 abi=1 blake2b=${DIGEST} from=live instances=0
`;

modules("modules: every version, with instances; what was refused", async () => {
  const told = JSON.parse((await run(["modules", "--json"], { scenario: TWO_MODULES })).stdout);
  const common = { driver_domain: "glovebox-demo", name: "bochs-display", abi: 1, blake2b: DIGEST };
  assert.equal(told, [
    { ...common, version: "0.1.0", from: "ramdisk", instances: 1, params: "" },
    { ...common, version: "0.2.0", from: "live", instances: 0, params: "" },
    { driver_domain: "glovebox-demo", refused: "bad-1.gbx: not listed in \x1b B2SUMS" },
  ]);
  const text = (await run(["modules"], { scenario: TWO_MODULES })).stdout.split("\n");
  assert.match(text[0] ?? "", /bochs-display@0\.1\.0 +0123456789abcdef +abi 1 {2}ramdisk {2}instances 1/);
  assert.match(text[2] ?? "", /refused: bad-1\.gbx: not listed in \\x1b B2SUMS/);
});

modules("a version is part of the wish", async () => {
  const attach = (title: string) => ["attach", "demo", "--module", title, "--timeout", "1"];
  await fails(
    attach("bochs-display@0.3.0"),
    { scenario: TWO_MODULES },
    3,
    /has bochs-display@0.1.0, bochs-display@0.2.0/,
  );
  for (const wrong of ["@1", "a@", "a@b@c", "a b", "a@1 x"]) {
    await fails(attach(wrong), { scenario: TWO_MODULES }, 2, /letters, digits/);
  }
  const next = `${DD}/vgpu/2/1`;
  const scenario = `${TWO_MODULES}on write ${next} module=bochs-display@0.2.0 :: set ${next}/state ready\n`;
  assert.is((await run(attach("bochs-display@0.2.0"), { scenario })).code, 0);
});

modules("load: granted for one request, and taken back", async () => {
  const files = { "a.gbx": "x".repeat(5000), empty: "", big: "y".repeat(512 * 1024 + 1) };
  const scenario = `${RUNNING}on request load 100 5000 0 :: reply ok slot=1 name=a version=1.0 blake2b=${DIGEST}\n`;
  const good = await run(["load", "a.gbx"], { scenario, files });
  assert.is(good.stdout, "glovebox-demo\ta@1.0\n");
  assert.match(good.stderr, new RegExp(`shared 3 pages, sum ${2 + 5000 * 120}`));
  const refused = `${RUNNING}on request load :: reply error module refused: not an ELF file\n`;
  await fails(["load", "a.gbx"], { scenario: refused, files }, 1, /module refused: not an ELF file/);
  await fails(["load", "none"], { scenario: RUNNING, files }, 3, /none: No such file/);
  await fails(["load", "empty"], { scenario: RUNNING, files }, 1, /empty: empty/);
  await fails(["load", "big"], { scenario: RUNNING, files }, 1, /too large; a .gbx file has at most 524288 bytes/);
  await fails(["load", "a.gbx"], { scenario: `${RUNNING}fail xengntshr_open 2\n`, files }, 5, /gntalloc/);
  await fails(["load", "a.gbx"], { scenario: `${RUNNING}fail share 12\n`, files }, 1, /cannot grant 3 pages/);
  await fails(["load", "a.gbx", "--timeout", "1"], { scenario: RUNNING, files }, 4, /load 100 5000 0/);
});

modules("unload and state", async () => {
  const scenario = `${RUNNING}on request unload bochs-display@0.1.0 :: reply error module in use: 1 vGPUs have it
on request unload a@1 :: reply ok
on request state 2 0 :: reply ok module=a@1 hash=00001234 fuel_used=77\n`;
  await fails(["unload", "bochs-display@0.1.0"], { scenario }, 1, /in use: 1 vGPUs/);
  await fails(["unload", "bochs-display"], { scenario }, 2, /needs NAME@VERSION/);
  assert.is((await run(["unload", "a@1"], { scenario })).code, 0);
  const told = JSON.parse((await run(["state", "demo", "--json"], { scenario })).stdout);
  assert.equal(told, { module: "a@1", hash: "00001234", fuel_used: 77 });
});
modules.run();
