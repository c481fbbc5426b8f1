// SPDX-License-Identifier: MIT
//
// What a guest is told of its outputs: display info and EDID, also when one is plugged in, resized or unplugged.

import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as G from "../../unikernel/modules/virtio-gpu/protocol.js";
import * as D from "./driver.js";
import { live, SCANOUT } from "./pictures.js";

const U32 = 0xffffffff;

test("display info and EDID of two outputs", () => {
  const { driver } = live({ outputs: 2, width: 1920, height: 1080, width1: 1280, height1: 720 });
  const view = new DataView(driver.send(D.getDisplayInfo(), 408).bytes.buffer);
  const one = (i: number) => [0, 4, 8, 12, 16, 20].map((at) => view.getUint32(24 + i * 24 + at, true));
  assert.equal(one(0), [0, 0, 1920, 1080, 1, 0]);
  assert.equal(one(1), [1920, 0, 1280, 720, 1, 0]);
  assert.equal(one(2), [0, 0, 0, 0, 0, 0]);
  for (const [number, width, height] of [
    [0, 1920, 1080],
    [1, 1280, 720],
  ] as const) {
    const edid = driver.send(D.getEdid(number));
    assert.is(edid.type, G.VIRTIO_GPU_RESP_OK_EDID);
    const block = edid.bytes.subarray(32, 160);
    assert.is(
      block.reduce((sum, one) => (sum + one) & 0xff, 0),
      0,
      "checksum",
    );
    assert.is((block[56] as number) | (((block[58] as number) & 0xf0) << 4), width);
    assert.is((block[59] as number) | (((block[61] as number) & 0xf0) << 4), height);
  }
  assert.is(driver.send(D.getEdid(2)).type, SCANOUT);
  assert.is(driver.send(D.getEdid(U32)).type, SCANOUT);
});

test("four outputs, each in its own mode; the parameters stand in the manifest where the module looks for them", () => {
  const modes = [
    [1920, 1080],
    [1280, 720],
    [800, 600],
    [3840, 2400],
  ] as const;
  const named = modes.flatMap(([width, height], i): [string, number][] => {
    const end = i === 0 ? "" : String(i);
    return [
      [`width${end}`, width],
      [`height${end}`, height],
    ];
  });
  const { driver, mediator } = live({ outputs: 4, ...Object.fromEntries(named) });
  const view = new DataView(driver.send(D.getDisplayInfo(), 408).bytes.buffer);
  const sizes = modes.map((_, i) => [view.getUint32(24 + i * 24 + 8, true), view.getUint32(24 + i * 24 + 12, true)]);
  assert.equal(sizes, modes);
  assert.is(view.getUint32(24 + 3 * 24, true), 1920 + 1280 + 800, "side by side");
  assert.is(driver.send(D.getEdid(3)).type, G.VIRTIO_GPU_RESP_OK_EDID);
  const text = readFileSync("unikernel/modules/virtio-gpu/params.ts", "utf8");
  for (const [, name, key] of text.matchAll(/PARAM_(\w+): u32 = (\d+)/g)) {
    assert.is(mediator.manifest.params[Number(key)]?.name, name?.toLowerCase());
  }
});

test("plugged in, resized, unplugged while it runs: event, interrupt, new answers", () => {
  const { mediator, driver } = live({ outputs: 2 });
  mediator.interrupts();
  mediator.output(1, 1600, 1200);
  assert.equal(mediator.interrupts(), [0]);
  assert.is(driver.config(G.VIRTIO_GPU_CONFIG_EVENTS_READ), G.VIRTIO_GPU_EVENT_DISPLAY);
  driver.setConfig(G.VIRTIO_GPU_CONFIG_EVENTS_CLEAR, G.VIRTIO_GPU_EVENT_DISPLAY);
  assert.is(driver.config(G.VIRTIO_GPU_CONFIG_EVENTS_READ), 0);
  const size = (): number[] => {
    const view = new DataView(driver.send(D.getDisplayInfo(), 408).bytes.buffer);
    return [56, 60, 64].map((at) => view.getUint32(at, true));
  };
  assert.equal(size(), [1600, 1200, 1]);
  mediator.output(1, 0, 0);
  assert.equal(size(), [0, 0, 0]);
  const edid = driver.send(D.getEdid(1));
  assert.is(new DataView(edid.bytes.buffer).getUint32(G.EDID_SIZE, true), 0);
  for (const [number, width, height] of [
    [1, 639, 480],
    [1, 640, 479],
    [1, 3841, 2400],
    [1, 640, 2401],
    [1, 0, 480],
    [2, 800, 600],
    [U32, 800, 600],
  ] as const) {
    mediator.output(number, width, height);
    assert.equal(size(), [0, 0, 0], `${number}: ${width}x${height}`);
  }
  mediator.output(1, 640, 480);
  assert.equal(size(), [640, 480, 1]);
});

test.run();
