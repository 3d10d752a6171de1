// SPDX-License-Identifier: Apache-2.0
// `tunlab traffic` as a user types it: its lines, its summary, its objects, its refusals and its ends. Counts are asserted, never
// how fast this machine is.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { after, skip, test } from "../lib/tap.mjs";
import { Child, Lab, droppedAtFullQueues, eventually, isRoot, labName, needRoot, run, runBeside, scratch, sleep, tunlab } from "../lib/lab.mjs";

const dir = scratch("traffic");
let lab;
if (isRoot) lab = await Lab.start("idle", ["--set", "lab.hosts=3"]);
const on = (name, fn) => test(name, () => (lab ? fn() : skip("needs root")));
after(() => lab?.stop());

const objects = (r) => r.out.trim().split("\n").map((line) => JSON.parse(line));
const traffic = (...args) => lab.run("traffic", "--client", "c0", ...args);
const sum = (list, key) => list.reduce((n, o) => n + o[key], 0);
const generator = (id) => lab.json("status").labs[0].traffic.find((t) => t.id === id);

on("UDP: a line a second, and a summary of exact counts", () => {
  const r = traffic("--rate", "50pps", "--duration", "2s");
  assert.equal(r.status, 0, r.err);
  assert.match(r.out, /^c0 192\.168\.0\.1 \(host0, VNI 10000\) to c4, c8\nudp, 50pps, 64 bytes \(84 with the IP header\)/);
  assert.match(r.out, /^ +1\.\d s +\d+ pps +[\d.]+ kbit\/s  lost 0\/\d+ \(0%\)  delay [\d.]+  jitter [\d.]+ ms$/m);
  assert.match(r.out, /^--- c0 to c4, c8, udp ---\n100 sent in 1\.\d+ s \(.* pps, .*bit\/s\), 100 received\n0 lost \(0%\), 0 duplicates, 0 reordered$/m);
  assert.match(r.out, /^delay min\/avg\/p50\/p90\/p99\/max = [\d.]+(\/[\d.]+){5} ms\njitter [\d.]+ ms; departures at most [\d.]+ ms late$/m);
  assert.match(r.out, /^neighbours resolved in [\d.]+ ms before the first packet$/m);
  assert.ok(!/\x1b/.test(r.out), "no escape sequences in a pipe");
  for (const line of r.out.split("\n")) assert.ok(line.length <= 80, line);
});

on("ping: round trips in order, --size and --count", () => {
  const r = traffic("--to", "host2", "--proto", "ping", "--size", "1000", "--rate", "200pps", "--count", "20", "--json");
  const s = objects(r).at(-1);
  assert.equal(r.status, 0, r.err);
  assert.deepEqual([s.type, s.proto, s.size, s.sent, s.received, s.lost, s.bytes], ["summary", "ping", 1000, 20, 20, 0, 20 * 1020]);
  const t = s.rtt_ms;
  const order = [t.min, t.p50, t.p90, t.p99, t.max];
  assert.deepEqual(order, [...order].sort((a, b) => a - b));
  assert.ok(t.min > 0 && t.min <= t.avg && t.avg <= t.max && s.jitter_ms > 0);
  assert.equal(s.delay_ms, null);
  assert.ok(s.cold_ms > 0);
  assert.equal(s.unresolved, 0);
});

on("--json: intervals add up to the summary", () => {
  const list = objects(traffic("--rate", "100pps", "--duration", "2500ms", "--poisson", "--json"));
  const summary = list.pop();
  assert.ok(list.length >= 2);
  for (const o of list) {
    assert.equal(o.type, "interval");
    assert.ok(o.interval.seconds > 0 && o.interval.pps > 0 && o.interval.bps > 0);
    assert.equal(o.interval.lost, 0);
  }
  assert.equal(summary.sent, summary.received);
  const told = sum(list.map((o) => o.interval), "sent"); // a rest of less than half a second has no line of its own
  assert.ok(told === list.at(-1).sent && told <= summary.sent);
  assert.ok(summary.delay_ms.min > 0 && summary.delay_ms.max >= summary.delay_ms.min);
  assert.equal(summary.rtt_ms, null);
});

on("at the highest rate the monitor's count is the generator's", async () => {
  const of = () => lab.json("flows", "--by", "flow").flows.filter((f) => f.src_client === "c1" && f.inner_proto === "ipv4/udp");
  const s = objects(lab.run("traffic", "--client", "c1", "--to", "host1", "--rate", "max", "--duration", "1s", "--json")).at(-1);
  assert.ok(s.sent > 1000);
  assert.equal(s.received, s.sent);
  assert.deepEqual(of().map((f) => [f.packets, f.received.packets]), [[s.sent, s.sent]]);
});

