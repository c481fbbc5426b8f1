// SPDX-License-Identifier: MIT
//
// Interrupts: MSI and MSI-X as the guest programs them, masks and pending bits, INTx on HVM, and a module that raises
// what it must not.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { failNth } from "../../host/sim/faults.js";
import { configRead, configWrite, memoryRead, memoryWrite } from "../../host/sim/guest.js";
import { CAPABILITY_MASKED, CAPABILITY_OK, CAPABILITY_REFUSED } from "../../unikernel/abi/module.js";
import { attached, SLOT, stat, vgpuNode } from "./support.js";

const MSI = 0x40;
const MSIX = 0x60;
const TABLE = 0xf1000000n;
const FATAL = -0x80000000;

type Machine = ReturnType<typeof attached>;

function enableMsi({ world, guest }: Machine, vectorsLog2 = 2): void {
  configWrite(world, guest, SLOT, MSI + 4, 4, 0xfee01000);
  configWrite(world, guest, SLOT, MSI + 8, 4, 0x1);
  configWrite(world, guest, SLOT, MSI + 12, 2, 0x4041);
  configWrite(world, guest, SLOT, MSI + 2, 2, 1 | (vectorsLog2 << 4));
}

function enableMsix({ world, guest }: Machine, flags = 0x8000): void {
  configWrite(world, guest, SLOT, 0x20, 4, Number(TABLE));
  configWrite(world, guest, SLOT, 0x04, 2, 2);
  configWrite(world, guest, SLOT, MSIX + 2, 2, flags);
}

function entry({ world, guest }: Machine, vector: number, control: number): void {
  const at = TABLE + BigInt(16 * vector);
  memoryWrite(world, guest, at, 4, 0xfee00000n);
  memoryWrite(world, guest, at + 4n, 4, 0n);
  memoryWrite(world, guest, at + 8n, 4, 0x30n + BigInt(vector));
  memoryWrite(world, guest, at + 12n, 4, BigInt(control));
}

const raise = (machine: Machine, vector: number) => machine.world.core.irq_raise(0, vector);

test("with nothing enabled an interrupt goes nowhere", () => {
  const machine = attached();
  assert.is(raise(machine, 0), CAPABILITY_MASKED);
  assert.equal(machine.guest.messages, []);
  assert.is(stat(machine.world).get("irqs"), "0");
});

test("MSI: the guest's address, its data with the vector in the low bits", () => {
  const machine = attached();
  enableMsi(machine);
  assert.is(raise(machine, 0), CAPABILITY_OK);
  assert.is(raise(machine, 3), CAPABILITY_OK);
  assert.equal(machine.guest.messages, [
    { address: 0x1fee01000n, data: 0x4040 },
    { address: 0x1fee01000n, data: 0x4043 },
  ]);
  assert.is(stat(machine.world).get("irqs"), "2");
});

test("MSI with fewer messages than vectors: vectors share; one message: the data is the guest's own", () => {
  const machine = attached();
  enableMsi(machine, 0);
  raise(machine, 3);
  enableMsi(machine, 1);
  raise(machine, 3);
  enableMsi(machine, 5);
  raise(machine, 3);
  assert.equal(
    machine.guest.messages.map((one) => one.data),
    [0x4041, 0x4041, 0x4043],
  );
});

test("a masked MSI vector is pending, and fires once when it is unmasked", () => {
  const machine = attached();
  const { world, guest } = machine;
  enableMsi(machine);
  configWrite(world, guest, SLOT, MSI + 16, 4, 0xf);
  assert.is(raise(machine, 2), CAPABILITY_MASKED);
  assert.is(raise(machine, 2), CAPABILITY_MASKED);
  assert.is(configRead(world, guest, SLOT, MSI + 20, 4), 4);
  configWrite(world, guest, SLOT, MSI + 20, 4, 0);
  assert.is(configRead(world, guest, SLOT, MSI + 20, 4), 4, "pending bits are read-only");
  configWrite(world, guest, SLOT, MSI + 16, 1, 0xb);
  assert.equal(
    guest.messages.map((one) => one.data),
    [0x4042],
  );
  assert.is(configRead(world, guest, SLOT, MSI + 20, 4), 0);
});

test("what is pending while MSI is off fires when it is enabled again", () => {
  const machine = attached();
  const { world, guest } = machine;
  enableMsi(machine);
  configWrite(world, guest, SLOT, MSI + 16, 4, 1);
  raise(machine, 0);
  configWrite(world, guest, SLOT, MSI + 2, 2, 0);
  configWrite(world, guest, SLOT, MSI + 16, 4, 0);
  assert.equal(guest.messages, []);
  enableMsi(machine);
  assert.is(guest.messages.length, 1);
});

test("several MSI vectors pending fire together, those still masked do not", () => {
  const machine = attached();
  const { world, guest } = machine;
  enableMsi(machine);
  configWrite(world, guest, SLOT, MSI + 16, 4, 0xf);
  for (const vector of [3, 0, 1]) raise(machine, vector);
  configWrite(world, guest, SLOT, MSI + 16, 4, 0x2);
  assert.equal(
    guest.messages.map((one) => one.data),
    [0x4040, 0x4043],
  );
  assert.is(configRead(world, guest, SLOT, MSI + 20, 4), 2);
});

