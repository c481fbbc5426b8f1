// SPDX-License-Identifier: MIT
//
// Requests taken out of one input and put behind another's: what was asked is asked again, whatever ring it stood in,
// and the device does what several of them together mean. Recordings of drivers (stories.ts) are the inputs.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { Appender } from "../../host/fuzz/mutate/append.js";
import { requestsOf } from "../../host/fuzz/mutate/guest.js";
import { Requests } from "../../host/fuzz/mutate/requests.js";
import { type VirtioPlaces, virtioOf } from "../../host/fuzz/mutate/virtio.js";
import { Random } from "../../host/fuzz/random.js";
import { RECORD_WORDS } from "../../host/fuzz/target.js";
import { decodeRecords, isKnownKind } from "../../host/trace/index.js";
import * as G from "../../unikernel/modules/virtio-gpu/protocol.js";
import { manifestOf } from "../pipeline/host.js";
import * as D from "../virtio/driver.js";
import { PIECES, recordAll, type Story } from "./stories.js";
import { wordsOf } from "./support.js";

const PLACES = virtioOf(manifestOf("unikernel/modules/virtio-gpu")) as VirtioPlaces;
const ROOM = 256;

const inputOf = (stories: Record<string, Story>): Int32Array => wordsOf(recordAll(stories)[0]?.records ?? []);

/** The first words of what is asked, in order. */
function kindsOf(words: Int32Array): number[] {
  return requestsOf(PLACES, words).map((one) => one.contents.get(one.chain[0]?.addr ?? 0) ?? -1);
}

function behind(words: Int32Array, other: Int32Array, room = ROOM): Int32Array {
  const all = new Int32Array(ROOM * 2 * RECORD_WORDS);
  all.set(words);
  const appender = new Appender(PLACES, all, words.length / RECORD_WORDS, room);
  for (const one of requestsOf(PLACES, other)) appender.append(one);
  assert.ok(appender.count <= Math.max(room, words.length / RECORD_WORDS), `${appender.count} records`);
  return all.slice(0, appender.count * RECORD_WORDS);
}

const piece = (name: string): Int32Array => inputOf({ [name]: PIECES[name] as Story });
const FILLED = piece("made and filled");
const DRAWN = piece("made and drawn");
const [CREATE, ATTACH, TRANSFER] = [
  G.VIRTIO_GPU_CMD_RESOURCE_CREATE_2D,
  G.VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING,
  G.VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D,
];

test("what a driver asks for is read back from its records, with tables of descriptors too", () => {
  assert.equal(kindsOf(FILLED), [CREATE, ATTACH]);
  const story: Story = {
    features: D.FEATURES_LINUX,
    play: ({ says }) => says(G.VIRTIO_GPU_RESP_OK_NODATA, D.create2d(9, 3, 5)),
  };
  const [one] = requestsOf(PLACES, inputOf({ story }));
  assert.is(one?.chain.length, 1, "a table");
  const words = [...(one?.contents.values() ?? [])];
  for (const word of [CREATE, 9, 3, 5]) assert.ok(words.includes(word), `${word} of ${words}`);
});

test("behind another's: all of both, in one ring, and once more behind that", () => {
  const both = behind(FILLED, DRAWN);
  assert.equal(kindsOf(both), [CREATE, ATTACH, CREATE, TRANSFER]);
  assert.equal(kindsOf(behind(both, both, 2 * ROOM)), [
    CREATE,
    ATTACH,
    CREATE,
    TRANSFER,
    CREATE,
    ATTACH,
    CREATE,
    TRANSFER,
  ]);
});

test("without room there is less of it, and no queue takes none", () => {
  const records = FILLED.length / RECORD_WORDS;
  for (const room of [0, records, records + 1, records + 5]) {
    assert.equal(kindsOf(behind(FILLED, DRAWN, room)), [CREATE, ATTACH], `${room} records`);
  }
  assert.is(behind(new Int32Array(), DRAWN).length, 0);
});

test("5000 changes: known records, never too many, the same from the same seed", () => {
  const run = (seed: number): string => {
    const random = new Random(seed);
    const requests = new Requests(random, PLACES, ROOM, () => random.next());
    const other = { params: 0, words: DRAWN };
    for (let i = 0; i < 3; i++) requests.kept(other);
    const words = new Int32Array(ROOM * RECORD_WORDS);
    const asked = new Set<string>();
    for (let i = 0; i < 5000; i++) {
      words.set(FILLED);
      const records = requests.change(words, FILLED.length / RECORD_WORDS, other);
      assert.ok(records > 0 && records <= ROOM, `${records} records`);
      const made = words.slice(0, records * RECORD_WORDS);
      for (const one of decodeRecords(new Uint8Array(made.buffer))) assert.ok(isKnownKind(one.kind), `${one.kind}`);
      if (i % 10 === 0) asked.add(kindsOf(made).join());
    }
    for (const wanted of [
      [CREATE, ATTACH, TRANSFER],
      [CREATE, TRANSFER, ATTACH],
    ]) {
      assert.ok(asked.has(wanted.join()), `${wanted} in ${[...asked].slice(0, 10).join("; ")}`);
    }
    return [...asked].join(" ");
  };
  assert.is(run(1), run(1));
  assert.is.not(run(1), run(2));
});

test.run();
