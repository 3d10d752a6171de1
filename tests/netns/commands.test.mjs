// SPDX-License-Identifier: Apache-2.0
// The commands that speak to a running lab, as users type them.
import assert from "node:assert/strict";
import { statSync, existsSync } from "node:fs";
import { after, skip, test } from "../lib/tap.mjs";
import { Child, Lab, isRoot, json, run, eventually } from "../lib/lab.mjs";

let lab;
if (isRoot) lab = await Lab.start("idle", ["--set", "lab.hosts=3"]);
const on = (name, fn) => test(name, () => (lab ? fn() : skip("needs root")));

on("status --json has what the contract says", () => {
  const doc = lab.json("status");
  assert.equal(doc.schema, "tunlab.status/1");
  const [l] = doc.labs;
  assert.equal(l.name, lab.name);
  assert.equal(l.pid, lab.child.pid);
  assert.equal(l.state, "running");
  assert.match(l.url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  assert.deepEqual(l.hosts.map((h) => `${h.name} ${h.vtep}`), ["host0 172.16.1.100", "host1 172.16.1.101", "host2 172.16.1.102"]);
  assert.equal(l.clients.length, 12);
  assert.deepEqual(l.clients[5], { id: 5, name: "c5", host: "host1", vni: 10001, address: "192.168.1.2" });
  assert.ok(Array.isArray(l.traffic));
  assert.equal(l.monitor.lost, 0);
});

on("status without --lab lists every lab; as a table too", () => {
  assert.ok(json(["status", "--json"]).labs.some((l) => l.name === lab.name));
  const r = lab.run("status");
  assert.equal(r.status, 0);
  assert.match(r.out, /c11\s+10003\s+192\.168\.3\.3/);
});

on("the control socket is for root alone", () => {
  assert.equal(statSync(`/run/tunlab/${lab.name}.sock`).mode & 0o777, 0o600);
  assert.equal(statSync("/run/tunlab").mode & 0o777, 0o700);
});

on("exec: host, client by number, name, host:vni and address, fabric; exit status passed on", () => {
  assert.match(lab.exec("host1", "cat", "/sys/class/net/eth0/ifindex").out, /^\d+$/m);
  for (const where of ["5", "c5", "host1:10001", "192.168.1.2"])
    assert.match(lab.exec(where, "ip", "-4", "-o", "addr", "show", "eth0").out, /192\.168\.1\.2\/24/, where);
  assert.match(lab.exec("fabric", "ip", "-o", "link").out, /br100/);
  assert.equal(lab.exec("c5", "sh", "-c", "exit 42").status, 42);
  assert.equal(lab.exec("c5", "nonesuch-command").status, 127);
  assert.equal(run(["exec", "--lab", lab.name, "c5", "sh", "-c", "exit 7"]).status, 7, "without --");
  assert.equal(run(["exec", "c5", "--lab", lab.name, "--", "sh", "-c", "exit 7"]).status, 7, "options after WHERE");
  assert.equal(run(["exec", "--lab", lab.name, "c5", "echo", "-n", "--", "x"]).out, "-- x", "a -- of the command's own");
});

on("what does not exist is answered with what does", () => {
  for (const [args, pattern] of [
    [["exec", "--lab", lab.name, "c12", "--", "true"], /c0 to c11|c11/],
    [["exec", "--lab", lab.name, "host3", "--", "true"], /host2/],
    [["traffic", "--lab", lab.name, "--client", "77"], /c11/],
    [["traffic", "--lab", lab.name, "--client", "c0", "--to", "c1"], /VNI/],
    [["traffic", "--lab", lab.name, "--client", "c0", "--rate", "quick"], /500pps|rate/],
    [["traffic", "--lab", lab.name, "--client", "c0", "--size", "9000"], /1430/],
    [["flows", "--lab", lab.name, "--by", "colour"], /outer, inner, vni, host, client or flow/],
    [["status", "--lab", "nonesuch"], new RegExp(lab.name)],
  ]) {
    const r = run(args);
    assert.equal(r.status, 2, `${args}: ${r.err}`);
    assert.match(r.err, pattern);
  }
});

on("the inner network works: ping across the overlay", () => {
  const r = lab.exec("c0", "ping", "-c", "2", "-i", "0.2", "192.168.0.3");
  assert.equal(r.status, 0, r.out + r.err);
});

on("traffic --count: exact, summary, exit 0; json lines", () => {
  const r = lab.run("traffic", "--client", "c1", "--to", "host2", "--count", "50", "--rate", "500pps");
  assert.equal(r.status, 0, r.err);
  assert.match(r.out, /50 sent.*50 received/);
  const lines = lab.run("traffic", "--client", "c1", "--proto", "ping", "--count", "20", "--rate", "200pps", "--json").out.trim().split("\n").map(JSON.parse);
  const last = lines.at(-1);
  assert.equal(last.sent, 20);
  assert.equal(last.received, 20);
  assert.ok(last.rtt_ms.min > 0 && last.rtt_ms.min <= last.rtt_ms.p50 && last.rtt_ms.p50 <= last.rtt_ms.max);
});

on("traffic shows in status and flows while it runs, and ends with its terminal", async () => {
  const child = new Child(["traffic", "--lab", lab.name, "--client", "3", "--rate", "500pps"]);
  const generator = () => lab.json("status").labs[0].traffic.find((g) => g.from === "c3" && g.rate === "500pps");
  assert.ok(await eventually(() => generator()?.sent > 100));
  assert.ok(await eventually(() => lab.json("flows", "--by", "client", "--rates").rows.some((w) => w.client === "c3" && w.rates.pps > 400)));
  await child.kill("SIGKILL");
  assert.ok(await eventually(() => generator().state === "done"), "the generator ended with the killed command");
});

on("traffic: Ctrl-C gives the summary", async () => {
  const child = new Child(["traffic", "--lab", lab.name, "--client", "0", "--proto", "ping"]);
  await child.waitFor(/ s .*pps/);
  const exit = await child.kill("SIGINT");
  assert.equal(exit.status, 0);
  assert.match(child.out, /^--- c0 to .*, ping ---$/m);
  assert.match(child.out, /^\d+ sent in .*\n0 lost \(0%\)/m);
  assert.match(child.out, /^rtt min\/avg\/p50\/p90\/p99\/max = /m);
});

on("flows: every grouping adds up to the same total", () => {
  lab.run("traffic", "--client", "c2", "--count", "10", "--rate", "1kpps");
  const sum = (rows, f) => rows.reduce((a, r) => a + f(r), 0);
  const totals = ["flow", "outer", "inner", "vni", "client"].map((by) => {
    const doc = lab.json("flows", "--by", by);
    assert.equal(doc.schema, by === "flow" ? "tunlab.flows/1" : "tunlab.rows/1");
    const rows = doc.rows ?? doc.flows;
    for (let i = 1; i < rows.length; i++) assert.ok(rows[i - 1].bytes >= rows[i].bytes, "biggest first");
    return rows;
  });
  // Stray ARP may pass while we ask: each answer is at least the one before, and the groups are complete.
  const packets = totals.map((rows) => sum(rows, (r) => r.packets));
  for (let i = 1; i < packets.length; i++) assert.ok(packets[i] >= packets[i - 1], `${packets}`);
  assert.equal(lab.json("flows", "--top", "2").flows.length, 2);
});

on("flows --watch repeats until Ctrl-C", async () => {
  const child = new Child(["flows", "--lab", lab.name, "--json", "--watch"]);
  await child.waitFor(/tunlab\.flows\/1[^]*\n[^]*tunlab\.flows\/1/);
  await child.kill("SIGINT");
});

on("a lab that is stopped does not hang those who ask", async () => {
  lab.child.process.kill("SIGSTOP");
  const r = lab.run("status");
  lab.child.process.kill("SIGCONT");
  assert.equal(r.status, 3);
  assert.match(r.err, /did not answer/);
});

on("traffic ended by SIGTERM: summary and exit 143", async () => {
  const child = new Child(["traffic", "--lab", lab.name, "--client", "0"]);
  await child.waitFor(/ s .*pps/);
  assert.deepEqual(await child.kill("SIGTERM"), { status: 143, signal: null });
  assert.match(child.out, /^\d+ sent in /m);
});

on("stop returns when the lab is gone", async () => {
  assert.equal(run(["stop", "--lab", lab.name]).status, 0);
  const exit = await lab.child.ended;
  assert.equal(exit.status, 0);
  assert.equal(existsSync(`/run/tunlab/${lab.name}.sock`), false);
  assert.equal(run(["stop", "--lab", lab.name]).status, 2);
});

on("several labs at once: each command must say which", async () => {
  const labs = await Promise.all([Lab.start("idle", ["--set", "lab.hosts=2"]), Lab.start("idle", ["--set", "lab.hosts=2"])]);
  try {
    const r = run(["flows"]);
    assert.equal(r.status, 2);
    for (const l of labs) assert.ok(r.err.includes(l.name));
    labs[0].exec("c0", "ping", "-c", "1", "192.168.0.2");
    assert.ok(labs[0].json("flows").flows.length > 0);
    assert.equal(labs[1].json("flows").flows.length, 0, "labs share nothing");
  } finally {
    for (const l of labs) await l.stop();
  }
});

after(() => lab?.stop());
