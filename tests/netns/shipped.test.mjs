// SPDX-License-Identifier: Apache-2.0
// Every scenario that is shipped holds all its checks: found by listing the folder, so that none can be forgotten. Several labs
// run at once, which they may.
import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { skip, test } from "../lib/tap.mjs";
import { Child, isRoot, labName, run, scratch } from "../lib/lab.mjs";

const AT_ONCE = 7;
const folder = new URL("../../scenarios/", import.meta.url).pathname;
const dir = scratch("shipped");
const names = readdirSync(folder).filter((file) => file.endsWith(".ini")).map((file) => file.slice(0, -4)).sort();

const textOf = (name) => readFileSync(`${folder}${name}.ini`, "utf8");
const seconds = (text) => Number(/^duration *= *(\d+)s/m.exec(text)?.[1] ?? 10);

// What they are for: turn on the check that a user would have written, and it fails and says why.
const causes = [["mtu", /IP packets of 1500 bytes.* carries 1450/], ["broken-vni", /wrong VNI: host3 vxlan10001 has 10009/]];
function turnOn(name) {
  const file = `${dir}/${name}.ini`;
  writeFileSync(file, textOf(name).replace(/^; (\[assert|check =)/gm, "$1").replace(/^duration.*/m, "duration = 2s"));
  return file;
}

// By name or file: what each did and said. The longest first, so that no long one goes on alone in the end.
function runAll() {
  const files = causes.map(([name]) => turnOn(name)), results = {};
  const queue = [...names].sort((a, b) => seconds(textOf(b)) - seconds(textOf(a))).concat(files);
  const worker = async () => {
    for (let name = queue.shift(); name; name = queue.shift()) {
      // A run that the machine could not keep up with (4) was judged neither way: once more, as in CI.
      for (let tries = 0; tries < 3 && results[name]?.exit.status !== 0 && (results[name]?.exit.status ?? 4) === 4; tries++) {
        results[name] = new Child(["run", name, "--headless", "--assert", "--name", labName("shipped")]);
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
    if (exit.status === 4) skip(/the run is invalid.*/.exec(err)?.[0] ?? err); // three times, and it says why
    assert.equal(exit.status, 0, out + err);
    assert.match(out, /^1\.\.[1-9]/m);
    assert.match(out, /^ok 1 /m);
    assert.doesNotMatch(out, /^not ok|^Bail/m);
  });

for (const [name, cause] of causes)
  test(`${name}: the check that is commented out fails, and the report explains it`, () => {
    if (!results) skip("needs root");
    const { exit, out, err } = results[`${dir}/${name}.ini`];
    assert.ok(exit.status === 1 || exit.status === 4, err); // where the machine is busy nobody knows for sure
    assert.match(out, /^not ok .*\n(?:.*\n)*? +cause: .*/m);
    assert.match(out, cause);
    // 2 s of 200 small, 200 large and 20 pings, to two each: hops count from when traffic began.
    if (name === "mtu" && exit.status === 1) assert.match(out, /c0 eth0: 840 packets[^]* vxlan10000: 440 packets/);
  });

test("each is named by help, by the README and by the folder's own", () => {
  const texts = [run(["help", "run"]).out, readFileSync(`${folder}../README.md`, "utf8"), readFileSync(`${folder}README.md`, "utf8")];
  for (const name of names)
    for (const text of texts) assert.match(text, new RegExp(`\\b${name}\\b`), name);
});
