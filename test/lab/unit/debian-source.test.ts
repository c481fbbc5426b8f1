// SPDX-License-Identifier: MIT
//
// Where the sources of Debian's packages come from: the host's own sources, in both of apt's formats.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { asSources } from "../../../host/lab/debian-source.js";

test("lines of a .list: deb becomes deb-src, options stay, the rest goes", () => {
  const text = "# comment\ndeb [signed-by=/k] http://d bookworm main\ndeb-src http://d bookworm main\n\n";
  assert.is(asSources(text, false), "deb-src [signed-by=/k] http://d bookworm main\n");
});

test("paragraphs of a .sources: all of them, with their keys", () => {
  const text = "Types: deb\nURIs: http://d\nSigned-By: /k\n\ntypes: deb deb-src\nURIs: http://e\n";
  const expected = "Types: deb-src\nURIs: http://d\nSigned-By: /k\n\nTypes: deb-src\nURIs: http://e\n";
  assert.is(asSources(text, true), expected);
});

test.run();
