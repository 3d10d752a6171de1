// SPDX-License-Identifier: Apache-2.0
// A lab larger than those of the other tests: everybody is reached, every counter agrees. (Several bridges: lab_test.c.)
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "../lib/tap.mjs";
import { Child, droppedAtFullQueues, Lab, json, labName, needRoot, run, scratch } from "../lib/lab.mjs";

const dir = scratch("size");

// One host pings all others, all ping one host: each of the 240 clients sends and is sent to. 30 s are the bound for warming up.
const text = `[lab]
hosts = 60
vnis = 10000-10003
wiring = direct
duration = 3s
[traffic out]
from = host0
to = all
rate = 60pps
[traffic in]
from = all
to = host59
rate = 2pps
[assert delivery]
check = delivery() == 100%
[assert loss]
check = loss() == 0
[assert counts agree]
check = mismatch() == 0
[assert nothing else]
check = unplanned() == 0
[assert monitor]
check = monitor.lost == 0
`;

test("60 hosts with 4 VNIs and direct wiring: all that is sent arrives and is counted", () => {
  needRoot();
  const file = `${dir}/size.ini`;
  writeFileSync(file, text);
  const plan = json(["plan", file, "--json"]);
  assert.deepEqual(plan.objects, { namespaces: 1 + 60 + 240, devices: 1 + 2 * 60 + 2 * 240, veth_pairs: 60, bridges: 1, tunnels: 240, macvlans: 240 });
  const r = run(["run", file, "--headless", "--assert", "--name", labName()]);
  assert.equal(r.status, 0, r.out + r.err);
  assert.equal(r.out.match(/^ok /gm)?.length, 5, r.out);
  const sent = r.err.match(/generators sent (\d+) packets, (\d+) arrived/);
  assert.ok(sent, r.err);
  assert.equal(sent[1], sent[2]);
  assert.ok(Number(sent[1]) >= 4 * 59, "every client of the other hosts was pinged");
  assert.doesNotMatch(r.err, /[\r]|building host/, "progress is for terminals");
});

// Clients of IPv6 report their groups as soon as they are up: that is flooded, a copy to each host, which must be there to hear it.
test("head-end replication and IPv6: nothing is lost while the hosts come up", () => {
  needRoot();
  const vnis = [10, 11, 12, 13].map((vni) => `[vni ${vni}]\nsubnet = fd00:${vni}::/64\n`).join("");
  const file = `${dir}/flood.ini`;
  writeFileSync(file, `[lab]\nhosts = 40\nvnis = 10-13\nflood = unicast\nduration = 500ms\n${vnis}[assert loss]\ncheck = loss() == 0%\nwithin = 3s\n`); // not what is on its way just then
  const r = run(["run", file, "--headless", "--assert", "--name", labName()]);
  assert.equal(r.status, 0, r.out + r.err);
  assert.match(r.err, /monitor saw [1-9]\d{2,} flows/, "they did speak");
});

// Each would flood a question for each of the others, and all of these at once: 2 million frames.
test("live traffic to everybody in a large VNI, from several clients at once", async () => {
  needRoot();
  const lab = await Lab.start("idle", ["--set", "lab.hosts=270", "--set", "lab.vnis=9", "--set", "vni 9.subnet=10.9.0.0/16", "--set", "lab.underlay=172.16.0.0/16",
    "--set", "lab.wiring=direct"]);
  try {
    const dropped = droppedAtFullQueues(); // so many hosts' own chatter, in as many copies, fills the queues now and then
    const senders = Array.from({ length: 30 }, (_, i) => new Child(["traffic", "--lab", lab.name, "--client", `c${9 * i}`, "--count", "300",
      "--rate", "500pps", "--json", ...(i % 3 ? [] : ["--proto", "ping"])]));
    for (const s of senders) assert.equal((await s.ended).status, 0, s.err);
    let lost = 0;
    for (const s of senders) {
      const { sent, received, unresolved, cold_ms } = JSON.parse(s.out.trim().split("\n").at(-1));
      assert.deepEqual({ sent, unresolved, cold_ms }, { sent: 300, unresolved: 0, cold_ms: null });
      assert.ok(received <= sent);
      lost += sent - received;
    }
    const few = lab.run("traffic", "--client", "c1", "--to", "c2", "--count", "3"); // one question is no flood
    const [, received] = /3 sent .* (\d) received[^]*neighbours resolved in/.exec(few.out) ?? assert.fail(few.out + few.err);
    lost += 3 - received;
    assert.ok(lost <= droppedAtFullQueues() - dropped, `${lost} lost`);
  } finally {
    await lab.stop();
  }
});

test("more hosts than a bridge has ports: the plan names the bridges and counts them", () => {
  const set = ["--set", "lab.hosts=1024", "--set", "lab.vnis=1", "--set", "lab.underlay=172.16.0.0/16", "--set", "vni 1.subnet=10.0.0.0/16"];
  const plan = json(["plan", "idle", "--json", ...set]);
  assert.equal(plan.limits.leaf_bridges, 2);
  assert.deepEqual([plan.objects.namespaces, plan.objects.devices], [1 + 2 * 1024, 1 + 2 * 3 + 2 * 1024 + 4 * 1024]);
  assert.equal(plan.hosts[1023].bridge, "br102");
  assert.match(run(["plan", "idle", ...set]).out, /1024, more than the 1023 .* br101 to br102/);
});
