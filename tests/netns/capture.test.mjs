// SPDX-License-Identifier: Apache-2.0
// tunlab capture on a real lab: what it writes is what went, and it never stands in anybody's way. Files are read block by block here;
// libpcap reads them in tests/unit/pcapng_test.c.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { after, skip, test } from "../lib/tap.mjs";
import { Child, Lab, eventually, isRoot, leftNothing, machineState, run, sleep, tunlab, scratch } from "../lib/lab.mjs";

let lab;
const folder = scratch("capture");
if (isRoot) lab = await Lab.start("idle", ["--set", "lab.hosts=3", "--set", "lab.vnis=10000-10001", "--set", "vni 10001.subnet=192.168.0.0/24"]);
const on = (name, fn) => test(name, () => (lab ? fn() : skip("needs root")));

function pcapng(bytes) {
  const file = { interfaces: [], packets: [], names: {}, statistics: [] };
  const options = (b, at) => {
    const o = {};
    for (let code; at + 4 <= b.length && (code = b.readUInt16LE(at)); at += 4 + ((b.readUInt16LE(at + 2) + 3) & ~3))
      o[code] = b.subarray(at + 4, at + 4 + b.readUInt16LE(at + 2));
    return o;
  };
  const address = (b) => (b.length === 4 ? [...b].join(".") : b.toString("hex"));
  const time = (b, at) => (BigInt(b.readUInt32LE(at)) << 32n) | BigInt(b.readUInt32LE(at + 4));
  for (let at = 0, len; at < bytes.length; at += len) {
    len = bytes.readUInt32LE(at + 4);
    assert.equal(bytes.readUInt32LE(at + len - 4), len, "both lengths of a block");
    const type = bytes.readUInt32LE(at), b = bytes.subarray(at + 8, at + len - 4);
    if (at === 0) assert.equal(type, 0x0a0d0d0a);
    if (type === 1) file.interfaces.push({ link: b.readUInt16LE(0), name: `${options(b, 8)[2]}`, resolution: options(b, 8)[9][0] });
    if (type === 4)
      for (let r = 0, n; b.readUInt16LE(r); r += 4 + ((n + 3) & ~3)) {
        n = b.readUInt16LE(r + 2);
        const a = b.readUInt16LE(r) === 1 ? 4 : 16;
        file.names[address(b.subarray(r + 4, r + 4 + a))] = `${b.subarray(r + 4 + a, r + 3 + n)}`;
      }
    if (type === 5) file.statistics.push({ interface: b.readUInt32LE(0), received: Number(options(b, 12)[4].readBigUInt64LE()), dropped: Number(options(b, 12)[5].readBigUInt64LE()) });
    if (type === 6) {
      const n = b.readUInt32LE(12), o = options(b, 20 + ((n + 3) & ~3));
      file.packets.push({ interface: b.readUInt32LE(0), ns: time(b, 4), captured: n, len: b.readUInt32LE(16), direction: o[2].readUInt32LE(0) & 3, data: b.subarray(20, 20 + n) });
    }
  }
  return file;
}

const isUdpTo = (p, port) => p.data.readUInt16BE(12) === 0x0800 && p.data[23] === 17 && p.data.readUInt16BE(36) === port;
async function started(...args) {
  const child = new Child(["capture", "--lab", lab.name, ...args]);
  await child.waitFor(/capturing in/);
  return child;
}

