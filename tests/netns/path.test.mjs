// SPDX-License-Identifier: Apache-2.0
// A failed check walks the path and names what is wrong on it: labs that are broken in a dozen ways, each by its own means.
//
//   c0 -- port -- br -- vxlan -- eth0(host0) -- p0 -- br100 -- pN -- eth0(hostN) -- vxlan -- br -- port -- cN
//      ^neighbour    ^FDB  ^VNI, MTU, flood list   ^link, loss, rate                   ^VNI         ^down
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beside, skip } from "../lib/tap.mjs";
import { Child, eventually, have, labName, needRoot, run, runBeside, scratch } from "../lib/lab.mjs";


const folder = scratch("path");

// Runs a scenario; breaks it with `sabotage(exec)` once traffic runs. Every check must fail; their paths by check name.
async function paths(text, sabotage) {
  const name = labName("path"), file = join(folder, `${name}.ini`), out = join(folder, `${name}.json`), xml = join(folder, `${name}.xml`);
  writeFileSync(file, text);
  const child = new Child(["run", file, "--name", name, "--headless", "--assert", "--report", "tap", "--report", `json:${out}`, "--report",
    `junit:${xml}`]);
  try {
    await child.waitFor(/clients up in/);
    await eventually(async () => JSON.parse((await runBeside(["status", "--lab", name, "--json"])).out).labs[0].state === "running");
    await sabotage?.((where, ...command) => {
      const r = run(["exec", "--lab", name, where, "--", ...command]);
      assert.equal(r.status, 0, `${where}: ${command.join(" ")}: ${r.err}`);
      return r.out;
    });
    const { status } = await child.ended;
    assert.ok(status === 1 || status === 4, child.err); // on a machine too busy for a verdict, paths are walked all the same
    const checks = JSON.parse(readFileSync(out)).checks;
    return { status, paths: Object.fromEntries(checks.map((c) => [c.name, c.path])), tap: child.out, xml: readFileSync(xml, "utf8") };
  } finally {
    await child.kill();
  }
}

// Traffic from c0 to a host, which is to arrive.
const pair = (name, to, more = "") => `
[traffic ${name}]
from = host0
to = ${to}
proto = udp
start = 1s
${more.includes("rate") ? "" : "rate = 100pps"}
${more}
[assert ${name}]
check = delivery(traffic=${name}) == 100%
`;

function explained(paths, name, stops, cause) {
  const path = paths[name];
  assert.ok(path, `${name} was walked`);
  assert.match(path.cause ?? "", cause, `${name}: ${JSON.stringify(path)}`);
  assert.equal(path.stops, stops, `${name}: ${JSON.stringify(path)}`);
  assert.equal(path.hops.filter((h) => h.stops).length, 1);
}

