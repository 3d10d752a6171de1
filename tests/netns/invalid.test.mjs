// SPDX-License-Identifier: Apache-2.0
// A run that the machine spoiled is invalid, exit status 4: neither passed nor failed, and the report names figure and bound. The
// machine is made slow by stopping the traffic engine's process, or the lab's, for a while; its sockets are filled meanwhile.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beside } from "../lib/tap.mjs";
import { Child, eventually, labName, needRoot, runBeside, scratch, sleep } from "../lib/lab.mjs";

const folder = scratch("invalid");

// The lab's own child of that name.
const engineOf = (pid) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number)
    .find((p) => readFileSync(`/proc/${p}/comm`, "utf8") === "tunlab-traffic\n");

// Runs 2 s of traffic with a check, and two events; stops the engine, or another process of the lab, for pause_ms after about 300,
// and meanwhile does what `meanwhile` says.
async function spoiled(check, pause_ms, meanwhile, who = engineOf) {
  const name = labName("invalid"), at = (ext) => join(folder, `${name}.${ext}`);
  writeFileSync(at("ini"), `[lab]
hosts = 2
vnis = 9
duration = 2s
[traffic steady]
from = c0
proto = udp
rate = 200pps
[event still]
at = 800ms
do = link host1 up
[event more]
at = 700ms
do = traffic steady rate 400pps
[assert it]
check = ${check}
`);
  const child = new Child(["run", at("ini"), "--name", name, "--headless", "--assert", "--report", "tap", "--report", `json:${at("json")}`,
    "--report", `junit:${at("xml")}`]);
  try {
    await child.waitFor(/clients up in/);
    await eventually(async () => JSON.parse((await runBeside(["status", "--lab", name, "--json"])).out).labs[0].state === "running");
    const victim = who(child.pid);
    await sleep(300);
    process.kill(victim, "SIGSTOP");
    try {
      await meanwhile?.(name);
      await sleep(pause_ms);
    } finally {
      process.kill(victim, "SIGCONT");
    }
    const { status } = await child.ended;
    return { status, err: child.err, tap: child.out, doc: JSON.parse(readFileSync(at("json"))), xml: readFileSync(at("xml"), "utf8") };
  } finally {
    await child.kill();
  }
}

function isInvalid(r, figure, why) {
  assert.equal(r.status, 4, r.err + r.tap);
  assert.match(r.err, why);
  assert.match(r.tap, new RegExp(`\nBail out! The run is invalid: ${why.source}`));
  assert.equal(r.doc.verdict, "invalid");
  assert.match(r.doc.invalid, why);
  assert.ok(r.doc.validity[figure].broken && r.doc.validity[figure].value > r.doc.validity[figure].bound, JSON.stringify(r.doc.validity));
  assert.match(r.xml, new RegExp(`<error type="invalid" message="${why.source}`));
  assert.match(r.xml, /failures="0" errors="1"/);
}

beside("departures given up: invalid, whatever the checks say", async () => {
  needRoot();
  const r = await spoiled("flows() >= 1", 1400);
  isInvalid(r, "missed", /traffic steady of c0 gave up \d+ departures? that (was|were) more than 1 s late/);
});

beside("late departures: invalid only where a check fails", async () => {
  needRoot();
  const failed = await spoiled("packets() == 7", 700);
  isInvalid(failed, "slip", /steady was \d+ ms behind its schedule at c0, and 500 ms is the limit/);
  assert.equal(failed.doc.validity.slip.bound, 500);
  const held = await spoiled("delivery() == 100%", 700);
  if (held.doc.validity.missed.value === 0) assert.equal(held.status, 0, held.err + held.tap); // not stopped for longer than was meant
  assert.ok(held.doc.validity.slip.value >= 500 && !held.doc.validity.slip.broken);
});

beside("a late event: invalid only where a check fails; what was told ahead holds to the packet", async () => {
  needRoot();
  const failed = await spoiled("packets(proto=udp) == 7", 1300, null, (pid) => pid);
  isInvalid(failed, "events", /event still was done \d+ ms late, and 100 ms is the limit: the machine is too busy/);
  assert.match(failed.tap, /measured 660$/m); // 700 ms of 200 pps, 1300 of 400
  const [more, still] = failed.doc.events;
  assert.ok(still.at_s > 1.3 && more.at_s === 0.7, JSON.stringify(failed.doc.events));
});

beside("full sockets of the engine: invalid, for a sink would be blamed", async () => {
  needRoot();
  const flood = `const s = require("node:dgram").createSocket("udp4"), b = Buffer.alloc(1200); let n = 60000;
    const next = () => (n-- > 0 ? s.send(b, 7654, "192.168.0.2", next) : s.unref()); for (let i = 0; i < 64; i++) next();`;
  const r = await spoiled("flows() >= 1", 0, async (name) => {
    const sent = await runBeside(["exec", "--lab", name, "c0", "--", process.execPath, "-e", flood]);
    assert.equal(sent.status, 0, sent.err);
  });
  assert.equal(r.status, 4, r.err);
  assert.ok(r.doc.validity.overruns.broken, JSON.stringify(r.doc.validity));
  assert.match(r.doc.invalid, /\d+ packets? (was|were) dropped at a full socket of the traffic engine/);
});
