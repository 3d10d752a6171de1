// SPDX-License-Identifier: Apache-2.0
// Exact under load: several clients as fast as they can, with super-packets and without, IPv4 and IPv6, and samples taken meanwhile.
// For each flow generator, monitor on both sides and the kernel's own interface counters agree to the packet.
import assert from "node:assert/strict";
import { test, skip } from "../lib/tap.mjs";
import { Child, Lab, eventually, have, needRoot, fetchAlone } from "../lib/lab.mjs";


const counters = (lab, hosts) =>
  Array.from({ length: hosts }, (_, i) => JSON.parse(lab.exec(`host${i}`, "ip", "-j", "-s", "link", "show", "dev", "eth0").out)[0].stats64)
    .map((s) => ({ packets: s.tx.packets + s.rx.packets, bytes: s.tx.bytes + s.rx.bytes }));

// Once nothing moves any more: the flow table between two readings of the kernel's counters that are equal.
async function settled(lab, hosts) {
  let flows, kernel;
  assert.ok(await eventually(() => {
    const before = JSON.stringify(counters(lab, hosts));
    flows = lab.json("flows");
    kernel = counters(lab, hosts);
    return JSON.stringify(kernel) === before;
  }), "the lab does not come to rest");
  return { flows, seen: kernel.reduce((a, k) => a + k.packets, 0) };
}

const last = (child) => JSON.parse(child.out.trim().split("\n").at(-1));
const find = (doc, from, to, proto) => doc.flows.find((f) => f.src_client === from && f.dst_client === to && f.inner_proto === proto);

// Every counter of every flow only grows, also while it is being written.
function grows(before, now) {
  const then = new Map(before.flows.map((f) => [JSON.stringify([f.vni, f.outer_src, f.outer_dst, f.inner_src, f.inner_dst, f.inner_proto]), f]));
  for (const f of now.flows) {
    const was = then.get(JSON.stringify([f.vni, f.outer_src, f.outer_dst, f.inner_src, f.inner_dst, f.inner_proto]));
    if (!was) continue;
    assert.ok(f.packets >= was.packets && f.bytes >= was.bytes && f.received.packets >= was.received.packets, `${f.src_client} shrank`);
  }
  assert.ok(now.flows.length >= before.flows.length && now.monitor.seen >= before.monitor.seen);
}

// What the first sample had already, frames of a lab that comes up: all there is, so many packets at least, without what grew from sample
// to sample since; told by one sample.
async function beforeHistory(lab, packets) {
  const page = async (path) => (await fetchAlone(`${lab.url}api/v1/${path}`)).json();
  const sums = ({ packets, bytes, received }) => [packets, bytes, received.packets, received.bytes];
  let rest;
  assert.ok(await eventually(async () => {
    const [{ samples }, { total }, again] = [await page("history"), await page("flows"), await page("history")];
    if (!total) return false; // no sample yet
    rest = samples.map(sums).reduce((a, s) => a.map((v, k) => v - s[k]), sums(total));
    return total.packets >= packets && samples.at(-1)?.seq === again.samples.at(-1)?.seq;
  }));
  return rest;
}

const ipv6 = ["--set", "lab.underlay=fd00:1::/64", "--set", "vni 9.subnet=fd00:a::/64", "--set", "vni 10.subnet=fd00:b::/64"];

for (const [what, proto, header, args] of [["IPv4", "ipv4/udp", 50 + 20, []], ["IPv6 outside and inside", "ipv6/udp", 70 + 40, ipv6],
  ["direct wiring, head-end replication", "ipv4/udp", 50 + 20, ["--set", "lab.wiring=direct", "--set", "lab.flood=unicast"]]])
  test(`${what}: at rate max, from several clients at once, each flow is exact, and samples lose nothing`, async () => {
    needRoot();
    const lab = await Lab.start("idle", ["--set", "lab.hosts=3", "--set", "lab.vnis=9,10", ...args], { page: true });
    try {
      // c0 c1 on host0, c2 c3 on host1, c4 c5 on host2; two senders share a flow's way in each direction, one sends both ways at once
      const times = what === "IPv4" ? 8 : 1; // long enough for samples in the midst of it
      const wanted = [["c0", "c2", 64, 30000], ["c2", "c0", 1372, 10000], ["c1", "c5", 700, 15000], ["c3", "c1", 40, 20000], ["c5", "c3", 1200, 10000]]
        .map(([from, to, size, count]) => [from, to, size, count * times]);
      const children = wanted.map(([from, to, size, count]) => new Child(["traffic", "--lab", lab.name, "--client", from, "--to", to, "--rate", "max",
        "--size", String(size), "--count", String(count), "--json"]));
      const first = await beforeHistory(lab, 0);
      let before = lab.json("flows");
      while (children.some((c) => !c.exit)) {
        const now = lab.json("flows");
        grows(before, now);
        before = now;
        await new Promise((r) => setTimeout(r, 20));
      }
      const { flows, seen } = await settled(lab, 3);
      wanted.forEach(([from, to, size, count], i) => {
        assert.equal(children[i].exit.status, 0, children[i].err);
        const f = find(flows, from, to, proto);
        assert.equal(last(children[i]).sent, count);
        assert.deepEqual([f.packets, f.received.packets], [count, count], `${from} to ${to}`);
        assert.deepEqual([f.bytes, f.received.bytes], [count * (14 + header + size), count * (14 + header + size)], `${from} to ${to}`);
        assert.equal(f.inner_bytes, count * (14 + (header > 100 ? 40 : 20) + size));
      });
      assert.equal(flows.monitor.seen, seen, "seen is what the interfaces counted");
      assert.ok(flows.monitor.decoded > flows.monitor.seen, "super-packets did pass");
      assert.equal(flows.monitor.lost + flows.monitor.truncated + flows.monitor.unknown, 0);
      // What grew from sample to sample adds up to what there is in the end.
      assert.deepEqual(await beforeHistory(lab, 80000), first);
    } finally {
      await lab.stop();
    }
  });