on("a client's packets, each once, with names, direction, nanoseconds and statistics", async () => {
  const file = `${folder}/c0.pcapng`;
  const child = await started("c0", "-w", file);
  lab.run("traffic", "--client", "c0", "--to", "host1", "--count", "50", "--rate", "1kpps", "--size", "200");
  lab.run("traffic", "--client", "c2", "--to", "host0", "--count", "30", "--rate", "1kpps"); // c2 is on host1
  assert.deepEqual(await child.kill("SIGINT"), { status: 0, signal: null });
  const f = pcapng(readFileSync(file));
  const sent = f.packets.filter((p) => isUdpTo(p, 7654) && p.direction === 2), got = f.packets.filter((p) => isUdpTo(p, 7654) && p.direction === 1);
  assert.equal(sent.length, 50);
  assert.equal(got.length, 30);
  assert.ok(sent.every((p) => p.len === 14 + 20 + 200 && p.captured === p.len));
  assert.deepEqual(f.interfaces, [{ link: 1, name: "eth0", resolution: 9 }]);
  assert.deepEqual(f.names, { "172.16.1.100": "host0", "172.16.1.101": "host1", "172.16.1.102": "host2" }, "inner addresses are not unique here");
  assert.deepEqual(f.statistics, [{ interface: 0, received: f.packets.length, dropped: 0 }]);
  assert.ok(f.packets.some((p) => p.ns % 1000n), "nanoseconds");
  assert.ok(Math.abs(Number(sent[0].ns / 1000000n) - Date.now()) < 60_000);
  assert.match(child.err, new RegExp(`captured ${f.packets.length} packets`));
});

on("a host: all its interfaces by name, and one alone; the tunnel's packets on it", async () => {
  const all = await started("host0", "-w", `${folder}/all.pcapng`), eth0 = await started("host0", "--interface", "eth0", "-w", `${folder}/eth0.pcapng`);
  lab.run("traffic", "--client", "c0", "--to", "host1", "--count", "20", "--rate", "1kpps");
  for (const child of [all, eth0]) assert.equal((await child.kill("SIGINT")).status, 0);
  const a = pcapng(readFileSync(`${folder}/all.pcapng`)), e = pcapng(readFileSync(`${folder}/eth0.pcapng`));
  const names = a.interfaces.map((i) => i.name);
  for (const name of ["eth0", "c0", "vxlan10000"]) assert.ok(names.includes(name), `${names}`);
  assert.deepEqual(e.interfaces.map((i) => i.name), ["eth0"]);
  const tunnelled = (f) => f.packets.filter((p) => f.interfaces[p.interface].name === "eth0" && isUdpTo(p, 4789) && p.data.readUInt16BE(42 + 8 + 36) === 7654);
  assert.equal(tunnelled(a).length, 20);
  assert.equal(tunnelled(e).length, 20);
  assert.equal(a.statistics.reduce((n, s) => n + s.received, 0), a.packets.length);
});

on("--count and --duration end it; - is standard output; lines for people", async () => {
  const ping = new Child(["exec", "--lab", lab.name, "c0", "--", "ping", "-i", "0.02", "192.168.0.2"]);
  try {
    await ping.waitFor(/bytes from/);
    const text = run(["capture", "host0", "--lab", lab.name, "--interface", "eth0", "--text", "--count", "20"]);
    assert.equal(text.status, 0, text.err);
    const lines = text.out.trim().split("\n");
    assert.equal(lines.length, 20);
    const icmp = lines.find((l) => l.includes("icmp")); // hosts report their multicast groups for some time, too
    assert.match(icmp, /^\d\d:\d\d:\d\d\.\d{9} eth0 +(in|out) +172\.16\.1\.10\d > 172\.16\.1\.10\d vxlan 10000: 192\.168\.0\.\d > 192\.168\.0\.\d ipv4\/icmp, \d+ bytes$/);
    for (const args of [["-w", "-"], []]) {
      const binary = run(["capture", "c0", "--lab", lab.name, "--count", "4", ...args], { encoding: "buffer" });
      assert.equal(pcapng(binary.out).packets.length, 4);
    }
    assert.equal(run(["capture", "c0", "--lab", lab.name, "--duration", "300ms", "-w", "/dev/null"]).status, 0);
    const terminal = run(["-qec", `${tunlab} capture c0 --lab ${lab.name} --count 2`, "/dev/null"], { bin: "script" });
    assert.match(terminal.out, /192\.168\.0\.1 > 192\.168\.0\.2 ipv4\/icmp/, "a line a packet on a terminal");
    assert.match(run(["-qec", `${tunlab} capture c0 --lab ${lab.name} --count 2 -w -`, "/dev/null"], { bin: "script" }).out, /would write pcapng to the terminal/);
    const piped = run(["-c", `${tunlab} capture c0 --lab ${lab.name} -w - | head -c 500 | wc -c; echo $PIPESTATUS`], { bin: "bash", timeout: 20_000 });
    assert.equal(piped.out, "500\n0\n", "a reader that has seen enough ends it");
  } finally {
    await ping.kill("SIGTERM");
  }
});

