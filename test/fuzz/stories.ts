// SPDX-License-Identifier: MIT
//
// What well-behaved drivers of the virtio GPU do, recorded (recording.ts): short, because the fuzzer cuts inputs, and
// together all that the device can do. Each begins with a driver that is up, and knows what it is answered.

import * as assert from "uvu/assert";
import type { TraceRecord } from "../../host/trace/index.js";
import * as V from "../../unikernel/abi/virtio.js";
import * as G from "../../unikernel/modules/virtio-gpu/protocol.js";
import * as D from "../virtio/driver.js";
import type { Piece } from "../virtio/virtqueue.js";
import { type Recording, recording } from "./recording.js";

const OK = G.VIRTIO_GPU_RESP_OK_NODATA;
const UNSPEC = G.VIRTIO_GPU_RESP_ERR_UNSPEC;
const PARAMETER = G.VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
/** No RAM of the driver's. */
const GIVEN_UP = { gpa: 0x7f000000n, bytes: 16384 };
const LEFT_OVER = 4; // as many workloads as the manifest promises

const rect = (x: number, y: number, width: number, height: number): D.Rect => ({ x, y, width, height });

interface Stage extends Recording {
  driver: D.Driver;
  /** Pages with something in them. */
  pages(count: number): Piece[];
  /** A command and the type of its answer. */
  says(wanted: number, command: Uint8Array): void;
}

export interface Story {
  params?: Record<string, number>;
  features?: bigint;
  play(stage: Stage): void;
}

const STORIES: Record<string, Story> = {
  "a picture is filled, shown and drawn": {
    play({ says, pages }) {
      says(OK, D.create2d(1, 64, 32));
      says(OK, D.attach(1, pages(2)));
      says(OK, D.setScanout(0, 1, rect(0, 0, 64, 32)));
      says(OK, D.transfer(1, rect(0, 0, 64, 32), 0, 7n));
      says(OK, D.flush(1, rect(0, 0, 64, 32), 8n));
      says(OK, D.transfer(1, rect(3, 5, 9, 2), 5 * 256 + 12));
      says(OK, D.flush(1, rect(3, 5, 9, 2)));
      says(OK, D.unref(1));
    },
  },
  "two outputs show parts of one picture": {
    params: { outputs: 2 },
    play({ says }) {
      says(OK, D.create2d(1, 64, 32));
      says(OK, D.setScanout(0, 1, rect(0, 0, 32, 32)));
      says(OK, D.setScanout(1, 1, rect(32, 8, 32, 16)));
      says(OK, D.flush(1, rect(30, 4, 10, 10)));
      says(OK, D.flush(1, rect(0, 0, 4, 4)));
      says(OK, D.flush(1, rect(40, 30, 4, 2)));
      says(OK, D.setScanout(0, 0, rect(0, 0, 0, 0)));
      says(OK, D.flush(1, rect(0, 0, 64, 32)));
    },
  },
  "a backing that is too short, or not where the driver says": {
    play({ says, pages }) {
      says(OK, D.create2d(1, 64, 32));
      says(UNSPEC, D.transfer(1, rect(0, 0, 64, 32), 0));
      says(OK, D.attach(1, pages(1)));
      says(UNSPEC, D.attach(1, pages(1)));
      says(PARAMETER, D.transfer(1, rect(0, 0, 64, 32), 0));
      says(OK, D.transfer(1, rect(0, 0, 64, 16), 0));
      says(PARAMETER, D.transfer(1, rect(0, 0, 64, 16), 1));
      says(OK, D.detach(1));
      says(OK, D.attach(1, [GIVEN_UP]));
      says(UNSPEC, D.transfer(1, rect(0, 0, 64, 32), 0));
    },
  },
  "a cursor": {
    play({ says, pages, driver }) {
      const show = (type: number, id: number): void => driver.sendCursor(D.cursor(type, 0, 5, 6, id, 1, 2));
      says(OK, D.create2d(2, 64, 64, G.VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM));
      says(OK, D.attach(2, pages(4)));
      says(OK, D.transfer(2, rect(0, 0, 64, 64), 0));
      show(G.VIRTIO_GPU_CMD_UPDATE_CURSOR, 2);
      show(G.VIRTIO_GPU_CMD_MOVE_CURSOR, 2);
      says(OK, D.unref(2));
      show(G.VIRTIO_GPU_CMD_UPDATE_CURSOR, 0);
    },
  },
  "a blob is shown from the guest's pages": {
    features: D.FEATURES_LINUX,
    play({ says, pages }) {
      says(OK, D.createBlob(3, 8192n, pages(2)));
      says(OK, D.setScanoutBlob(0, 3, rect(2, 2, 30, 30), { width: 64, height: 32, stride: 256 }));
      says(OK, D.transfer(3, rect(0, 0, 32, 32), 0));
      says(OK, D.flush(3, rect(0, 0, 32, 32)));
      says(PARAMETER, D.setScanoutBlob(0, 3, rect(0, 0, 64, 32), { width: 64, height: 32, stride: 256, offset: 1 }));
      says(OK, D.setScanoutBlob(0, 0, rect(0, 0, 0, 0), { width: 0, height: 0, stride: 0 }));
      says(OK, D.detach(3));
      says(OK, D.unref(3));
    },
  },
  "what the engine still does for a driver that began anew": {
    play({ driver, bus }) {
      const ask = (command: Uint8Array): void => {
        driver.queues[D.CONTROL]?.add(driver.putRequest(command), []);
        if (!driver.kick(D.CONTROL)) driver.notify(D.CONTROL); // it is looked at already, but only later
      };
      for (let i = 0; i <= LEFT_OVER; i++) {
        if (i > 0) driver.start(driver.features);
        ask(D.create2d(1, 1, 1));
        ask(D.flush(1, rect(0, 0, 1, 1)));
      }
      bus.settle();
    },
  },
};

/** A part of the first story in each; none of them transfers anything. */
export const PIECES: Record<string, Story> = {
  "made and filled": {
    play({ says, pages }) {
      says(OK, D.create2d(1, 16, 4));
      says(OK, D.attach(1, pages(1)));
    },
  },
  "made and drawn": {
    play({ says }) {
      says(OK, D.create2d(1, 16, 4));
      says(UNSPEC, D.transfer(1, rect(0, 0, 16, 4), 0, 1n));
    },
  },
  "made and flushed": {
    play({ says }) {
      says(OK, D.create2d(1, 16, 4));
      says(OK, D.flush(1, rect(0, 0, 16, 4)));
    },
  },
};

export interface Recorded {
  name: string;
  /** Of the module, by name; the others are as usual. */
  params: Record<string, number>;
  records: TraceRecord[];
}

export function recordAll(stories = STORIES): Recorded[] {
  return Object.entries(stories).map(([name, { params = {}, features, play }]) => {
    const made = recording(params);
    const { bus } = made;
    const driver = new D.Driver(bus);
    driver.byPort = false;
    driver.start(features ?? D.bit(V.VIRTIO_F_VERSION_1) | D.bit(G.VIRTIO_GPU_F_EDID));
    const pages = (count: number): Piece[] => {
      const gpa = bus.ram.pages(count);
      bus.ram.fill(
        gpa,
        Uint8Array.from({ length: 16 }, (_, i) => i + 1),
      );
      return [{ gpa, bytes: 4096 * count }];
    };
    const says = (wanted: number, command: Uint8Array): void => assert.is(driver.send(command, 24).type, wanted, name);
    play({ ...made, driver, pages, says });
    return { name, params, records: made.records };
  });
}
