// SPDX-License-Identifier: Apache-2.0
// `tunlab monitor` on interfaces that somebody else made: two namespaces, joined by a veth pair, with a vxlan device each, set up by
// iproute2 as on a user's machine.
//
//     here (unshare -n)                          there (unshare -n)
//     vx0 192.168.7.1                            vx0 192.168.7.2
//     a0 10.9.0.1  ●────────── veth ──────────   b0 10.9.0.2
//                  the monitor
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { after, test, skip } from "../lib/tap.mjs";
import { Child, eventually, have, isRoot, json, labName, leftNothing, machineState, run, scratch, tunlab } from "../lib/lab.mjs";

const folder = scratch("monitor");
const namesFile = `${folder}/names`;
writeFileSync(namesFile, "10.9.0.1 alpha\n10.9.0.2 beta # the other\n192.168.7.2 shop\n");

// A namespace lives as long as its process.
class Namespace {
  static async open() {
    const ns = new Namespace();
    ns.process = spawn("unshare", ["-n", "sh", "-c", "echo ready; exec sleep 600"], { stdio: ["ignore", "pipe", "inherit"] });
    namespaces.push(ns);
    await new Promise((resolve, reject) => {
      ns.process.stdout.once("data", resolve);
      ns.process.once("close", () => reject(new Error("no namespace")));
    });
    return ns;
  }
  try(...command) {
    return spawnSync("nsenter", ["-t", String(this.process.pid), "-n", ...command], { encoding: "utf8" });
  }
  sh(text) {
    const r = this.try("sh", "-ec", text);
    if (r.status !== 0) throw new Error(`${text}: ${r.stderr}${r.stdout}`);
    return r.stdout;
  }
  child(...args) {
    return new Child(["-t", String(this.process.pid), "-n", tunlab, ...args], { bin: "nsenter" });
  }
}
const namespaces = [];
let here, there, before;
after(() => {
  for (const { process } of namespaces) process.kill("SIGKILL");
});

const vxlan = (dev, local, remote, inner) =>
  `ip link add vx0 type vxlan id 42 local ${local} remote ${remote} dstport 4789 dev ${dev}; ` +
  `ip addr add ${inner}/24 dev vx0; ip link set vx0 up`;

function wire() {
  here.sh(`ip link add a0 type veth peer name b0 netns ${there.process.pid}; sysctl -qw net.ipv6.conf.a0.disable_ipv6=1;
    ip addr add 10.9.0.1/24 dev a0; ip link set a0 up`);
  there.sh("sysctl -qw net.ipv6.conf.b0.disable_ipv6=1; ip addr add 10.9.0.2/24 dev b0; ip link set b0 up");
  here.sh(vxlan("a0", "10.9.0.1", "10.9.0.2", "192.168.7.1"));
  there.sh(vxlan("b0", "10.9.0.2", "10.9.0.1", "192.168.7.2"));
  // Who has which address is settled, in the tunnel and outside: what follows is pings only.
  here.sh("ping -c1 -W2 192.168.7.2 >/dev/null");
  for (const [ns, dev, peer] of [[here, "a0", "10.9.0.2"], [here, "vx0", "192.168.7.2"], [there, "b0", "10.9.0.1"], [there, "vx0", "192.168.7.1"]])
    ns.sh(`ip neigh change ${peer} dev ${dev} nud permanent`);
}

async function ready() {
  if (!isRoot) skip("needs root");
  for (const command of ["ip", "tc", "unshare", "nsenter", "ping"]) if (!have(command)) skip(`needs ${command}`);
  if (here) return;
  before = machineState();
  [here, there] = [await Namespace.open(), await Namespace.open()];
  // IPv6 would talk by itself, on devices that are yet to be made as well.
  for (const ns of [here, there]) ns.sh("sysctl -qw net.ipv6.conf.default.disable_ipv6=1; ip link set lo up");
  wire();
}

