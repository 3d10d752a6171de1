// SPDX-License-Identifier: Apache-2.0
// Every number must agree with every other: generators, sinks, monitor at both ends, and the kernel's own counters.
//
//   c0 -- br -- vxlan -- eth0(host0) ==[ counted as sent ]== br100 ==[ counted as received ]== eth0(host1) -- vxlan -- br -- c1
import assert from "node:assert/strict";
import { test, skip } from "../lib/tap.mjs";
import { Child, Lab, counted, have, eventually, needRoot } from "../lib/lab.mjs";


// What the kernel itself counted at an interface, by netlink.
const statistics = (lab, where) => JSON.parse(lab.exec(where, "ip", "-j", "-s", "link", "show", "dev", "eth0").out)[0].stats64;

// Packets of every uplink, sent and received.
const kernelCounters = (lab, hosts) =>
  Array.from({ length: hosts }, (_, i) => statistics(lab, `host${i}`)).map((s) => [s.tx.packets, s.rx.packets]);

// Nothing moves any more: the same kernel counters twice, with the monitor's figure between.
async function settled(lab, hosts) {
  let last;
  const quiet = await eventually(() => {
    const a = JSON.stringify(kernelCounters(lab, hosts));
    const flows = lab.json("flows");
    const b = JSON.stringify(kernelCounters(lab, hosts));
    last = { kernel: JSON.parse(b), flows };
    return a === b && counted(lab.json("flows")) === counted(flows);
  });
  assert.ok(quiet, "the lab falls silent");
  return last;
}

const seenByKernel = (counters) => counters.flat().reduce((a, b) => a + b, 0);
const flow = (doc, src, dst, proto) => doc.flows.find((f) => f.src_client === src && f.dst_client === dst && f.inner_proto === proto);

for (const [what, args] of [["IPv4", []], ["IPv6 outside and inside", ["--set", "lab.underlay=fd00:1::/64", "--set", "vni 10000.subnet=fd00:a::/64"]],
  ["direct wiring", ["--set", "lab.wiring=direct"]]])
  test(`${what}: sent, seen leaving, seen arriving, received: all equal; seen equals the kernel's counters`, async () => {
    needRoot();
    const lab = await Lab.start("idle", ["--set", "lab.hosts=3", ...args]);
    try {
      const v6 = what.startsWith("IPv6") ? "ipv6" : "ipv4";
      const done = (r) => JSON.parse(r.out.trim().split("\n").at(-1));
      const udp = done(lab.run("traffic", "--client", "c0", "--to", "c4", "--count", "3000", "--rate", "5kpps", "--size", "700", "--json"));
      const ping = done(lab.run("traffic", "--client", "c0", "--to", "c8", "--proto", "ping", "--count", "400", "--rate", "2kpps", "--json"));
      const { kernel, flows } = await settled(lab, 3);
      assert.equal(udp.sent, 3000);
      assert.equal(udp.received, 3000);
      const there = flow(flows, "c0", "c4", `${v6}/udp`);
      assert.equal(there.packets, 3000);
      assert.equal(there.received.packets, 3000);
      assert.equal(there.received.bytes, there.bytes);
      const outer = 14 + (v6 === "ipv6" ? 40 : 20) + 8 + 8, inner = 14 + (v6 === "ipv6" ? 40 : 20) + 700;
      assert.equal(there.bytes, 3000 * (outer + inner));
      assert.equal(there.inner_bytes, 3000 * inner);
      assert.equal(ping.sent, 400);
      const icmp = v6 === "ipv6" ? "ipv6/icmpv6" : "ipv4/icmp";
      for (const [from, to] of [["c0", "c8"], ["c8", "c0"]]) {
        const pair = flows.flows.filter((f) => f.src_client === from && f.dst_client === to && f.inner_proto.startsWith(icmp.slice(0, 8)));
        const packets = pair.reduce((a, f) => a + f.packets, 0);
        // Neighbour discovery is ICMPv6 too: a few solicitations may stand beside the echoes.
        assert.ok(v6 === "ipv6" ? packets >= 400 && packets < 410 : packets === 400, `${from} to ${to}: ${packets}`);
        assert.equal(pair.reduce((a, f) => a + f.received.packets, 0), packets);
      }
      assert.equal(flows.monitor.seen, seenByKernel(kernel));
      assert.equal(flows.monitor.lost + flows.monitor.truncated + flows.monitor.unknown, 0);
      assert.equal(flows.monitor.flows, flows.flows.length);
    } finally {
      await lab.stop();
    }
  });

