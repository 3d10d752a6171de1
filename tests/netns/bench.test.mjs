// SPDX-License-Identifier: Apache-2.0
// tunlab bench: the figures are there, each beside its reference, and nothing is left of the labs it builds. How good they are is not
// for a test to say.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { Child, isRoot, json, needRoot, run } from "../lib/lab.mjs";
import { skip, test } from "../lib/tap.mjs";

const find = (doc, section, what) => {
  const row = doc.rows.find((r) => r.section === section && r.what.includes(what));
  assert.ok(row, `${section}: ${what} is not in ${JSON.stringify(doc)}`);
  return row;
};

test("the monitor's cost and the reading of its flows stand beside references", () => {
  needRoot();
  const doc = json(["bench", "monitor", "reading", "--rounds", "2", "--json"]);
  assert.equal(doc.schema, "tunlab.bench/1");
  assert.deepEqual([...new Set(doc.rows.map((r) => r.section))], ["monitor", "reading"]);
  assert.deepEqual(doc.missing, []);
  for (const version of ["IPv4", "IPv6"])
    for (const flows of ["1 flow,", "100 flows,", "10000 flows,"])
      for (const parser of ["single pass", "tail calls"]) {
        const row = find(doc, "monitor", `${version}, ${flows} ${parser}`);
        assert.equal(row.unit, "ns");
        assert.ok(row.value > 0 && row.reference_value > 0, JSON.stringify(row));
        assert.ok(Math.abs(row.ratio - row.value / row.reference_value) < 1e-6);
      }
  for (const what of ["IPv4, at random, 10000 flows, single pass", "IPv6, at random", "caches cold, 1 flow, single pass", "GRETAP"])
    assert.ok(find(doc, "monitor", what).value > 0, what);
  assert.equal(find(doc, "monitor", "TCP, no tunnel").reference, null);
  assert.ok(find(doc, "reading", "read 65536 flows").value > 0);
});

test("TCP goes through the overlay with the monitor and without", () => {
  needRoot();
  const doc = json(["bench", "throughput", "--rounds", "1", "--json"]);
  const rows = doc.rows.filter((r) => r.what.includes("TCP through the overlay"));
  if (doc.missing.length)
    skip(JSON.stringify(doc.missing)); // a kernel without TCX
  assert.deepEqual(rows.map((r) => r.reference), ["without monitor", "an empty program there"]);
  for (const row of rows)
    assert.ok(row.value > 0 && row.reference_value > 0, JSON.stringify(row));
});

test("what it is asked wrongly is said, with status 2", () => {
  for (const [args, word] of [[["nonsense"], "monitor, reading, lab, traffic, throughput"], [["--rounds", "0"], "1 to 100"],
    [["--rounds", "7x"], "1 to 100"]]) {
    const r = run(["bench", ...args]);
    assert.equal(r.status, 2, r.err);
    assert.ok(r.err.includes(word), r.err);
    assert.equal(r.out, "");
  }
});

test("without privilege it says so, with status 3", () => {
  const options = isRoot ? { uid: 65534, gid: 65534 } : {};
  const r = run(["bench", "monitor"], options);
  assert.equal(r.status, 3, r.err);
  assert.match(r.err, /root/);
});

// What a process and its children hold is gone when they are.
const childrenOf = (pid) => readdirSync("/proc").filter((p) => {
  try {
    return /^\d+$/.test(p) && readFileSync(`/proc/${p}/status`, "latin1").includes(`\nPPid:\t${pid}\n`);
  } catch {
    return false;
  }
});

for (const signal of ["SIGINT", "SIGKILL"])
  test(`${signal} amid a lab leaves nothing`, async () => {
    needRoot();
    const child = new Child(["bench", "lab", "--rounds", "1"]);
    let children = [];
    for (let i = 0; i < 200 && !children.length; i++) {
      await new Promise((r) => setTimeout(r, 10));
      children = childrenOf(child.pid);
    }
    assert.ok(children.length, "it has no child");
    await child.kill(signal);
    assert.equal(child.exit.signal, signal);
    for (let i = 0; i < 600 && children.some((p) => alive(p)); i++) await new Promise((r) => setTimeout(r, 25));
    assert.deepEqual(children.filter(alive), []);
    assert.equal(run(["status"]).out.includes(`bench-${child.pid}`), false);
  });

function alive(pid) {
  try {
    return !/\nState:\tZ/.test(readFileSync(`/proc/${pid}/status`, "latin1"));
  } catch {
    return false;
  }
}