class Monitor {
  static async start(...args) {
    const m = new Monitor();
    m.name = labName("monitor");
    m.child = here.child("monitor", "--name", m.name, "--names", namesFile, ...(args.includes("--headless") ? [] : ["--listen", "127.0.0.1:0"]),
      ...args);
    await m.child.waitFor(/watching (.*) \(by (\w+)\)/);
    m.hook = /\(by (\w+)\)/.exec(m.child.err)[1];
    m.url = args.includes("--headless") ? null : (await m.child.waitFor(/page (http:\S+)/))[1];
    await eventually(() => run(["status", "--lab", m.name]).status === 0);
    return m;
  }
  status() {
    return json(["status", "--lab", this.name, "--json"]).labs[0];
  }
  flows(...args) {
    return json(["flows", "--lab", this.name, "--json", ...args]);
  }
  // nsenter is replaced by tunlab: its pid is the monitor's.
  proc(file) {
    return readFileSync(`/proc/${this.child.pid}/${file}`, "utf8");
  }
  async stop() {
    if (!this.child.exit) run(["stop", "--lab", this.name]);
    return await this.child.ended;
  }
}

const countersOf = (dev) => {
  const { stats64: { tx, rx } } = JSON.parse(here.sh(`ip -s -j link show dev ${dev}`))[0];
  return { tx: tx.packets, rx: rx.packets, txBytes: tx.bytes, rxBytes: rx.bytes };
};

const ping = (n, size = 100) => here.sh(`ping -q -i 0.002 -c ${n} -s ${size} -W2 192.168.7.2`);
const filters = (dev = "a0") => here.sh(`tc qdisc show dev ${dev}; tc filter show dev ${dev} ingress; tc filter show dev ${dev} egress`);
const hooks = ["tcx", "clsact"];

async function start(hook, ...args) {
  await ready();
  if (hook === "tcx") {
    const tried = here.child("monitor", "--dev", "lo", "--headless", "--duration", "1ms", "--hook", "tcx", "--name", labName("probe"));
    await tried.ended;
    if (/no TCX/.test(tried.err)) skip("this kernel has no TCX (6.6)");
  }
  return Monitor.start("--dev", "a0", "--hook", hook, ...args);
}

for (const hook of hooks)
  test(`${hook}: counts equal the interface's, and what ping sent`, async () => {
    const monitor = await start(hook);
    try {
      const was = countersOf("a0");
      const seen = monitor.status().monitor.seen;
      ping(400, 100);
      const is = countersOf("a0");
      const { flows, other, monitor: health } = monitor.flows();
      assert.equal(health.seen - seen, is.tx - was.tx + is.rx - was.rx, "seen");
      const frame = 14 + 20 + 8 + 8 + 14 + 20 + 8 + 100;
      const out = flows.find((f) => f.inner_src === "192.168.7.1"), back = flows.find((f) => f.inner_src === "192.168.7.2");
      assert.deepEqual([out.packets, out.bytes, out.received.packets], [400, 400 * frame, 0]);
      assert.deepEqual([back.packets, back.received.packets, back.received.bytes], [0, 400, 400 * frame]);
      assert.deepEqual([out.encap, out.vni, out.outer_src, out.outer_dst, out.inner_proto], ["vxlan", 42, "10.9.0.1", "10.9.0.2", "ipv4/icmp"]);
      assert.deepEqual([out.src_host, out.dst_host, out.src_name, out.dst_name], ["alpha", "beta", null, "shop"]);
      assert.ok(!("src_client" in out));
      assert.equal(other.packets + 400, is.tx - was.tx);
    } finally {
      await monitor.stop();
    }
    assert.doesNotMatch(filters(), /clsact|observe/);
  });

