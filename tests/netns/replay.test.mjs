// SPDX-License-Identifier: Apache-2.0
// `tunlab replay`: captures as flow tables, by a user without any privilege. Needs no lab and no root.
import assert from "node:assert/strict";
import { fetchAlone } from "../lib/lab.mjs";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "../lib/tap.mjs";

const dir = mkdtempSync(join(tmpdir(), "replay-"));
after(() => rmSync(dir, { recursive: true }));
chmodSync(dir, 0o755);
const bin = join(dir, "tunlab"); // a copy, for nobody may not be let into the checkout
copyFileSync(new URL("../../build/tunlab", import.meta.url), bin);
chmodSync(bin, 0o755);
const nobody = process.getuid() === 0 ? { uid: 65534, gid: 65534 } : {};

const replay = (args, options) => spawnSync(bin, ["replay", ...args], { encoding: "utf8", timeout: 60_000, ...nobody, ...options });
const json = (...args) => {
  const r = replay([...args, "--json"]);
  assert.equal(r.status, 0, r.stderr);
  assert.equal(r.stderr, "");
  return JSON.parse(r.stdout);
};

// ---- packets, from the outside in ----
const bytes = (...parts) => Buffer.concat(parts.map((p) => (typeof p === "number" ? Buffer.from([p]) : Buffer.from(p))));
const u16 = (v) => [v >> 8, v & 255];
const u32 = (v) => [...u16(v >>> 16), ...u16(v & 65535)];
const ethernet = (type, inner) => bytes([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], u16(type), inner);
const ip = (proto, src, dst, inner) =>
  bytes([0x45, 0], u16(20 + inner.length), [0, 1, 0, 0, 64, proto, 0, 0], src.split(".").map(Number), dst.split(".").map(Number), inner);
const udp = (port, inner) => bytes(u16(50000), u16(port), u16(8 + inner.length), [0, 0], inner);
const payload = udp(7, Buffer.alloc(64));
const inner = (src, dst) => ethernet(0x800, ip(17, src, dst, payload)); // 106 bytes
const vxlan = (vni, frame) => ethernet(0x800, ip(17, "172.16.1.100", "172.16.1.108", udp(4789, bytes([8, 0, 0, 0], u32(vni << 8), frame))));
const gre = (key, packet) =>
  ethernet(0x800, ip(47, "10.0.0.1", "10.0.0.2", key === null ? bytes(u16(0), u16(0x800), packet) : bytes(u16(0x2000), u16(0x800), u32(key), packet)));

const le32 = (...v) => Buffer.from(new Uint32Array(v).buffer);
const pcap = (frames) => Buffer.concat([le32(0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1),
  ...frames.flatMap((f, i) => [le32(1000 + i, 0, f.length, f.length), f])]);
const write = (name, data) => (writeFileSync(join(dir, name), data), join(dir, name));

const frames = [
  vxlan(10002, inner("192.168.2.1", "192.168.2.9")),
  vxlan(10002, inner("192.168.2.1", "192.168.2.9")),
  vxlan(10003, inner("192.168.2.1", "192.168.2.9")),
  vxlan(10002, ethernet(0x806, Buffer.alloc(28))),
  gre(null, ip(1, "1.1.1.1", "2.2.2.2", Buffer.alloc(64))),
  gre(0, ip(1, "1.1.1.1", "2.2.2.2", Buffer.alloc(64))),
  ethernet(0x800, ip(6, "10.0.0.1", "10.0.0.2", Buffer.alloc(20))),
  vxlan(10002, inner("192.168.2.1", "192.168.2.9")).subarray(0, 60),
];
const file = write("a.pcap", pcap(frames));

test("the flow table is what the contract says, with one vantage point", () => {
  const doc = json(file);
  assert.equal(doc.schema, "tunlab.flows/1");
  assert.equal(doc.source, file);
  assert.equal(doc.elapsed_s, 7);
  assert.equal(doc.flows.length, 5);
  assert.deepEqual(doc.flows[0], {
    encap: "vxlan", vni: 10002, outer_src: "172.16.1.100", outer_dst: "172.16.1.108", inner_src: "192.168.2.1",
    inner_dst: "192.168.2.9", inner_proto: "ipv4/udp", bum: false, packets: 2, bytes: 312, inner_bytes: 212,
  });
  const arp = doc.flows.find((f) => f.inner_proto === "arp");
  assert.deepEqual([arp.inner_src, arp.inner_dst, arp.packets], [null, null, 1]);
  assert.deepEqual(doc.flows.filter((f) => f.encap === "gre").map((f) => f.vni).sort(), [0, null]);
  assert.deepEqual(doc.other, { packets: 1, bytes: 54 });
  assert.equal(doc.monitor.seen, 8);
  assert.equal(doc.monitor.truncated, 1);
  assert.equal(doc.monitor.flows, 5);
});

