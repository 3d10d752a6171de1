// SPDX-License-Identifier: Apache-2.0
// A small TAP harness for node: tests run one after the other, in the order written, each a flat line.
//   test("what holds", async () => { assert… });   skip("what is missing") inside a test ends it as skipped;
//   after(() => …) runs once all tests are over, however they ended.
// What took long says how long.
// Exit status 1 if any failed. Written because node 18's own runner nests its TAP, and the suite's sum counts flat lines.

class Skip extends Error {}

const queue = [], cleanups = [];
let failed = 0, n = 0, scheduled = false;

export function skip(reason) {
  throw new Skip(reason);
}

export function test(name, fn) {
  queue.push({ name, fn });
  if (!scheduled) {
    scheduled = true;
    setImmediate(runAll);
  }
}

export function after(fn) {
  cleanups.push(fn);
}

async function runOne({ name, fn }) {
  const label = `${++n} - ${name.replace(/[#\n]/g, " ")}`, began = performance.now();
  const took = () => (performance.now() - began < 500 ? "" : ` # ${((performance.now() - began) / 1e3).toFixed(1)} s`);
  try {
    await fn();
    console.log(`ok ${label}${took()}`);
  } catch (e) {
    if (e instanceof Skip) return console.log(`ok ${label} # SKIP ${e.message}`);
    failed++;
    console.log(`not ok ${label}${took()}`);
    for (const line of String(e?.stack ?? e).split("\n")) console.log(`  # ${line}`);
  }
}

async function runAll() {
  while (queue.length) await runOne(queue.shift());
  for (const fn of cleanups) await fn();
  console.log(`1..${n}`);
  process.exit(failed ? 1 : 0); // at once: a failed test may have left something that would keep node alive
}