test("status, flows, page and metrics tell of the same, by name", async () => {
  const monitor = await start("clsact");
  try {
    ping(10);
    const status = monitor.status();
    assert.equal(status.kind, "monitor");
    assert.equal(status.state, "running");
    assert.deepEqual(status.devices, [{ name: "a0", attached: true, how: "clsact" }]);
    assert.deepEqual(status.hosts.map(({ name }) => name).sort(), ["alpha", "beta"]);
    assert.match(run(["status", "--lab", monitor.name]).out, /a0 +watched +clsact/);
    assert.match(run(["flows", "--lab", monitor.name]).out, /shop.*alpha +beta +10/);
    const { rows } = monitor.flows("--by", "outer");
    assert.deepEqual(new Set(rows.map((r) => `${r.src_host}>${r.dst_host}`)), new Set(["alpha>beta", "beta>alpha"]));
    for (const [args, word] of [[["flows", "--by", "client"], /want outer, inner, vni.* or flow$/m], [["exec", "c0", "--", "true"], /no lab/],
      [["link", "host0", "down"], /no lab/], [["traffic", "--client", "c0"], /no lab/]]) {
      const r = run([args[0], "--lab", monitor.name, ...args.slice(1)]);
      assert.equal([2, 3].includes(r.status), true, `${args}: ${r.status}`);
      assert.match(r.err, word);
    }
    // The page's server stands in the namespace, too.
    const get = (path) => here.sh(`${process.execPath} -e '
      fetch("${monitor.url}${path}").then(async (r) => process.stdout.write(r.status + " " + await r.text()))'`);
    await eventually(() => JSON.parse(get("api/v1/flows?by=vni").slice(4)).rows[0]?.packets >= 10);
    const lab = JSON.parse(get("api/v1/lab").slice(4));
    assert.equal(lab.kind, "monitor");
    assert.deepEqual(lab.clients, []);
    assert.deepEqual(lab.vnis, [{ vni: 42, encap: "vxlan" }]);
    assert.deepEqual(lab.names, [{ address: "192.168.7.2", name: "shop" }]);
    assert.match(get("metrics"), /tunlab_sent_packets_total\{src_host="alpha",dst_host="beta",vni="42"\} 10\n/);
    assert.match(get("api/v1/flows?host=beta"), /^200 /);
    assert.match(get("api/v1/flows?host=10.9.0.1"), /^200 /);
    assert.match(get("api/v1/flows?host=gamma"), /^400 .*no host gamma/);
    assert.match(get("data/tunnel.json?host=alpha"), /"outer_sip":"10.9.0.1"/);
    assert.match(get("healthz"), /^200 /);
    assert.match(get(""), /<!doctype html>/);
  } finally {
    await monitor.stop();
  }
});

for (const hook of hooks)
  test(`${hook}: SIGKILL leaves nothing`, async () => {
    const monitor = await start(hook);
    if (hook === "clsact") assert.match(filters(), /observe/);
    await monitor.child.kill("SIGKILL");
    await eventually(() => !/clsact|observe/.test(filters()));
    assert.doesNotMatch(filters(), /clsact|observe/);
    assert.ok(await eventually(() => !existsSync(`/run/tunlab/${monitor.name}.sock`)), "the control socket's file");
  });

// A program of somebody else's, which lets everything go on (TC_ACT_UNSPEC) to whatever comes after it.
const foreign = (direction, priority) =>
  here.sh(`tc filter add dev a0 ${direction} prio ${priority} handle 5 bpf da bytecode '1,6 0 0 4294967295,' flowid 1:1`);

test("filters and a qdisc of others stay", async () => {
  await ready();
  here.sh("tc qdisc add dev a0 clsact");
  foreign("ingress", 7);
  foreign("egress", 49152);
  const alone = filters();
  for (const how of ["stop", "SIGKILL"]) {
    const monitor = await start("clsact");
    ping(5);
    assert.equal(monitor.flows().flows.find((f) => f.inner_src === "192.168.7.2").received.packets, 5);
    assert.match(filters(), /observe/);
    if (how === "stop") await monitor.stop();
    else await monitor.child.kill(how);
    await eventually(() => !/observe/.test(filters()));
    assert.equal(filters(), alone, how);
  }
  // A filter that comes while we are there keeps the qdisc that we made.
  here.sh("tc qdisc del dev a0 clsact");
  const monitor = await start("clsact");
  foreign("ingress", 9);
  await monitor.stop();
  assert.match(filters(), /clsact/);
  assert.match(filters(), /pref 9 bpf/);
  assert.doesNotMatch(filters(), /observe/);
  here.sh("tc qdisc del dev a0 clsact");
});

