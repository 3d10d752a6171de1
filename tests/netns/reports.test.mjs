// SPDX-License-Identifier: Apache-2.0
// The reports of one run: each valid by the rules of its format, all with the same figures.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { skip, test } from "../lib/tap.mjs";
import { have, isRoot, labName, run, scratch } from "../lib/lab.mjs";

const dir = scratch("reports");
const schema = new URL("../lib/junit.xsd", import.meta.url).pathname;

const SCENARIO = `; Two hosts and <one> flow, "and" & what follows.
[lab]
hosts = 2
vnis = 7
duration = 1s
[traffic a]
from = c0
proto = udp
rate = 100pps
[assert right]
check = packets(from=c0 proto=udp) == 100
[assert wrong <b>&amp; 'x' \\ é 😀]
check = packets(from=c0 proto=udp) == 99
[assert nothing to measure]
check = rtt_avg(from=c0) < 1s
`;

const FORMATS = { tap: "tap", junit: "xml", json: "json" };
const reports = {};
let ran = null;

if (isRoot) {
  writeFileSync(`${dir}/small.ini`, SCENARIO);
  const files = Object.entries(FORMATS).flatMap(([format, ext]) => ["--report", `${format}:${dir}/r.${ext}`]);
  ran = run(["run", `${dir}/small.ini`, "--headless", "--assert", "--name", labName(), ...files]);
  for (const [format, ext] of Object.entries(FORMATS)) reports[format] = readFileSync(`${dir}/r.${ext}`, "utf8");
}
const on = (name, fn) => test(name, () => (ran ? fn() : skip("needs root")));

on("reports in files leave standard output alone; the exit status is the verdict", () => {
  assert.equal(ran.status, 1, ran.err);
  assert.equal(ran.out, "");
});

on("TAP: version 14, plan, one line a check, diagnostics that are YAML", () => {
  const lines = reports.tap.trimEnd().split("\n");
  assert.deepEqual(lines.slice(0, 2), ["TAP version 14", "1..3"]);
  const points = lines.filter((line) => /^(not )?ok\b/.test(line));
  assert.match(points[0], /^ok 1 - right: packets\(from=c0 proto=udp\) == 100, measured 100$/);
  assert.match(points[1], /^not ok 2 - wrong <b>&amp; 'x' \\\\ é 😀: .*, measured 100$/);
  assert.match(points[2], /^not ok 3 - .*nothing to measure/);
  let depth = null; // of the YAML block that is open
  for (const line of lines.slice(2)) {
    if (/^ {2}---$/.test(line)) depth = 2;
    else if (/^ {2}\.\.\.$/.test(line)) depth = null;
    else if (depth !== null) {
      const [, , value] = /^(?: {2}| {4}- | {6,})([a-z_]+):(?: (.*))?$/.exec(line) ?? assert.fail(`no YAML: ${line}`);
      if (value?.startsWith('"')) JSON.parse(value); // a double-quoted scalar that is a JSON string is one of YAML
      else if (value !== undefined) assert.match(value, /^-?[\d.]+$|^(true|false|null)$|^\[/, line);
    } else assert.match(line, /^(not )?ok\b/);
  }
  assert.equal(depth, null, "every block is closed");
});

on("JUnit: valid by the schema, failures and errors told apart, counts right", () => {
  if (!have("xmllint")) skip("xmllint (libxml2-utils) is missing");
  const lint = (file) => spawnSync("xmllint", ["--noout", "--nonet", "--schema", schema, file], { encoding: "utf8" });
  const r = lint(`${dir}/r.xml`);
  assert.equal(r.status, 0, r.stderr);
  assert.match(reports.junit, /<testsuite name="\S+" tests="3" failures="2" errors="0"/);
  assert.equal(reports.junit.match(/<failure /g).length, 2);
  assert.match(reports.junit, /name="wrong &lt;b&gt;&amp;amp; 'x' \\ é 😀"/);
  writeFileSync(`${dir}/broken.xml`, reports.junit.replace("failures=", "failure="));
  assert.notEqual(lint(`${dir}/broken.xml`).status, 0, "the schema does look");
});

on("JSON: the same checks with their values", () => {
  const doc = JSON.parse(reports.json);
  assert.equal(doc.schema, "tunlab.report/1");
  assert.equal(doc.verdict, "fail");
  assert.deepEqual(doc.checks.map(({ holds, value }) => [holds, value]), [[true, 100], [false, 100], [false, null]]);
  assert.match(doc.checks[1].biggest[0].flow, /c0 192\.168\.0\.1 to c1 192\.168\.0\.2, ipv4\/udp, VNI 7/);
  assert.ok(doc.checks.every(({ name }) => reports.tap.includes(name.replace(/[#\\]/g, "\\$&"))));
});

test("a report's file that cannot be written: exit 2 and which, before anything is built", () => {
  const r = run(["run", "idle", "--headless", "--assert", "--report", `junit:${dir}/none/r.xml`]);
  assert.equal(r.status, 2);
  assert.match(r.err, /none\/r\.xml/);
  const nameless = run(["run", "idle", "--headless", "--assert", "--report", "junit:"]);
  assert.deepEqual([nameless.status, nameless.err], [2, "tunlab: cannot report to 'junit:': want a file behind the colon, such as junit:report.junit\n"]);
});

test("the jobs for CI systems are YAML, run a lab that asserts, and keep its reports", () => {
  if (spawnSync("python3", ["-c", "import yaml"]).status !== 0) skip("python3 with yaml (python3-yaml) is missing");
  for (const name of ["github", "gitlab"]) {
    const file = new URL(`../../scenarios/ci/${name}.yml`, import.meta.url).pathname;
    const r = spawnSync("python3", ["-c", "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)", file], { encoding: "utf8" });
    assert.equal(r.status, 0, r.stderr);
    for (const part of ["--headless --assert", "junit:tunlab.xml", "html:tunlab.html", "tunlab.html"]) assert.ok(r.stdout.includes(part), `${name}: ${part}`);
    const job = JSON.parse(r.stdout);
    assert.ok(job.jobs?.overlay?.steps.every((step) => step.uses || step.run) ?? job.overlay.script.length > 0);
  }
});