on("rates are exact in number: what is due before the end is sent, by packets or by bits", async () => {
  const table = [
    ["1pps", "1500ms", 2],
    ["100pps", "1s", 100],
    ["500pps", "1s", 500],
    ["10kpps", "1s", 10000],
    ["840kbit", "1s", 1250], // 84 bytes of inner IP packet
  ];
  const children = table.map(([rate, duration], i) => new Child(["traffic", "--lab", lab.name, "--client", `c${i}`, "--rate", rate,
    "--duration", duration, "--json"]));
  for (const [i, [rate, , count]] of table.entries()) {
    await children[i].ended;
    const s = JSON.parse(children[i].out.trim().split("\n").at(-1));
    assert.deepEqual([rate, s.sent + s.missed, s.missed, s.received], [rate, count, 0, count]);
  }
});

test("the seed decides the departures", async () => {
  needRoot();
  writeFileSync(`${dir}/poisson.ini`, "[lab]\nhosts = 2\nvnis = 1-4\nduration = 1s\n[traffic a]\nfrom = host0\nproto = udp\nrate = 200pps\n"
    + "pattern = poisson\n[assert a]\ncheck = mismatch() == 0\n");
  const sent = async (seed) => {
    const name = labName(), report = `${dir}/${name}.json`;
    const r = await runBeside(["run", `${dir}/poisson.ini`, "--headless", "--assert", "--name", name, "--seed", seed, "--report", `json:${report}`]);
    assert.equal(r.status, 0, r.err + r.out);
    return JSON.parse(readFileSync(report, "utf8")).truth.map((pair) => pair.sent);
  };
  const [first, same, other] = await Promise.all(["5", "5", "6"].map(sent));
  assert.equal(first.length, 4);
  assert.deepEqual(same, first);
  assert.notDeepEqual(other, first);
});

test("everybody pings everybody in a large VNI, and nobody asks for a MAC address", () => {
  needRoot();
  writeFileSync(`${dir}/mesh.ini`, "[lab]\nhosts = 30\nvnis = 1\nwiring = direct\nduration = 2s\n[traffic a]\nrate = 15pps\n"
    + "[assert all came back]\ncheck = delivery() == 100%\n[assert as counted]\ncheck = mismatch() == 0\n"
    + "[assert both ways of all pairs and nothing else]\ncheck = flows() == 870\n");
  const r = run(["run", `${dir}/mesh.ini`, "--headless", "--assert", "--name", labName()]);
  assert.equal(r.status, 0, r.err + r.out);
  assert.match(r.err, /30 generators sent 900 packets, 900 arrived/);
  assert.ok(!/neighbours were resolved|did not answer/.test(r.err), r.err);
});

// Over the socket itself: no command asks so.
on("a connection that watches traffic cannot watch more, and takes its own along", async () => {
  const start = JSON.stringify({ op: "traffic.start", client: "c0", rate: "10pps", watch: true }) + "\n";
  const socket = connect(`/run/tunlab/${lab.name}.sock`);
  let said = "";
  const lines = (n) => eventually(() => said.split("\n").length > n);
  socket.on("data", (data) => (said += data));
  socket.write(start);
  await lines(1);
  socket.write(start);
  await lines(2);
  const answers = said.trim().split("\n").map((line) => JSON.parse(line)), { id } = answers[0];
  assert.match(answers.find((a) => a.error)?.error ?? said, /^this connection watches traffic already/);
  assert.ok(await eventually(() => generator(id).state === "running"));
  socket.destroy();
  assert.ok(await eventually(() => generator(id).state !== "running"));
});

on("nothing comes back: the lines and the summary say so, exit 1", () => {
  lab.run("link", "host2", "down");
  const r = traffic("--to", "host2", "--proto", "ping", "--rate", "20pps", "--duration", "1500ms"); // still down in the next test
  assert.match(r.out, /30 sent in .* 0 received\n30 lost \(100%\)/);
  assert.match(r.out, /  nothing came back of \d+ sent$/m);
  assert.equal(r.status, 1);
});

on("one peer of two is gone: its packets are told lost after a second, not at the end", () => {
  const dropped = droppedAtFullQueues();
  const list = objects(traffic("--rate", "100pps", "--duration", "3s", "--json"));
  const summary = list.pop();
  lab.run("link", "host2", "reset");
  assert.equal(list[0].interval.lost, 0); // they may still be on their way
  assert.ok(list[1].interval.lost > 0 && list[1].interval.lost <= 51);
  assert.deepEqual([summary.sent, summary.lost], [300, 300 - summary.received]);
  assert.ok(summary.received <= 150 && summary.received + droppedAtFullQueues() - dropped >= 150, `${summary.received} of 150 arrived`);
});