for (const hook of hooks)
  test(`${hook}: two monitors watch one interface, and each leaves the other alone`, async () => {
    const first = await start(hook), second = await start(hook);
    try {
      ping(20);
      for (const m of [first, second]) assert.equal(m.flows().flows.find((f) => f.inner_src === "192.168.7.1").packets, 20);
      await first.stop();
      ping(20);
      assert.equal(second.flows().flows.find((f) => f.inner_src === "192.168.7.1").packets, 40);
    } finally {
      await first.stop();
      await second.stop();
    }
    assert.doesNotMatch(filters(), /observe/);
    // The second did not make the qdisc, the first could not remove it: it stays, empty.
    if (hook === "clsact") here.sh("tc qdisc del dev a0 clsact");
  });

for (const hook of hooks)
  test(`${hook}: an interface that goes is waited for, counts are kept`, async () => {
    const monitor = await start(hook);
    try {
      ping(30);
      here.sh("ip link del a0");
      await monitor.child.waitFor(/a0 is gone/);
      assert.equal(monitor.status().state, "waiting for a0");
      assert.match(run(["status", "--lab", monitor.name]).out, /waiting for a0/);
      assert.equal(monitor.flows().flows.find((f) => f.inner_src === "192.168.7.1").packets, 30);
      here.sh("ip link del vx0 2>/dev/null || true");
      there.sh("ip link del vx0 2>/dev/null || true");
      wire();
      await monitor.child.waitFor(/a0 is back/);
      assert.equal(monitor.status().state, "running");
      const then = monitor.flows().flows.find((f) => f.inner_src === "192.168.7.1").packets;
      ping(30);
      assert.equal(monitor.flows().flows.find((f) => f.inner_src === "192.168.7.1").packets, then + 30);
      assert.deepEqual(monitor.status().events.map((e) => e.do), ["a0 is gone; waiting for it", "a0 is back"]);
    } finally {
      await monitor.stop();
    }
    assert.doesNotMatch(filters(), /clsact|observe/);
  });

test("an interface that is renamed is waited for under its name", async () => {
  const monitor = await start("clsact");
  try {
    here.sh("ip link set a0 down; ip link set a0 name other0");
    await monitor.child.waitFor(/a0 is gone/);
    assert.doesNotMatch(filters("other0"), /clsact|observe/);
    here.sh("ip link set other0 name a0; ip link set a0 up");
    await monitor.child.waitFor(/a0 is back/);
  } finally {
    await monitor.stop();
    here.try("sh", "-c", "ip link set other0 name a0; ip link set a0 up");
  }
});

test("privileges: what reading and attaching again takes, no more", async () => {
  const monitor = await start("clsact");
  try {
    const caps = (status) => BigInt(`0x${/CapEff:\s*(\S+)/.exec(status)[1]}`);
    const NET_ADMIN = 1n << 12n, BPF = 1n << 39n;
    assert.equal(caps(monitor.proc("status")), NET_ADMIN | BPF);
    assert.match(monitor.proc("status"), /NoNewPrivs:\s*1/);
    for (const thread of readdirSync(`/proc/${monitor.child.pid}/task`))
      assert.equal(caps(monitor.proc(`task/${thread}/status`)), NET_ADMIN | BPF, thread);
    const guards = monitor.proc(`task/${monitor.child.pid}/children`).trim().split(" ");
    assert.equal(guards.length, 2);
    for (const pid of guards) {
      const more = () => caps(readFileSync(`/proc/${pid}/status`, "utf8")) & ~NET_ADMIN;
      await eventually(() => more() === 0n);
      assert.equal(more(), 0n, pid);
    }
  } finally {
    await monitor.stop();
  }
});

test("ports are the user's choice", async () => {
  await ready();
  here.sh("ip link add vx9 type vxlan id 9 local 10.9.0.1 remote 10.9.0.2 dstport 9999 dev a0; ip addr add 192.168.9.1/24 dev vx9; ip link set vx9 up");
  there.sh("ip link add vx9 type vxlan id 9 local 10.9.0.2 remote 10.9.0.1 dstport 9999 dev b0; ip addr add 192.168.9.2/24 dev vx9; ip link set vx9 up");
  const monitor = await start("clsact", "--port", "vxlan=4789,9999", "--parser", "tailcall");
  try {
    here.sh("ping -q -i 0.01 -c 5 192.168.9.2");
    const flow = monitor.flows().flows.find((f) => f.inner_src === "192.168.9.1" && f.inner_proto === "ipv4/icmp");
    assert.deepEqual([flow.vni, flow.packets], [9, 5]);
  } finally {
    await monitor.stop();
    here.sh("ip link del vx9");
    there.sh("ip link del vx9");
  }
});

