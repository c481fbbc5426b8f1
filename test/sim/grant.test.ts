// SPDX-License-Identifier: MIT
//
// The grant table: runs of free entries behind the reserved ones, a mapped entry does not end, a stranger maps nothing.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { createGrants, endGrant, findRun, GRANT_ENTRIES, mapGrant, unmapGrant } from "../../host/sim/grant.js";
import { XEN_ENOSPC } from "../../unikernel/abi/xen/errno.js";

test("a run begins behind the reserved entries and behind what is taken", () => {
  const grants = createGrants();
  assert.is(findRun(grants, 4), 8);
  grants.set(9, { domid: 0, page: 0, mapped: 0 });
  assert.is(findRun(grants, 1), 8);
  assert.is(findRun(grants, 2), 10);
  assert.is(findRun(grants, GRANT_ENTRIES), -XEN_ENOSPC);
});

test("only the reader maps; what it has mapped cannot be ended", () => {
  const grants = createGrants();
  grants.set(8, { domid: 5, page: 3, mapped: 0 });
  assert.is(mapGrant(grants, 8, 6), undefined);
  assert.is(mapGrant(grants, 9, 5), undefined);
  assert.is(mapGrant(grants, 8, 5), 3);
  assert.not(endGrant(grants, 8));
  unmapGrant(grants, 8);
  assert.ok(endGrant(grants, 8));
  assert.is(mapGrant(grants, 8, 5), undefined);
});

test.run();
