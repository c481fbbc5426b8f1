// SPDX-License-Identifier: MIT
//
// The probes as the code has them and as docs/THREAT_MODEL.md lists them. A row's name is what the domain prints:
// Xen's identifier, then @ and whom it is aimed at.

import { readdirSync, readFileSync } from "node:fs";
import { fromRoot } from "../../host/lab/paths.js";

export const THREAT_MODEL = "docs/THREAT_MODEL.md";
/** What the document says of a row that Xen lets happen. */
export const ALLOWED = "allowed";

export interface Row {
  name: string;
  /** What it would give. */
  reason: string;
  /** How Xen refuses it, or ALLOWED. Only the document says. */
  answer: string;
}

const SUBJECT: Record<string, string> = {
  NOBODY: "",
  SELF: "@self",
  TARGET: "@target",
  OTHER: "@other",
  DOM0: "@dom0",
};

/** {"name", SUBJECT, "reason", ... of the tables in test/probe. */
export function codedRows(): Omit<Row, "answer">[] {
  const pattern = /\{"([^"]+)",\s+(\w+),\s+"([^"]+)",/g;
  return readdirSync(fromRoot("test/probe"))
    .filter((file) => file.endsWith(".c"))
    .flatMap((file) => [...readFileSync(fromRoot("test/probe", file), "utf8").matchAll(pattern)])
    .map(([, name = "", subject = "", reason = ""]) => ({ name: name + SUBJECT[subject], reason }));
}

/** | `name` | reason | answer | of the document. */
export function documentedRows(): Row[] {
  const text = readFileSync(fromRoot(THREAT_MODEL), "utf8");
  return [...text.matchAll(/^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$/gm)].map(
    ([, name = "", reason = "", answer = ""]) => ({
      name,
      reason: reason.trim(),
      answer: answer.trim().replaceAll("`", ""),
    }),
  );
}

/** The same as ALLOWED, where rows of both kinds stand in one table. */
const GOES_THROUGH = "goes through";

export interface FlaskRow {
  /** A row's name, or NAME@served: the same aimed at a guest that the domain serves. */
  name: string;
  stock: string;
  flask: string;
  served: boolean;
}

/** | `name` | meaning | on stock Xen | under FLASK | of the document. */
export function flaskRows(): FlaskRow[] {
  const text = readFileSync(fromRoot(THREAT_MODEL), "utf8");
  const bare = (answer: string): string => answer.trim().replaceAll("`", "").replace(GOES_THROUGH, ALLOWED);
  return [...text.matchAll(/^\| `([^`]+)` \| [^|]+ \| ([^|]+) \| ([^|]+) \|$/gm)].map(
    ([, name = "", stock = "", flask = ""]) => ({
      ...{ name, stock: bare(stock), flask: bare(flask) },
      served: name.endsWith("@served"),
    }),
  );
}
