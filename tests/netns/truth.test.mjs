// SPDX-License-Identifier: Apache-2.0
// Ground truth on real labs: on an unimpaired one every row's counts are equal, whatever the lab is made of; on an impaired one they
// part where the lab was impaired.
//
//   generator -- c0 -- br -- vxlan -- eth0(host0) ==[ left ]== br100 ==[ arrived ]== eth0(host1) -- vxlan -- br -- c1 -- sink
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, skip } from "../lib/tap.mjs";
import { labName, needRoot, run, scratch } from "../lib/lab.mjs";


const folder = scratch("truth");

// A run's report. Two sections share the flow from c0 to its peers; everybody pings everybody, so both ways share flows, too.
const traffic = `
[traffic one]
from = all
proto = udp
rate = 300pps
[traffic two]
from = host0
proto = udp
rate = 200pps
size = 900
[traffic pings]
from = all
rate = 100pps
[assert mismatch]
check = mismatch() == 0
[assert delivery]
check = delivery() == 100%
`;

function report(text, args = []) {
  const name = labName("truth");
  const file = join(folder, `${name}.ini`), json = join(folder, `${name}.json`);
  writeFileSync(file, text);
  const r = run(["run", file, "--name", name, "--headless", "--assert", "--report", `json:${json}`, ...args]);
  return { status: r.status, err: r.err, doc: r.status === 0 || r.status === 1 || r.status === 4 ? JSON.parse(readFileSync(json)) : null };
}

const places = { udp: ["sent", "left", "arrived", "received"], ping: ["sent", "left", "arrived", "answered", "returned", "received"] };

const labs = {
  "IPv4, multicast": "[lab]\nvnis = 10000-10001",
  "head-end replication": "[lab]\nvnis = 10000-10001\nflood = unicast",
  "IPv6 outside and inside": "[lab]\nvnis = 7\nunderlay = fd00:1::/64\n[vni 7]\nsubnet = fd00:a::/64",
  "direct wiring": "[lab]\nvnis = 10000-10001\nwiring = direct",
  "direct wiring, head-end replication, IPv6 inside": "[lab]\nvnis = 7\nwiring = direct\nflood = unicast\n[vni 7]\nsubnet = fd00:a::/64",
  geneve: "[lab]\nvnis = 7\nencap = geneve",
  gretap: "[lab]\nvnis = 7\nencap = gretap",
};
for (const [what, lab] of Object.entries(labs))
  test(`all places count the same: ${what}`, () => {
    needRoot();
    const { status, err, doc } = report(`${lab.replace("[lab]", "[lab]\nhosts = 3\nduration = 1s")}${traffic}`);
    if (status === 3) skip(err.trim().split("\n").at(-1)); // such tunnels are not built into this kernel
    if (status === 4 && doc.validity.backlog.broken) skip(doc.invalid); // this machine lost packets, as it was told
    assert.equal(status, 0, err + JSON.stringify(doc?.truth.filter((row) => row.parts)) + JSON.stringify(doc?.checks) + JSON.stringify(doc?.validity));
    const vnis = /10001/.test(lab) ? 2 : 1;
    assert.equal(doc.truth.length, vnis * 3 * 2 * 2, "each pair has a row for UDP and one for pings");
    assert.deepEqual(doc.pairs, { all: doc.truth.length, agree: doc.truth.length });
    for (const row of doc.truth) {
      for (const place of places[row.proto]) assert.equal(row[place], row.sent, `${place} of ${JSON.stringify(row)}`);
      assert.ok(row.sent > 0 && row.parts === null && row.where === null && row.missing === 0 && !row.running);
    }
    const shared = doc.truth.find((r) => r.from === "c0" && r.proto === "udp");
    assert.deepEqual(shared.traffic, ["one", "two"], "sections that share a flow share a row");
    assert.equal(doc.truth.reduce((n, r) => n + (r.proto === "ping" && r.both_ways), 0), vnis * 6);
  });

test("counts part where the link loses", () => {
  needRoot();
  // From when traffic begins: neighbours that are not found for losses would keep packets from leaving at all.
  const { status, err, doc } = report(`[lab]
hosts = 3
vnis = 9
duration = 1s
[event lossy]
do = link host2 loss 50%
[traffic udp]
from = c0
proto = udp
rate = 400pps
[traffic ping]
from = c1
to = c2
rate = 200pps
[assert honest]
check = mismatch() == 0
`);
  assert.equal(status, 0, err); // both counted the same, and something was lost: that is no mismatch
  const row = (from, to) => doc.truth.find((r) => r.from === from && r.to === to);
  assert.equal(row("c0", "c1").parts, null);
  const lossy = row("c0", "c2");
  assert.equal(lossy.parts, "arrived");
  assert.match(lossy.where, /^between host0 and host2: \d+ left, \d+ arrived$/);
  assert.ok(lossy.sent === lossy.left && lossy.arrived === lossy.received && lossy.missing === lossy.sent - lossy.received);
  const ping = row("c1", "c2");
  assert.ok(ping.sent === ping.left && ping.arrived === ping.answered && ping.returned === ping.received, JSON.stringify(ping));
  assert.ok(ping.arrived < ping.left && ping.returned < ping.answered);
});