test("headless: the table at the end, or a line of JSON a second", async () => {
  await ready();
  const table = here.child("monitor", "--dev", "a0", "--headless", "--duration", "1500ms", "--name", labName("table"), "--names", namesFile);
  await table.waitFor(/watching/);
  ping(7);
  assert.deepEqual((await table.ended).status, 0);
  assert.match(table.out, /42 .*alpha +beta +7 /);
  const lines = here.child("monitor", "a0", "--headless", "--json", "--duration", "2500ms", "--name", labName("json"));
  assert.equal((await lines.ended).status, 0);
  const docs = lines.out.trim().split("\n").map((line) => JSON.parse(line));
  assert.equal(docs.length, 2);
  for (const doc of docs) assert.equal(doc.schema, "tunlab.flows/1");
  // Ctrl-C is an end like any other.
  const cut = here.child("monitor", "--dev", "a0", "--headless", "--name", labName("cut"));
  await cut.waitFor(/watching/);
  assert.equal((await cut.kill("SIGINT")).status, 130);
});

test("what cannot be is said, with what can", async () => {
  await ready();
  const tell = (...args) => here.try(tunlab, "monitor", ...args, "--name", labName("no"));
  const bad = `${folder}/bad`;
  writeFileSync(bad, "10.0.0.1 ok\nnonsense here\n10.0.0.2 <b>\n");
  for (const [args, status, text] of [
    [["--dev", "nope0"], 2, /no interface 'nope0': there are .*a0/],
    [[], 2, /say which interfaces to watch.*a0/],
    [["--dev", "a0", "--names", bad], 2, /bad:2: .*\n.*bad:3: /],
    [["--dev", "a0", "--names", `${folder}/none`], 2, /cannot read names from .*none: No such file/],
    [["--dev", "a0", "--port", "gre=1"], 2, /--port gre=1: want vxlan/],
    [["--dev", "a0", "--hook", "xdp"], 2, /no hook 'xdp': want tcx or clsact/],
    [["--dev", "a0", "--duration", "soon"], 2, /--duration soon/],
    [["--dev", "a0", "--parser", "yacc"], 2, /direct.*tailcall/],
    [["--dev", "a0", "--headless", "--listen", "127.0.0.1:0"], 2, /exclude each other/],
  ]) {
    const r = tell(...args);
    assert.equal(r.status, status, `${args}: ${r.status} ${r.stderr}`);
    assert.match(r.stderr, text);
  }
  // A device of GRE, whose packets are not the same in both directions, is refused by name, where this kernel makes one.
  if (here.try("ip", "link", "add", "gre9", "type", "gre", "local", "10.9.0.1", "remote", "10.9.0.2").status === 0) {
    const r = tell("--dev", "gre9", "--listen", "127.0.0.1:0");
    assert.equal(r.status, 3);
    assert.match(r.stderr, /cannot watch gre9: .*Ethernet header/);
    here.sh("ip link del gre9");
  }
});

// Gives every packet back that leaves by tun9, its outer addresses exchanged, until its input ends.
const mirror = `import fcntl, os, select, struct, sys
fd = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(fd, 0x400454ca, struct.pack("16sH22x", b"tun9", 0x1001)) # TUNSETIFF, IFF_TUN | IFF_NO_PI
print("open", flush=True)
while not sys.stdin in (ready := select.select([fd, sys.stdin], [], [])[0]):
    p = os.read(fd, 2000)
    os.write(fd, p[:12] + p[16:20] + p[12:16] + p[20:] if p[0] >> 4 == 4 else p[:8] + p[24:40] + p[8:24] + p[40:])
`;
// VXLAN as from anybody's VTEP: a datagram's payload.
const vxlanPacket = "0800000000002a00" + "020000000002020000000001" + "0800" + "4500001c0000000040110000c0a80701c0a80702" + "0001000200080000";