beside("each cause is found, at its hop (head-end replication, bridges)", async () => {
  needRoot();
  if (!have("bridge")) skip("bridge (iproute2) is missing");
  const mac = (exec, where) => JSON.parse(exec(where, "ip", "-j", "link", "show", "eth0"))[0].address;
  // host N's clients are c(3N) in VNI 10, c(3N+1) in 11, c(3N+2) in 12.
  const broken = await paths(`[lab]
hosts = 10
vnis = 10-12
flood = unicast
duration = 2500ms
[vni 11]
client_mtu = 1500
[vni 12]
wrong = host9:77
[link host2]
loss = 30%
[link host3]
rate = 256kbit
[event cut]
at = 500ms
do = link host1 down
${pair("down", "host1:10")}${pair("lossy", "host2:10")}${pair("slow", "host3:10", "size = 1000\nrate = 200pps")}${pair("mtu", "host4:11", "size = 1480")}
${pair("fdb", "host4:10")}${pair("mac", "host5:10")}${pair("silent", "host6:10")}${pair("port", "host7:10")}${pair("vtep", "host8:10")}
${pair("vni", "host9:12")}${pair("fine", "host9:10")}
[traffic pings]
from = host1:12
to = host9:12
start = 1s
[assert pings]
check = rtt_max(traffic=pings) < 1s
[assert fine too]
check = packets(traffic=fine) == 0
[assert underlay]
check = loss(traffic=lossy) == 0%
[assert no underlay]
check = loss(traffic=mtu) == 0%`, (exec) => {
    const c12 = mac(exec, "c12");
    exec("host0", "bridge", "fdb", "del", "00:00:00:00:00:00", "dev", "vxlan10", "dst", "172.16.1.104");
    exec("host0", "bridge", "fdb", "del", c12, "dev", "vxlan10", "self");
    exec("c0", "ip", "neigh", "replace", "192.168.0.6", "lladdr", "02:00:00:00:00:99", "dev", "eth0", "nud", "permanent");
    exec("c18", "ip", "link", "set", "eth0", "arp", "off");
    exec("c0", "ip", "neigh", "del", "192.168.0.7", "dev", "eth0");
    exec("host7", "ip", "link", "set", "c21", "down");
    exec("host0", "ip", "neigh", "replace", "172.16.1.108", "lladdr", "02:00:00:00:00:98", "dev", "eth0", "nud", "permanent");
  });
  const p = broken.paths;
  explained(p, "down", "fabric p1", /^host1's link is down$/);
  explained(p, "lossy", "fabric p2", /^host2's link loses frames on purpose, 30%: \d+ of all that passed$/);
  explained(p, "slow", "fabric p3", /^the queue of host3's link, rate 256kbit, was full: \d+ packets dropped there$/);
  explained(p, "mtu", "host0 vxlan11", /^MTU: the packets are IP packets of 1500 bytes, and host0 vxlan11 carries 1450$/);
  explained(p, "fdb", "host0 vxlan10", /^host0 vxlan10 has no forwarding entry for c12's MAC, and does not flood to host4 \(172.16.1.104\)$/);
  explained(p, "mac", "c15 eth0", /^c0's neighbour entry for 192.168.0.6 has a MAC that is not c15's$/);
  explained(p, "silent", "c0 eth0", /^c0 finds no neighbour 192.168.0.7 by ARP: c18 does not answer$/);
  explained(p, "port", "host7 c21", /^host7 c21 is down$/);
  explained(p, "vtep", "host0 eth0", /^host0's neighbour entry for the VTEP 172.16.1.108 has a MAC that is not host8's$/);
  explained(p, "vni", "c2 eth0", /^c2 finds no neighbour 192.168.2.10 by ARP: wrong VNI: host9 vxlan12 has 77, and host0 vxlan12 has 12$/);
  explained(p, "pings", "c5 eth0", /wrong VNI: host9 vxlan12 has 77/);
  assert.equal(p.fine, null, "a check that holds is not walked");
  assert.equal(p["fine too"], null, "nor one that lost nothing");
  explained(p, "underlay", "fabric p2", /^host2's link loses frames on purpose/);
  assert.equal(p["no underlay"], null, "what never left its host is not lost in the underlay");
  const hops = p.down.hops.map((h) => h.hop);
  assert.deepEqual(hops, ["c0's generators", "c0 eth0", "host0 c0", "host0 br10", "host0 vxlan10", "host0 eth0", "fabric p0", "fabric br100",
    "fabric p1", "host1 eth0", "host1 vxlan10", "host1 br10", "host1 c3", "c3 eth0", "c3's sink"]);
  assert.match(broken.tap, /\n {2}path:\n {4}pair: "c0 to c3, udp, VNI 10"\n {4}stops: "fabric p1"\n {4}cause: "host1's link is down"\n {4}hops:\n/);
  if (broken.status === 1) assert.match(broken.xml, /\npath of c0 to c3, udp, VNI 10: packets stop at fabric p1: host1's link is down\n {2}c0's generators: \d+ sent\n/);
});

beside("the way back of pings, and what is over (multicast, direct wiring, IPv6)", async () => {
  needRoot();
  const broken = await paths(`[lab]
hosts = 5
vnis = 10-11
wiring = direct
underlay = fd00:1::/64
duration = 2500ms
[vni 10]
subnet = fd00:a::/64
[vni 11]
wrong = host3:78
[event cut]
at = 1200ms
do = link host1 down
[event mend]
at = 1700ms
do = link host1 up
${pair("over", "host1:10")}
[traffic back]
from = host0:10
to = host2:10
rate = 50pps
start = 1s
[assert back]
check = delivery(traffic=back) == 100%
${pair("vni", "host3:11")}${pair("eth0", "host4:10")}`, (exec) => {
    exec("c8", "ip", "link", "set", "eth0", "down");
    exec("host2", "ip", "-6", "neigh", "replace", "fd00:1::64", "lladdr", "02:00:00:00:00:98", "dev", "eth0", "nud", "permanent");
  });
  const p = broken.paths;
  explained(p, "over", "fabric p1", /^"link host1 down" was done at 1\.\d s$/);
  explained(p, "back", "host2 eth0", /^host2's neighbour entry for the VTEP fd00:1::64 has a MAC that is not host0's$/);
  assert.match(p.back.pair, /^answers of c4 to c0, ping, VNI 10$/);
  assert.deepEqual(p.back.hops.map((h) => h.hop), ["c4's kernel", "c4 eth0", "host2 vxlan10", "host2 eth0", "fabric p2", "fabric br100",
    "fabric p0", "host0 eth0", "host0 vxlan10", "c0 eth0", "c0's generators"]);
  explained(p, "vni", "c1 eth0", /wrong VNI: host3 vxlan11 has 78, and host0 vxlan11 has 11/);
  explained(p, "eth0", "c8 eth0", /^c8 eth0 is down$/);
});