test("--by groups, --top cuts and sums up the rest", () => {
  const by = (what) => json("--by", what, file).rows.map(({ packets, flows, ...row }) => [packets, flows, row]);
  assert.deepEqual(by("vni").map(([packets, flows, row]) => `${row.vni}: ${packets} of ${flows}`),
    ["10002: 3 of 2", "10003: 1 of 1", "0: 1 of 1", "null: 1 of 1"]);
  assert.deepEqual(by("outer").map(([packets, , row]) => `${row.outer_src}>${row.outer_dst} ${packets}`),
    ["172.16.1.100>172.16.1.108 4", "10.0.0.1>10.0.0.2 2"]);
  assert.deepEqual(by("inner").map(([packets, , row]) => `${row.vni} ${row.inner_src}>${row.inner_dst} ${packets}`).slice(0, 2),
    ["10002 192.168.2.1>192.168.2.9 2", "10003 192.168.2.1>192.168.2.9 1"]);
  const doc = json("--top", "2", file);
  assert.equal(doc.flows.length, 2);
  assert.equal(doc.rest.flows, 3);
  assert.equal(doc.rest.packets + doc.flows[0].packets + doc.flows[1].packets, 6);
  for (const row of json("--by", "outer", file).rows) assert.ok(!("received" in row) && !("src_host" in row));
});

test("a table for people has no columns that a capture cannot fill", () => {
  const r = replay([file]);
  assert.equal(r.status, 0);
  assert.match(r.stdout, /^ *VNI  INNER SRC/);
  assert.match(r.stdout, /10002  192\.168\.2\.1 +192\.168\.2\.9 +ipv4\/udp/);
  assert.doesNotMatch(r.stdout, /RECEIVED|FROM|received/);
  assert.match(r.stdout, /other: 1 packets/);
});

test("standard input, and a file that breaks off", () => {
  const whole = pcap(frames), r = replay(["--json", "-"], { input: whole });
  assert.equal(r.status, 0);
  assert.equal(JSON.parse(r.stdout).monitor.seen, 8);
  const cut = replay(["--json", write("cut.pcap", whole.subarray(0, whole.length - 10))]);
  assert.equal(cut.status, 2);
  assert.match(cut.stderr, /cut\.pcap is broken after 7 packets: /);
  assert.equal(JSON.parse(cut.stdout).monitor.seen, 7);
});

test("pcapng", () => {
  const block = (type, body) => Buffer.concat([le32(type, 12 + body.length), body, le32(12 + body.length)]);
  const packet = frames[0], padded = Buffer.concat([packet, Buffer.alloc(-packet.length & 3)]);
  const data = Buffer.concat([block(0x0a0d0d0a, le32(0x1a2b3c4d, 1, 0xffffffff, 0xffffffff)), block(1, le32(1, 65535)),
    block(6, Buffer.concat([le32(0, 0, 0, packet.length, packet.length), padded]))]);
  assert.deepEqual(json(write("a.pcapng", data)).flows.map((f) => [f.vni, f.packets]), [[10002, 1]]);
});

test("mistakes are named", () => {
  for (const [args, words] of [
    [["/nonexistent.pcap"], /cannot open \/nonexistent\.pcap: No such file/],
    [[bin], /cannot read .*: unknown file format/],
    [[dir], /it is a folder/],
    [["--by", "client", file], /--by client: want outer, inner, vni, host or flow/],
    [["--top", "0", file], /--top 0: want a whole number/],
    [[], /replay/],
  ]) {
    const r = replay(args);
    assert.equal(r.status, 2, args.join(" "));
    assert.match(r.stderr, words);
    assert.equal(r.stdout, "");
  }
});

// ---- the page ----

// Starts `replay --serve` and waits for its page; ask(path) gets from it, end(signal) ends it.
async function serve(...args) {
  const child = spawn(bin, ["replay", ...args, "--serve", "--listen", "127.0.0.1:0"], { ...nobody });
  const ended = new Promise((resolve) => child.once("close", (status, signal) => resolve({ status, signal })));
  let err = "";
  const url = await new Promise((resolve, reject) => {
    child.stderr.on("data", (data) => {
      err += data;
      const match = /page (http:\S+)/.exec(err);
      if (match) resolve(match[1]);
    });
    ended.then(() => reject(new Error(`no page: ${err}`)));
  });
  const ask = async (path, options) => {
    const answer = await fetchAlone(url + path, options);
    const body = await answer.text();
    return { status: answer.status, body, json: () => JSON.parse(body) };
  };
  return { ask, said: () => err, end: (signal) => (child.kill(signal), ended) };
}

