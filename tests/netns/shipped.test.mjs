// SPDX-License-Identifier: Apache-2.0
// Every scenario that is shipped holds all its checks: found by listing the folder, so that none can be forgotten. Several labs
// run at once, which they may.
import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { skip, test } from "../lib/tap.mjs";
import { Child, isRoot, labName, run, scratch } from "../lib/lab.mjs";

const AT_ONCE = 4;
const folder = new URL("../../scenarios/", import.meta.url).pathname;
const dir = scratch("shipped");
const names = readdirSync(folder).filter((file) => file.endsWith(".ini")).map((file) => file.slice(0, -4)).sort();

// By name: what each did and said.
function runAll() {
  const queue = [...names], results = {};
  const worker = async () => {
    for (let name = queue.shift(); name; name = queue.shift()) {
      // A run that the machine could not keep up with (4) was judged neither way: once more, as in CI.
      for (let tries = 0; tries < 3 && results[name]?.exit.status !== 0 && (results[name]?.exit.status ?? 4) === 4; tries++) {
        results[name] = new Child(["run", name, "--headless", "--assert", "--name", labName(name)]);
        await results[name].ended;
      }
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

// What they are for: turn on the check that a user would have written, and it fails and says why.
for (const [name, cause] of [["mtu", /IP packets of 1500 bytes.* carries 1450/], ["broken-vni", /wrong VNI: host3 vxlan10001 has 10009/]])
  test(`${name}: the check that is commented out fails, and the report explains it`, () => {
    if (!isRoot) skip("needs root");
    const text = readFileSync(`${folder}${name}.ini`, "utf8").replace(/^; (\[assert|check =)/gm, "$1").replace(/^duration.*/m, "duration = 2s");
    writeFileSync(`${dir}/${name}.ini`, text);
    const r = run(["run", `${dir}/${name}.ini`, "--headless", "--assert", "--name", labName(name)]);
    assert.ok(r.status === 1 || r.status === 4, r.err); // where the machine is busy nobody knows for sure
    assert.match(r.out, /^not ok .*\n(?:.*\n)*? +cause: .*/m);
    assert.match(r.out, cause);
  });

test("each is named by help, by the README and by the folder's own", () => {
  const texts = [run(["help", "run"]).out, readFileSync(`${folder}../README.md`, "utf8"), readFileSync(`${folder}README.md`, "utf8")];
  for (const name of names)
    for (const text of texts) assert.match(text, new RegExp(`\\b${name}\\b`), name);
});