test("head-end replication: a flooded packet is sent to each of the others, and each receives it once", async () => {
  needRoot();
  const lab = await Lab.start("idle", ["--set", "lab.hosts=5", "--set", "lab.vnis=9", "--set", "lab.flood=unicast"]);
  try {
    lab.exec("c0", "ping", "-c", "1", "-W", "1", "192.168.0.200"); // an address nobody has
    const { flows, seen } = await settled(lab, 5);
    const arp = flows.flows.filter((f) => f.inner_proto === "arp");
    assert.deepEqual(arp.map((f) => f.outer_dst).sort(), [101, 102, 103, 104].map((n) => `172.16.1.${n}`));
    assert.ok(arp[0].packets >= 1);
    for (const f of arp) assert.deepEqual([f.packets, f.received.packets, f.bum], [arp[0].packets, arp[0].packets, false]);
    assert.equal(flows.monitor.seen, seen);
  } finally {
    await lab.stop();
  }
});

for (const [what, address, proto, headers, args] of [
  ["TCP over IPv6", "fd00:a::2", "ipv6/tcp", 14 + 40 + 32, ["--set", "lab.underlay=fd00:1::/64", "--set", "vni 9.subnet=fd00:a::/64"]],
  ["TCP without offload", "192.168.0.2", "ipv4/tcp", 14 + 20 + 32, []]])
  test(`${what}: wire packets and bytes follow from the client's own counters`, async () => {
    needRoot();
    if (!have("iperf3")) skip("iperf3 is missing");
    const lab = await Lab.start("idle", ["--set", "lab.hosts=2", "--set", "lab.vnis=9", ...args]);
    let server;
    try {
      const plain = what.endsWith("without offload");
      if (plain)
        for (const client of ["c0", "c1"]) assert.equal(lab.exec(client, "ip", "link", "set", "dev", "eth0", "gso_max_segs", "1").status, 0);
      server = new Child(["exec", "--lab", lab.name, "c1", "--", "iperf3", "-s", "-1", "--forceflush"]);
      await server.waitFor(/listening/i);
      const r = lab.exec("c0", "iperf3", "-c", address, "-n", "10000000", "-J");
      assert.equal(r.status, 0, r.out + r.err);
      const { flows, seen } = await settled(lab, 2);
      const there = find(flows, "c0", "c1", proto), back = find(flows, "c1", "c0", proto);
      assert.deepEqual([there.received.packets, there.received.bytes], [there.packets, there.bytes]);
      assert.deepEqual([back.received.packets, back.received.bytes], [back.packets, back.bytes]);
      assert.equal(flows.monitor.seen, seen);
      // Multicast is left out: what a client says of its groups ends at its bridge.
      const tx = JSON.parse(lab.exec("c0", "ip", "-j", "-s", "link", "show", "dev", "eth0").out)[0].stats64.tx;
      const snmp = lab.exec("c0", "cat", "/proc/net/snmp6").out;
      const multicast = (name) => Number(new RegExp(`^Ip6OutMcast${name}\\s+(\\d+)`, "m").exec(snmp)?.[1] ?? 0);
      const frames = tx.packets - multicast("Pkts"), length = tx.bytes - multicast("Octets") - 14 * multicast("Pkts");
      const sum = (key) => flows.flows.filter((f) => f.outer_src === there.outer_src && !f.inner_dst?.startsWith("ff")).reduce((a, f) => a + f[key], 0);
      assert.equal(sum("inner_bytes"), length + headers * (sum("packets") - frames));
      if (plain) assert.equal(sum("packets"), frames, "no super-packet: as many frames as wire packets");
      else assert.ok(sum("packets") > frames, "super-packets did pass");
    } finally {
      await server?.kill();
      await lab.stop();
    }
  });

test("live traffic to all of a large lab: all answer for their addresses, and no answer is lost", async () => {
  needRoot();
  const lab = await Lab.start("idle", ["--set", "lab.hosts=130", "--set", "lab.vnis=9", "--set", "lab.wiring=direct"]);
  try {
    for (const client of ["c0", "c7"]) {
      const r = lab.run("traffic", "--client", client, "--to", "all", "--count", "129", "--rate", "1kpps", "--json");
      assert.equal(r.status, 0, r.out + r.err);
      assert.equal(JSON.parse(r.out.trim().split("\n").at(-1)).received, 129);
    }
    const lost = lab.json("flows").flows.filter((f) => !f.bum && f.packets !== f.received.packets);
    assert.deepEqual(lost, []);
  } finally {
    await lab.stop();
  }
});
