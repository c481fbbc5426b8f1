// SPDX-License-Identifier: MIT
//
// A reset at any moment: nothing of the old life completes in the new one.

import { test } from "uvu";
import * as assert from "uvu/assert";
import * as G from "../../unikernel/modules/virtio-gpu/protocol.js";
import * as D from "./driver.js";
import { live, OK, rect, scattered } from "./pictures.js";
import type { Piece, Virtqueue } from "./virtqueue.js";

test("a reset in the middle of a list or a transfer: nothing of the old life completes in the new one", () => {
  for (const what of ["list", "transfer"]) {
    const { mediator, driver, ram } = live({ poll_us: 0 });
    const { list } = scattered(ram, 1024 * 768 * 4);
    driver.send(D.create2d(1, 1024, 768));
    if (what === "transfer") driver.send(D.attach(1, list));
    const bytes =
      what === "list"
        ? D.attach(
            1,
            Array.from({ length: 60_000 }, () => list[0] as Piece),
          )
        : D.transfer(1, rect(0, 0, 1024, 768), 0);
    const queue = driver.queues[D.CONTROL] as Virtqueue;
    const used = queue.used;
    queue.add(driver.putRequest(bytes), [{ gpa: ram.pages(1), bytes: 24 }]);
    const before = ram.word(used + 2n);
    driver.kick(D.CONTROL);
    assert.is(mediator.isPolled(), what === "list", "it is under way");
    assert.is(mediator.works.length, what === "transfer" ? 1 : 0);
    assert.is(ram.word(used + 2n), before);
    driver.reset();
    mediator.settle();
    assert.is(ram.word(used + 2n), before, "the old ring stays as it was");
    assert.is(mediator.buffers.all.size, 0);
    driver.start();
    assert.is(driver.send(D.create2d(1, 16, 16)).type, OK);
  }
});

test("a reset by the operator leaves nothing either", () => {
  const { mediator, driver } = live();
  driver.send(D.create2d(1, 640, 480));
  driver.send(D.setScanout(0, 1, rect(0, 0, 640, 480)));
  mediator.reset();
  assert.is(mediator.buffers.all.size, 0);
  assert.is(driver.status(), 0);
  assert.is(driver.start().send(D.getDisplayInfo(), 408).type, G.VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
});

test.run();