for (const hook of hooks)
  test(`${hook}: packets that begin with an IP header (tun, WireGuard)`, async () => {
    await ready();
    if (!existsSync("/dev/net/tun") || !have("python3")) skip("needs /dev/net/tun and python3");
    const tun = spawn("nsenter", ["-t", String(here.process.pid), "-n", "python3", "-c", mirror], { stdio: ["pipe", "pipe", "inherit"] });
    let monitor;
    try {
      await new Promise((resolve) => tun.stdout.once("data", resolve).once("close", resolve));
      here.sh("ip addr add 10.77.0.1/24 dev tun9; sysctl -qw net.ipv6.conf.tun9.disable_ipv6=0; ip addr add fd77::1/64 dev tun9 nodad; ip link set tun9 up");
      await start(hook).then((m) => m.stop()); // skips where there is no such hook
      monitor = await Monitor.start("--dev", "tun9", "--hook", hook);
      here.sh(`${process.execPath} -e '
        const packet = Buffer.from("${vxlanPacket}", "hex");
        for (const [family, to] of [["udp4", "10.77.0.2"], ["udp6", "fd77::2"]]) {
          const socket = require("node:dgram").createSocket(family);
          let left = 5;
          const next = () => (left-- ? socket.send(packet, 4789, to, next) : socket.close());
          next();
        }'`);
      const flows = () => monitor.flows().flows;
      assert.ok(await eventually(() => flows().reduce((n, f) => n + f.received.packets, 0) === 10), JSON.stringify(flows()));
      for (const [outer, bytes] of [["10.77.0", 78], ["fd77:", 98]]) {
        const out = flows().find((f) => f.outer_src === `${outer}${outer.endsWith(":") ? ":" : "."}1`);
        assert.deepEqual([out.encap, out.vni, out.inner_src, out.inner_dst, out.inner_proto], ["vxlan", 42, "192.168.7.1", "192.168.7.2", "ipv4/udp"]);
        assert.deepEqual([out.packets, out.bytes, out.inner_bytes, out.received.packets], [5, 5 * bytes, 5 * 42, 0]);
      }
      assert.equal(flows().length, 4);
    } finally {
      await monitor?.stop();
      tun.stdin.end();
      await new Promise((resolve) => (tun.exitCode === null ? tun.once("close", resolve) : resolve()));
    }
  });

test("top: no clients here, so pairs are shown, and the key for clients does nothing", async () => {
  const monitor = await start("clsact");
  let top;
  try {
    ping(10);
    const lines = new Child(["top", "--lab", monitor.name, "--json"]);
    await lines.waitFor(/"192\.168\.7\.2".*\n/);
    await lines.kill("SIGTERM");
    assert.equal(JSON.parse(lines.out.split("\n")[0]).by, "inner");
    const asked = run(["top", "--lab", monitor.name, "--json", "--by", "clients"]);
    assert.deepEqual([asked.status, asked.out], [2, ""]);
    assert.match(asked.err, /want outer, inner, vni, host or flow/);
    top = new Child(["100", "16", tunlab, "top", "--lab", monitor.name], { bin: tunlab.replace(/tunlab$/, "tests/lib/terminal"),
      stdio: ["pipe", "pipe", "pipe", "pipe"], env: { ...process.env, TERM: "xterm", NO_COLOR: "1" } });
    await top.waitFor(/\[pairs\] [^]*192\.168\.7\.1 [^]*p v h: view/);
    top.process.stdin.write("ch");
    await top.waitFor(/\[hosts\] [^]*alpha [^]*q: quit/);
    top.process.stdin.write("\t");
    await top.waitFor(/\[hosts\] [^]*\[pairs\] [^]*q: quit/);
    top.process.stdin.write("q");
    assert.equal((await top.ended).status, 0, top.err);
    assert.doesNotMatch(top.out.slice(top.out.indexOf("[pairs]")), /clients/);
  } finally {
    await top?.kill();
    await monitor.stop();
  }
});

test("everything is gone afterwards", async () => {
  await ready();
  for (const { process } of namespaces) process.kill("SIGKILL");
  await leftNothing(before, { killed: true });
});
