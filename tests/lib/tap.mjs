// SPDX-License-Identifier: Apache-2.0
// A small TAP harness for node: tests run one after the other, in the order written, each a flat line.
//   test("what holds", async () => { assert… });   skip("what is missing") inside a test ends it as skipped;
//   beside("what holds", async () => { assert… }); as test, but those that stand together run at once: each has a lab of its own and waits
//   without blocking;
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
  add({ name, fn });
}

export function beside(name, fn) {
  add({ name, fn, beside: true });
}

function add(one) {
  queue.push(one);
  if (!scheduled) {
    scheduled = true;
    setImmediate(runAll);
  }
}

export function after(fn) {
  cleanups.push(fn);
}

// Resolves with the lines to print.
async function runOne({ name, fn }) {
  const label = `${++n} - ${name.replace(/[#\n]/g, " ")}`, began = performance.now();
  const took = () => (performance.now() - began < 500 ? "" : ` # ${((performance.now() - began) / 1e3).toFixed(1)} s`);
  try {
    await fn();
    return [`ok ${label}${took()}`];
  } catch (e) {
    if (e instanceof Skip) return [`ok ${label} # SKIP ${e.message}`];
    failed++;
    return [`not ok ${label}${took()}`, ...String(e?.stack ?? e).split("\n").map((line) => `  # ${line}`)];
  }
}

// The next test, or the next ones that run beside each other.
function takeNext() {
  let many = 1;
  while (queue[0].beside && queue[many]?.beside) many++;
  return queue.splice(0, many);
}

async function runAll() {
  while (queue.length) for (const said of takeNext().map(runOne)) for (const line of await said) console.log(line);
  for (const fn of cleanups) await fn();
  console.log(`1..${n}`);
  process.exit(failed ? 1 : 0); // at once: a failed test may have left something that would keep node alive
}
