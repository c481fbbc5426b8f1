// SPDX-License-Identifier: MIT
//
// Event channels of the simulated Xen: binding raises once, a pending port is one event, masks hold back, and a side
// that has gone leaves the other bound to nobody.

import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  anyPending,
  bindInterdomain,
  closePort,
  closeRemote,
  createEvents,
  dispatch,
  EVENT_PORTS_MAX,
  type GuestPort,
  notify,
  raiseAll,
  setMasked,
} from "../../host/sim/event.js";
import { XEN_EINVAL, XEN_ENOSPC } from "../../unikernel/abi/xen/errno.js";

function bound() {
  const events = createEvents();
  const remote: GuestPort = { port: 1, bound: 0 };
  const seen: number[] = [];
  const port = bindInterdomain(events, remote, () => seen.push(port));
  return { events, remote, seen, port };
}

test("binding raises the port once; two raises before a look are one event", () => {
  const { events, remote, seen, port } = bound();
  assert.is(remote.bound, port);
  dispatch(events);
  assert.equal(seen, [port]);
  notify(events, remote);
  notify(events, remote);
  dispatch(events);
  assert.equal(seen, [port, port]);
  assert.not(anyPending(events));
});

test("a masked port stays pending until it is unmasked", () => {
  const { events, seen, port } = bound();
  setMasked(events, port, true);
  dispatch(events);
  assert.equal(seen, []);
  setMasked(events, port, false);
  dispatch(events);
  assert.equal(seen, [port]);
});

test("a port is bound once, and to something", () => {
  const { events, remote } = bound();
  assert.is(
    bindInterdomain(events, remote, () => {}),
    -XEN_EINVAL,
  );
  assert.is(
    bindInterdomain(events, undefined, () => {}),
    -XEN_EINVAL,
  );
});

test("the other side closes: our port stays and hears nothing more; ours closes once", () => {
  const { events, remote, seen, port } = bound();
  dispatch(events);
  closeRemote(events, remote);
  notify(events, remote);
  assert.not(dispatch(events));
  assert.is(seen.length, 1);
  assert.ok(closePort(events, port));
  assert.not(closePort(events, port));
});

test("ports are given out lowest first, up to the 2-level ABI's end", () => {
  const events = createEvents();
  const bind = () => bindInterdomain(events, { port: 1, bound: 0 }, () => {});
  const first = bind();
  let last = first;
  for (let port = bind(); port > 0; port = bind()) last = port;
  assert.is(last, EVENT_PORTS_MAX - 1);
  assert.is(bind(), -XEN_ENOSPC);
  closePort(events, first);
  assert.is(bind(), first);
});

test("a pass goes by port number; a handler may close another that is due; raiseAll loses nothing", () => {
  const events = createEvents();
  const seen: string[] = [];
  const b = () => closePort(events, second);
  bindInterdomain(events, { port: 1, bound: 0 }, () => {
    seen.push("first");
    b();
  });
  const second = bindInterdomain(events, { port: 2, bound: 0 }, () => seen.push("second"));
  dispatch(events);
  assert.equal(seen, ["first"]);
  raiseAll(events);
  dispatch(events);
  assert.equal(seen, ["first", "first"]);
});

test.run();