test("--serve: the capture's seconds are the page's history, for a user without privilege", async () => {
  const second = (s, frame) => Buffer.concat([le32(5000 + s, 0, frame.length, frame.length), frame]);
  const one = vxlan(10002, inner("192.168.2.1", "192.168.2.9"));
  const long = write("long.pcap", Buffer.concat([pcap([]), ...Array.from({ length: 30 }, (_, s) => (s % 10 === 5 ? [one, one] : [one]).map((f) => second(s, f))).flat()]));
  const names = write("names", "172.16.1.100 left\n192.168.2.9 shop\n");
  const page = await serve(long, "--names", names);
  try {
    assert.match(page.said(), /long\.pcap: 1 flows in 29\.0 s, shown in steps of 1 s/);
    const lab = (await page.ask("api/v1/lab")).json();
    assert.deepEqual([lab.name, lab.kind, lab.interval_s, lab.clients, lab.vnis], ["long.pcap", "capture", 1, [], [{ vni: 10002, encap: "vxlan" }]]);
    assert.deepEqual(lab.hosts, [{ name: "left", vtep: "172.16.1.100" }, { name: "172.16.1.108", vtep: "172.16.1.108" }]);
    const { samples } = (await page.ask("api/v1/history")).json();
    assert.deepEqual(samples.map(({ packets }) => packets), Array.from({ length: 30 }, (_, s) => (s % 10 === 5 ? 2 : 1)));
    assert.equal(samples[0].time, 5001);
    const { flows, elapsed_s } = (await page.ask("api/v1/flows")).json();
    assert.deepEqual([flows.length, flows[0].packets, flows[0].dst_name, elapsed_s, "received" in flows[0]], [1, 33, "shop", 30, false]);
    assert.equal((await page.ask("api/v1/flows?host=left")).json().flows.length, 1);
    assert.equal((await page.ask("api/v1/flows?by=client")).status, 400);
    assert.equal((await page.ask("healthz")).json().status, "ok");
    assert.match((await page.ask("metrics")).body, /tunlab_sent_packets_total\{src_host="left",dst_host="172.16.1.108",vni="10002"\} 33\n/);
    const order = await page.ask("api/v1/traffic", { method: "POST", body: "{}" });
    assert.deepEqual([order.status, order.json().error], [403, "there is no lab here to change"]);
    assert.equal((await page.ask("api/v1/link/host0", { method: "POST", body: "{}" })).status, 403);
    assert.match((await page.ask("")).body, /<!doctype html>/);
  } finally {
    assert.deepEqual(await page.end("SIGINT"), { status: 130, signal: null });
  }
});

test("--serve: a capture longer than ten minutes has longer steps, and loses nothing", async () => {
  const day = write("day.pcap", Buffer.concat([pcap([]), ...Array.from({ length: 500 }, (_, i) => {
    const frame = vxlan(i % 3, inner("192.168.2.1", "192.168.2.9"));
    return Buffer.concat([le32(5000 + i * 173, 0, frame.length, frame.length), frame]);
  })]));
  const page = await serve(day);
  try {
    assert.match(page.said(), /steps of 300 s/);
    const { samples, span_s } = (await page.ask("api/v1/history")).json();
    assert.ok(samples.length <= 600 && span_s >= 499 * 173, `${samples.length} samples, ${span_s} s`);
    assert.equal(samples.reduce((sum, { packets }) => sum + packets, 0), 500);
  } finally {
    await page.end("SIGTERM");
  }
});

test("--serve: a broken capture is shown up to where it breaks; what cannot be served is said", async () => {
  const cut = write("cut.pcap", pcap([frames[0], frames[1], frames[0]]).subarray(0, -20));
  const page = await serve(cut);
  try {
    assert.match(page.said(), /broken after 2 packets/);
    assert.equal((await page.ask("api/v1/flows")).json().flows[0].packets, 2);
  } finally {
    await page.end("SIGINT");
  }
  for (const [args, text] of [
    [["-", "--serve"], /reads a capture twice, and standard input is no file/],
    [[join(dir, "none.pcap"), "--serve"], /none\.pcap: No such file/],
    [[write("text", "no capture at all, but long enough"), "--serve"], /cannot read .*text/],
    [[file, "--serve", "--json"], /leave out --json/],
    [[file, "--listen", "127.0.0.1:0"], /--listen goes with --serve/],
    [[file, "--serve", "--listen", "nowhere"], /want ADDR:PORT/],
    [[file, "--port", "vxlan"], /--port vxlan: want vxlan/],
  ]) {
    const r = replay(args, { input: "" });
    assert.equal(r.status, 2, `${args}: ${r.stderr}`);
    assert.match(r.stderr, text);
  }
});

test("ports and names are the user's choice", () => {
  const other = write("port.pcap", pcap([ethernet(0x800, ip(17, "172.16.1.100", "172.16.1.108", udp(9999, bytes([8, 0, 0, 0], u32(7 << 8), inner("1.1.1.1", "2.2.2.2")))))]));
  assert.equal(json(other).flows.length, 0);
  assert.equal(json(other, "--port", "vxlan=9999").flows[0].vni, 7);
  const named = json(other, "--port", "vxlan=9999", "--names", write("names2", "172.16.1.108 right\n1.1.1.1 one\n")).flows[0];
  assert.deepEqual([named.src_host, named.dst_host, named.src_name, named.dst_name], ["172.16.1.100", "right", "one", null]);
  assert.ok(!("src_host" in json(other, "--port", "vxlan=9999").flows[0]));
});
