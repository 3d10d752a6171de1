// SPDX-License-Identifier: Apache-2.0
// Every scenario that is shipped holds all its checks: found by listing the folder, so that none can be forgotten. Several labs
// run at once, which they may.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { skip, test } from "../lib/tap.mjs";
import { Child, isRoot, labName, run } from "../lib/lab.mjs";

const AT_ONCE = 4;
const folder = new URL("../../scenarios/", import.meta.url).pathname;
const names = readdirSync(folder).filter((file) => file.endsWith(".ini")).map((file) => file.slice(0, -4)).sort();

// By name: what each did and said.
function runAll() {
  const queue = [...names], results = {};
  const worker = async () => {
    for (let name = queue.shift(); name; name = queue.shift()) {
      const child = new Child(["run", name, "--headless", "--assert", "--name", labName(name)]);
      await child.ended;
      results[name] = child;
    }
  };
  return Promise.all(Array.from({ length: AT_ONCE }, worker)).then(() => results);
}

const results = isRoot ? await runAll() : null;

for (const name of names)
  test(`run ${name} --headless --assert holds all its checks`, () => {
    if (!results) skip("needs root");
    const { exit, out, err } = results[name];
    assert.equal(exit.status, 0, out + err);
    assert.match(out, /^1\.\.[1-9]/m);
    assert.match(out, /^ok 1 /m);
    assert.doesNotMatch(out, /^not ok|^Bail/m);
  });

test("each is named by help, by the README and by the folder's own", () => {
  const texts = [run(["help", "run"]).out, readFileSync(`${folder}../README.md`, "utf8"), readFileSync(`${folder}README.md`, "utf8")];
  for (const name of names)
    for (const text of texts) assert.match(text, new RegExp(`\\b${name}\\b`), name);
});