on("it gave up its privileges; SIGTERM ends it with a whole file", async () => {
  const child = await started("fabric", "-w", `${folder}/fabric.pcapng`);
  assert.match(readFileSync(`/proc/${child.pid}/status`, "utf8"), /^CapEff:\s0+$/m);
  lab.exec("c0", "ping", "-c2", "-i0.1", "192.168.0.2");
  assert.deepEqual(await child.kill("SIGTERM"), { status: 143, signal: null });
  const f = pcapng(readFileSync(`${folder}/fabric.pcapng`));
  assert.ok(f.interfaces.some((i) => i.name === "p0") && f.packets.length > 0);
});

on("a reader that does not read: drops are counted, traffic goes on, Ctrl-C ends it", async () => {
  const child = spawn(tunlab, ["capture", "host0", "--lab", lab.name, "-w", "-"], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((r) => child.on("exit", (status) => r(status))); // its output stays unread
  let err = "";
  child.stderr.on("data", (d) => (err += d));
  child.stdout.pause();
  try {
    assert.ok(await eventually(() => /capturing in/.test(err)), err);
    const r = lab.run("traffic", "--client", "c0", "--to", "host1", "--rate", "4kpps", "--size", "1400", "--count", "6000", "--json");
    const sum = JSON.parse(r.out.trim().split("\n").at(-1));
    assert.deepEqual([sum.sent, sum.received], [6000, 6000], "four interfaces, 30 MB: more than the ring and a pipe hold");
    child.kill("SIGINT");
    assert.equal(await ended, 0);
    assert.ok(await eventually(() => /\d+ more were dropped/.test(err)), err);
  } finally {
    child.kill("SIGKILL");
  }
});

on("mistakes are told before a file is touched", () => {
  const file = `${folder}/precious`;
  writeFileSync(file, "precious");
  for (const args of [["c99", "-w", file], ["c0", "--interface", "eth7", "-w", file], ["c0", "--count", "0"], ["c0", "--duration", "0s"], ["c0", "--text", "-w", file]]) {
    const r = run(["capture", "--lab", lab.name, ...args]);
    assert.equal(r.status, 2, `${args}: ${r.err}`);
    assert.ok(r.err);
  }
  assert.equal(readFileSync(file, "utf8"), "precious");
  const nowhere = run(["capture", "--lab", lab.name, "c0", "-w", `${folder}/no/such`]);
  assert.deepEqual([nowhere.status, nowhere.err], [2, `tunlab: cannot write ${folder}/no/such: No such file or directory\n`]); // as of a report
  assert.match(run(["capture", "--lab", lab.name, "c0", "-w"]).err, /wants a value/);
  const full = run(["capture", "--lab", lab.name, "c0", "-w", "/dev/full"]);
  assert.equal(full.status, 3);
  assert.match(full.err, /\/dev\/full: No space left/);
});

for (const [how, end] of [["stopped", (l) => l.stop()], ["killed", (l) => l.child.kill("SIGKILL")]])
  on(`a capture ends with its lab, ${how}, and holds no namespace`, async () => {
    const before = machineState(), other = await Lab.start("default");
    const child = new Child(["capture", "host1", "--lab", other.name, "-w", `${folder}/end.pcapng`]);
    await child.waitFor(/capturing in/);
    await sleep(300);
    await end(other);
    assert.deepEqual(await child.ended, { status: 0, signal: null });
    assert.ok(pcapng(readFileSync(`${folder}/end.pcapng`)).packets.length > 0);
    await leftNothing(before, { killed: how === "killed" });
  });

after(async () => {
  await lab?.stop();
});