test("MSI-X: each vector by its own entry; it wins over MSI", () => {
  const machine = attached();
  enableMsi(machine);
  enableMsix(machine);
  entry(machine, 0, 0);
  entry(machine, 2, 0);
  assert.is(raise(machine, 2), CAPABILITY_OK);
  assert.is(raise(machine, 0), CAPABILITY_OK);
  assert.equal(machine.guest.messages, [
    { address: 0xfee00000n, data: 0x32 },
    { address: 0xfee00000n, data: 0x30 },
  ]);
});

test("MSI-X masks: by entry and for the whole function", () => {
  const machine = attached();
  const { world, guest } = machine;
  enableMsix(machine, 0xc000);
  entry(machine, 0, 0);
  entry(machine, 1, 1);
  assert.is(raise(machine, 0), CAPABILITY_MASKED);
  assert.is(raise(machine, 1), CAPABILITY_MASKED);
  assert.is(memoryRead(world, guest, TABLE + 48n, 8), 3n, "both pending");
  configWrite(world, guest, SLOT, MSIX + 2, 2, 0x8000);
  assert.equal(
    guest.messages.map((one) => one.data),
    [0x30],
  );
  assert.is(memoryRead(world, guest, TABLE + 48n, 4), 2n);
  memoryWrite(world, guest, TABLE + 16n + 12n, 4, 0n);
  assert.equal(
    guest.messages.map((one) => one.data),
    [0x30, 0x31],
  );
  assert.is(memoryRead(world, guest, TABLE + 48n, 8), 0n);
});

test("the MSI-X table: masked after power-on, dwords and qwords only, the pending bits read-only", () => {
  const machine = attached();
  const { world, guest } = machine;
  enableMsix(machine);
  for (const vector of [0n, 1n, 2n]) assert.is(memoryRead(world, guest, TABLE + vector * 16n + 12n, 4), 1n);
  memoryWrite(world, guest, TABLE, 8, 0x1122334455667788n);
  assert.is(memoryRead(world, guest, TABLE, 8), 0x1122334455667788n);
  memoryWrite(world, guest, TABLE, 4, 0xffffffffn);
  assert.is(memoryRead(world, guest, TABLE, 4), 0xfffffffcn);
  memoryWrite(world, guest, TABLE + 12n, 4, 0xffffffffn);
  assert.is(memoryRead(world, guest, TABLE + 12n, 4), 1n);
  memoryWrite(world, guest, TABLE + 8n, 2, 0xffffn);
  memoryWrite(world, guest, TABLE + 8n, 1, 0xffn);
  memoryWrite(world, guest, TABLE + 6n, 4, 0xffffffffn);
  assert.is(memoryRead(world, guest, TABLE + 8n, 4), 0n);
  memoryWrite(world, guest, TABLE + 48n, 8, 0xffffffffffffffffn);
  assert.is(memoryRead(world, guest, TABLE + 48n, 8), 0n);
  assert.is(memoryRead(world, guest, TABLE + 44n, 8), 1n, "control of the last vector, then pending bits");
  assert.is(memoryRead(world, guest, TABLE + 0xff8n, 8), 0n);
  assert.equal(
    machine.device.calls.filter((one) => one.kind !== "event"),
    [],
    "the module never sees its MSI-X BAR",
  );
});

test("a message that Xen refuses is counted, and the module told", () => {
  const machine = attached();
  enableMsi(machine);
  failNth(machine.world.faults, "inject_msi", 1, 22);
  assert.is(raise(machine, 0), CAPABILITY_REFUSED);
  const figures = stat(machine.world);
  assert.is(figures.get("refused"), "1");
  assert.is(figures.get("irqs"), "0");
});

test("a message to an address that is no interrupt controller's is refused", () => {
  const machine = attached();
  const { world, guest } = machine;
  enableMsi(machine);
  for (const address of [0x1000, 0xfed00000, 0xfef00000, 0]) {
    configWrite(world, guest, SLOT, MSI + 4, 4, address);
    assert.is(raise(machine, 0), CAPABILITY_REFUSED, address.toString(16));
  }
  assert.equal(guest.messages, []);
  assert.is(stat(world).get("refused"), "4");
});

test("INTx on HVM: up and down, unless the guest disabled it", () => {
  const machine = attached({ spec: "module=probe guest=hvm slot=4" });
  const { world, guest } = machine;
  assert.is(raise(machine, 0), CAPABILITY_OK);
  assert.equal(guest.lines, [
    [4, 0, 1],
    [4, 0, 0],
  ]);
  configWrite(world, guest, 4, 0x04, 2, 0x400);
  assert.is(raise(machine, 0), CAPABILITY_MASKED);
  assert.is(guest.lines.length, 2);
});

test("a vector that the manifest does not have loses the vGPU", () => {
  const machine = attached();
  assert.is(raise(machine, 4), FATAL);
  machine.device.script.event = () => void machine.device.capabilities().irqRaise(4);
  configWrite(machine.world, machine.guest, SLOT, 0x04, 2, 4);
  stat(machine.world);
  assert.is(vgpuNode(machine.world, "state"), "lost");
  assert.match(
    vgpuNode(machine.world, "error") ?? "",
    /^guest 7 vgpu 0: module probe: bad argument to a capability in event$/,
  );
});

test("capabilities that the manifest does not ask for end the instance", () => {
  const { world } = attached({ manifest: { capabilities: [] } });
  assert.is(world.core.irq_raise(0, 0), FATAL);
  assert.is(world.core.scanout_set(0, 0, 2, 0n, 1, 1, 4, 0x34325258), FATAL);
  assert.is(world.core.scanout_flush(0, 0, 0, 0, 1, 1), FATAL);
  assert.is(world.core.log(0, 3), FATAL);
});

test.run();
