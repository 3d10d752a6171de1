// SPDX-License-Identifier: Apache-2.0
// The riddle: who is noisy stands nowhere but in the packets, and `tunlab guess` says right or wrong.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, skip, test } from "../lib/tap.mjs";
import { Lab, eventually, isRoot, ourProcesses, run, fetchAlone } from "../lib/lab.mjs";

let lab, culprit;
if (isRoot) lab = await Lab.start("mystery", [], { page: true });
const on = (name, fn) => test(name, () => (lab ? fn() : skip("needs root")));
const get = async (path) => (await fetchAlone(new URL(path, lab.url))).text();
const post = async (body, token = lab.token) => {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const answer = await fetchAlone(new URL("/api/v1/guess", lab.url), { method: "POST", headers, body: JSON.stringify(body) });
  return { status: answer.status, json: await answer.json() };
};
const udp = (l) => l.json("flows").flows.find((f) => f.inner_proto === "ipv4/udp");

on("the packets show who it is", async () => {
  const flow = await eventually(() => udp(lab));
  culprit = lab.json("status").labs[0].clients.find((c) => c.name === flow.src_client);
  assert.ok(culprit);
});

on("nothing else does", async () => {
  const [status] = lab.json("status").labs;
  assert.equal(status.secret, true);
  const page = JSON.parse(await get("/api/v1/lab"));
  assert.equal(page.secret, true);
  for (const doc of [status, page]) {
    assert.equal(doc.traffic.length, 36, "the pings");
    assert.ok(doc.traffic.every(({ name, proto }) => name === "background" && proto === "ping"));
    assert.doesNotMatch(JSON.stringify(doc), /culprit|seed/);
  }
  assert.match(lab.run("status").out, /somebody who is not in this list/);
  for (const pid of ourProcesses()) assert.doesNotMatch(readFileSync(`/proc/${pid}/cmdline`, "utf8"), /seed/);
  assert.doesNotMatch(lab.child.err, new RegExp(`\\b${culprit.name}\\b|culprit|seed`));
  const stopped = await fetchAlone(new URL("/api/v1/traffic/36", lab.url), { method: "DELETE", headers: { Authorization: `Bearer ${lab.token}` } });
  assert.equal(stopped.status, 404, "it cannot be tried out");
});

on("a wrong guess: exit 1 and no hint", async () => {
  for (const { name } of lab.json("status").labs[0].clients.filter((c) => c !== culprit && c.name !== culprit.name).slice(0, 4)) {
    const r = lab.run("guess", name);
    assert.equal(r.status, 1);
    assert.equal(r.out, `No, it is not ${name}.\n`);
    const { status, json } = await post({ who: name });
    assert.equal(status, 200);
    assert.deepEqual({ ...json, guesses: 0 }, { schema: "tunlab.guess/1", right: false, client: name, guesses: 0 });
  }
});

on("what is no client: exit 2 and what would be", () => {
  for (const [who, says] of [["random", /want a client/], ["c99", /c0 to c35/], ["10.0.0.1", /no client has the address/], ["host0", /is 4 clients/], ["", /want a client/]]) {
    const r = lab.run("guess", who);
    assert.equal(r.status, 2, who);
    assert.match(r.err, says);
    assert.equal(r.out, "");
  }
});

on("the right one, in every form: exit 0 and what it was", async () => {
  const number = culprit.name.slice(1);
  for (const who of [number, culprit.name, `${culprit.host}:${culprit.vni}`, culprit.address]) {
    const r = lab.run("guess", who);
    assert.equal(r.status, 0, r.err);
    assert.match(r.out, new RegExp(`^Right, it is ${culprit.name}: ${culprit.address} on ${culprit.host}, in VNI ${culprit.vni}`));
    assert.match(r.out, /culprit \(udp\), 300pps, 700 bytes/);
  }
  const { status, json } = await post({ who: Number(number) });
  assert.equal(status, 200);
  assert.equal(json.right, true);
  assert.equal(json.guesses, 13);
  assert.deepEqual(json.traffic.to, [udp(lab).dst_client]);
});

on("over HTTP guessing needs the token, and a body that can be read", async () => {
  assert.equal((await post({ who: "c0" }, "0".repeat(32))).status, 403);
  for (const body of [{}, { who: "c99" }, { who: "random" }, { client: "c0" }, []]) {
    const { status, json } = await post(body);
    assert.equal(status, 400, JSON.stringify(body));
    assert.ok(json.error);
  }
});

on("the end tells who it was; its seed repeats it, another may be another", async () => {
  await lab.stop();
  const [, who, seed] = /it was (c\d+) \(traffic culprit\); --seed (\d+) repeats/.exec(lab.child.err);
  assert.equal(who, culprit.name);
  const again = await Lab.start("mystery", ["--seed", seed]);
  try {
    assert.equal(again.run("guess", who).status, 0);
  } finally {
    await again.stop();
  }
});

test("a lab without a riddle: exit 2 and what to do", async () => {
  if (!isRoot) skip("needs root");
  const plain = await Lab.start("idle");
  try {
    const r = plain.run("guess", "c0");
    assert.equal(r.status, 2);
    assert.match(r.err, /tunlab run mystery/);
  } finally {
    await plain.stop();
  }
});

test("the plan of a riddle does not solve it", () => {
  const doc = JSON.parse(run(["plan", "mystery", "--json"]).out);
  assert.equal(doc.seed, null);
  const section = doc.traffic.find(({ name }) => name === "culprit");
  assert.equal(section.secret, true);
  assert.deepEqual(section.senders, []);
});

after(() => lab?.stop());
