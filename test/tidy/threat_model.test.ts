// SPDX-License-Identifier: MIT
//
// docs/THREAT_MODEL.md cannot drift: its rows are the probes' rows with their reasons, each answered once, and every
// test that it names is there.

import { existsSync, readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { fromRoot } from "../../host/lab/paths.js";
import { ALLOWED, codedRows, documentedRows, flaskRows, THREAT_MODEL } from "../probe/table.js";

const text = readFileSync(fromRoot(THREAT_MODEL), "utf8");
const ANSWER =
  /^(allowed|-E[A-Z]+|E[A-Z]+|GNTST_\w+|#(GP|PF)|0 extents|all ones|no effect|silence|another text|each of them)$/;

test("the document lists each probe once, with the code's reason, in the code's order or another", () => {
  const said = (rows: { name: string; reason: string }[]) => rows.map((row) => `${row.name}: ${row.reason}`).sort();
  const coded = said(codedRows());
  assert.ok(coded.length > 30);
  assert.equal(said(documentedRows()), coded);
  assert.is(new Set(documentedRows().map((row) => row.name)).size, coded.length);
});

test("every row has an answer that the probes can print", () => {
  assert.equal(
    documentedRows().filter((row) => !ANSWER.test(row.answer)),
    [],
  );
});

test("the table of differences under FLASK is about rows that there are", () => {
  const names = new Set(codedRows().flatMap(({ name }) => [name, name.replace("@other", "@served")]));
  assert.ok(flaskRows().length > 20);
  assert.equal(
    flaskRows().filter(({ name, stock, flask }) => !names.has(name) || !ANSWER.test(stock) || !ANSWER.test(flask)),
    [],
  );
});

test("what may not be done and what may be done stand apart", () => {
  const heading = "## What the driver domain may not do";
  const [may = "", mayNot = ""] = text.split(heading);
  assert.not.match(mayNot, new RegExp(`\\| ${ALLOWED} \\|`));
  assert.not.match(may, /\| `-E/);
});

test("each test that is named exists, and each promise names one", () => {
  const named = [...text.matchAll(/`(test\/[\w/.-]+)`/g)].map((match) => match[1] ?? "");
  assert.ok(named.length > 20);
  assert.equal(
    named.filter((path) => !existsSync(fromRoot(path))),
    [],
  );
  const promises = /\| promise \| test \|\n\|---\|---\|\n((?:\|.*\n)+)/.exec(text)?.[1]?.trimEnd().split("\n") ?? [];
  assert.ok(promises.length > 15);
  assert.equal(
    promises.filter((line) => !/\.test\.ts` \|$/.test(line)),
    [],
  );
});

test.run();