test("flooded packets: sent once, received by all others", async () => {
  needRoot();
  const lab = await Lab.start("idle", ["--set", "lab.hosts=5", "--set", "lab.vnis=9"]);
  try {
    // An address nobody has: three ARP requests, flooded to the group.
    lab.exec("c0", "ping", "-c", "1", "-W", "1", "192.168.0.200");
    const { kernel, flows } = await settled(lab, 5);
    const flood = flows.flows.filter((f) => f.bum);
    assert.equal(flood.length, 1);
    assert.equal(flood[0].inner_proto, "arp");
    assert.equal(flood[0].inner_src, null);
    assert.ok(flood[0].packets >= 1);
    assert.equal(flood[0].received.packets, 4 * flood[0].packets);
    assert.equal(flows.monitor.seen, seenByKernel(kernel));
  } finally {
    await lab.stop();
  }
});

test("segmentation offload: TCP super-packets count as the segments on the wire", async () => {
  needRoot();
  if (!have("iperf3")) skip("iperf3 is missing");
  const lab = await Lab.start("idle", ["--set", "lab.hosts=2", "--set", "lab.vnis=9"]);
  let server;
  try {
    server = new Child(["exec", "--lab", lab.name, "c1", "--", "iperf3", "-s", "-1", "--forceflush"]);
    await server.waitFor(/listening/i);
    const r = lab.exec("c0", "iperf3", "-c", "192.168.0.2", "-n", "20000000", "-J");
    assert.equal(r.status, 0, r.out + r.err);
    const { kernel, flows } = await settled(lab, 2);
    const there = flow(flows, "c0", "c1", "ipv4/tcp");
    assert.equal(there.packets, there.received.packets);
    assert.equal(there.bytes, there.received.bytes);
    assert.equal(flows.monitor.seen, seenByKernel(kernel), "seen counts what the hooks were given");
    assert.ok(there.packets > flows.monitor.seen, "super-packets did pass: fewer frames than wire packets");
    // c0's own interface counted super-packets; each further segment repeats 66 bytes of inner headers (Ethernet, IP, TCP with
    // timestamps). So what the monitor calls wire packets and wire bytes follows exactly from the kernel's figures.
    const { packets: frames, bytes: length } = statistics(lab, "c0").tx;
    const sum = (key) => flows.flows.filter((f) => f.outer_src === "172.16.1.100").reduce((a, f) => a + f[key], 0);
    assert.equal(sum("inner_bytes"), length + 66 * (sum("packets") - frames));
    assert.equal(there.bytes - there.inner_bytes, 50 * there.packets, "each wire packet carries its own 50 bytes of tunnel");
    assert.ok(there.bytes / there.packets <= 1514, "no wire packet is longer than the wire allows");
  } finally {
    await server?.kill();
    await lab.stop();
  }
});

test("a lossy moment on the fabric: what was lost is sent and not received, at the same host", async () => {
  needRoot();
  const lab = await Lab.start("idle", ["--set", "lab.hosts=2", "--set", "lab.vnis=9"]);
  try {
    lab.run("traffic", "--client", "c0", "--count", "10", "--rate", "1kpps"); // neighbours are known from here on
    lab.exec("fabric", "ip", "link", "set", "p1", "down");
    const before = flow(lab.json("flows"), "c0", "c1", "ipv4/udp");
    const r = lab.run("traffic", "--client", "c0", "--count", "100", "--rate", "1kpps");
    assert.equal(r.status, 1, "nothing came back");
    assert.match(r.out, /100 sent.* 0 received/);
    const after = flow(lab.json("flows"), "c0", "c1", "ipv4/udp");
    assert.equal(after.packets - before.packets, 100);
    assert.equal(after.received.packets, before.received.packets);
  } finally {
    await lab.stop();
  }
});