on("a lossy link: what is lost is what did not arrive", () => {
  assert.equal(lab.run("link", "host1", "loss", "20%").status, 0);
  const s = objects(traffic("--to", "host1", "--rate", "1kpps", "--count", "1000", "--json")).at(-1);
  lab.run("link", "host1", "reset");
  assert.equal(s.sent, 1000);
  assert.equal(s.lost, s.sent - s.received);
  assert.ok(s.lost > 130 && s.lost < 280, `${s.lost} of 1000 lost where the link loses 20 %`);
});

on("a peer without an address is reported, and others are sent to", () => {
  const address = (...args) => lab.exec("c8", "ip", "address", ...args, "192.168.0.3/24", "dev", "eth0");
  if (spawnSync("ip", ["-V"]).error) skip("no ip command");
  assert.equal(address("del").status, 0);
  lab.exec("c0", "ip", "neighbour", "flush", "dev", "eth0");
  const r = traffic("--rate", "100pps", "--count", "20");
  assert.equal(address("add").status, 0);
  assert.match(r.out, /^waiting for the peers to tell their MAC addresses$/m);
  assert.match(r.out, /^1 of 2 peers did not answer for their address/m);
  assert.match(r.out, /10 received/);
  assert.equal(r.status, 0);
});

on("what cannot be done is refused with what can, exit 2", () => {
  const table = [
    [["--client", "77"], /c77 does not exist: clients are c0 to c11/],
    [["--client", "host0"], /4 clients.*name one/],
    [["--client", "c0", "--to", "c1"], /another client in VNI 10000/],
    [["--client", "c0", "--to", "everyone"], /client \(c3\), a host \(host0\).*all/],
    [["--client", "c0", "--proto", "tcp"], /want udp or ping/],
    [["--client", "c0", "--rate", "quick"], /500pps.*10mbit.*max/],
    [["--client", "c0", "--rate", "0pps"], /rate/],
    [["--client", "c0", "--size", "9000"], /40 to 1430/],
    [["--client", "c0", "--size", "39"], /40 to 1430/],
    [["--client", "c0", "--count", "0"], /1 to 4294967295/],
    [["--client", "c0", "--duration", "0s"], /want some time/],
    [["--client", "c0", "--duration", "soon"], /duration/],
    [[], /--client C.*tunlab status/],
    [["--client", "c0", "--speed", "1"], /unknown option --speed.*--rate/],
  ];
  for (const [args, what] of table) {
    const r = lab.run("traffic", ...args);
    assert.equal(r.status, 2, args.join(" "));
    assert.match(r.err, what);
    assert.equal(r.out, "");
  }
});

const start = (...args) => new Child(["traffic", "--lab", lab.name, "--client", "c2", "--rate", "50pps", "--json", ...args]);

on("it ends with its terminal: SIGHUP, and a reader that is gone", async () => {
  const child = start();
  const id = Number((await child.waitFor(/"id":(\d+)/))[1]);
  assert.equal(generator(id).state, "running");
  assert.equal((await child.kill("SIGHUP")).signal, "SIGHUP");
  assert.ok(await eventually(() => generator(id).state === "done"));
  const piped = spawnSync("sh", ["-c", `"${tunlab}" traffic --lab ${lab.name} --client c2 --rate 50pps --json | head -n 1`], { encoding: "utf8" });
  const { id: second } = JSON.parse(piped.stdout);
  assert.ok(await eventually(() => generator(second).state === "done"));
});

on("the first Ctrl-C waits for what was sent, the second does not", async () => {
  const child = start("--to", "host1");
  await child.waitFor(/"interval"/);
  lab.run("link", "host1", "down");
  await sleep(200); // ten packets that will not arrive
  child.process.kill("SIGINT");
  await sleep(100);
  child.process.kill("SIGINT");
  const exit = await child.ended;
  lab.run("link", "host1", "reset");
  assert.equal(exit.status, 0);
  assert.ok(!/"summary"/.test(child.out));
});

on("the end of the lab ends it with a summary", async () => {
  const child = start();
  await child.waitFor(/"interval"/);
  await lab.stop();
  const summary = JSON.parse((await child.ended, child.out).trim().split("\n").at(-1));
  assert.equal(child.exit.status, 0);
  assert.deepEqual([summary.type, summary.lost], ["summary", 0]);
});
