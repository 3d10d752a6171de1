// SPDX-License-Identifier: Apache-2.0
// What the monitor says of itself: its cost, its skips, and a flow table that is too small; in every view the same.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test, skip } from "../lib/tap.mjs";
import { Child, Lab, counted, eventually, labName, run, needRoot, scratch, fetchAlone } from "../lib/lab.mjs";

const dir = scratch("health");


const statsSwitch = () => readFileSync("/proc/sys/kernel/bpf_stats_enabled", "utf8").trim();
const small = ["--set", "lab.hosts=2", "--set", "lab.vnis=9"];

const metrics = async (lab) => {
  const text = await (await fetchAlone(`${lab.url}metrics`)).text();
  return new Map(text.split("\n").filter((l) => l && !l.startsWith("#")).map((l) => [l.slice(0, l.lastIndexOf(" ")), Number(l.slice(l.lastIndexOf(" ") + 1))]));
};

const monitorOf = (lab) => lab.json("status").labs[0].monitor;

// The record as the page gets it: from a frame of its feed that is newer than the page.
async function monitorOfPage(lab) {
  const aborter = new AbortController();
  const body = (await fetchAlone(`${lab.url}api/v1/feed`, { signal: aborter.signal })).body.pipeThrough(new TextDecoderStream());
  let text = "", base;
  for await (const part of body) {
    text += part;
    const messages = text.split("\n\n");
    text = messages.pop();
    for (const message of messages) {
      const data = /^data: (.*)$/m.exec(message);
      if (!data) continue;
      const { seq, monitor } = JSON.parse(data[1]);
      base ??= seq;
      if (seq > base) {
        aborter.abort();
        return monitor;
      }
    }
  }
}

test("with --stats the kernel measures the program, for the lab's life; every view tells", async () => {
  needRoot();
  const before = statsSwitch();
  const lab = await Lab.start("idle", [...small, "--stats"], { page: true });
  try {
    lab.run("traffic", "--client", "c0", "--count", "500", "--rate", "2kpps");
    let monitor;
    await eventually(() => (monitor = monitorOf(lab)).cost.runs === monitor.seen);
    assert.ok(monitor.cost.ns_per_packet > 1 && monitor.cost.ns_per_packet < 100000, `${monitor.cost.ns_per_packet} ns`);
    assert.equal(monitor.cost.not_measured, null);
    assert.equal(monitor.cost.runs, monitor.seen, "the program ran once for each frame seen");
    assert.equal(statsSwitch(), before, "the machine's own switch was not touched");
    await eventually(async () => (await metrics(lab)).get("tunlab_monitor_program_runs_total") >= 1000);
    const m = await metrics(lab);
    assert.ok(m.get("tunlab_monitor_program_runs_total") >= 1000);
    assert.ok(m.get("tunlab_monitor_program_run_seconds_total") > 0);
    assert.equal(m.get("tunlab_monitor_program_stats_enabled"), 1);
    assert.ok(m.get("tunlab_monitor_cpu_seconds_total") > 0);
    await eventually(() => monitorOf(lab).cost.cpu_share !== null);
    assert.match(lab.run("status").out, /\ncost: \d+\.\d ns a frame in the kernel; beside it \d+\.\d % of a processor\n/);
    assert.match(lab.run("flows").out, /\ncost: \d+\.\d ns a frame in the kernel/);
    const page = await monitorOfPage(lab);
    assert.deepEqual(Object.keys(page), Object.keys(monitor));
    assert.ok(page.cost.ns_per_packet > 0);
  } finally {
    await lab.stop();
  }
});

test("without --stats the cost is not enabled, and it says how to", async () => {
  needRoot();
  if (statsSwitch() !== "0") skip("this machine measures BPF programs all the time");
  const lab = await Lab.start("idle", small, { page: true });
  try {
    lab.run("traffic", "--client", "c0", "--count", "10", "--rate", "1kpps");
    const { cost } = monitorOf(lab);
    if (cost.runs) skip("somebody else has the kernel measure BPF programs"); // other labs of this machine
    assert.equal(cost.ns_per_packet, null);
    assert.match(cost.not_measured, /not enabled: .*--stats/);
    assert.match(lab.run("status").out, /\ncost: in the kernel not enabled: start with --stats, or sysctl kernel\.bpf_stats_enabled=1/);
    await eventually(async () => (await metrics(lab)).has("tunlab_monitor_program_stats_enabled"));
    const m = await metrics(lab);
    assert.equal(m.get("tunlab_monitor_program_stats_enabled"), 0);
    assert.equal(m.has("tunlab_monitor_program_runs_total"), false, "what is not measured is no series");
  } finally {
    await lab.stop();
  }
});

const last = (text) => JSON.parse(text.trim().split("\n").at(-1));

test("a scan of more flows than the table holds: known flows go on exactly, the rest is lost and counted, health is amber", async () => {
  needRoot();
  const hosts = 16;
  const lab = await Lab.start("idle", ["--set", `lab.hosts=${hosts}`, "--set", "lab.vnis=9", "--set", "lab.flows=64", "--set", "lab.wiring=direct"], { page: true });
  try {
    const traffic = (...args) => new Child(["traffic", "--lab", lab.name, "--json", ...args]);
    const known = traffic("--client", "c0", "--to", "c1", "--count", "3000", "--rate", "1kpps", "--size", "200");
    await known.waitFor(/"sent":[1-9]/);
    assert.equal(monitorOf(lab).lost, 0);
    const scans = Array.from({ length: hosts - 2 }, (_, i) => traffic("--client", `c${i + 2}`, "--to", "all", "--count", "60", "--rate", "200pps"));
    for (const child of [known, ...scans]) await child.ended;
    let flows;
    assert.ok(await eventually(() => counted(flows = lab.json("flows")) === counted(lab.json("flows"))), "the lab falls silent");
    const { monitor } = flows;
    const flow = flows.flows.find((f) => f.src_client === "c0" && f.dst_client === "c1" && f.inner_proto === "ipv4/udp");
    const sent = last(known.out);
    assert.deepEqual([sent.sent, flow.packets, flow.received.packets, sent.received], [3000, 3000, 3000, 3000], "known flows go on exactly");
    assert.equal(flow.received.bytes, flow.bytes);
    assert.ok(monitor.lost > 0 && monitor.lost_bytes >= 60 * monitor.lost, `${monitor.lost} packets, ${monitor.lost_bytes} bytes lost`);
    const sum = (of) => flows.flows.reduce((a, f) => a + of(f), 0);
    assert.equal(monitor.decoded, sum((f) => f.packets) + sum((f) => f.received.packets));
    assert.equal(monitor.seen, monitor.decoded + monitor.other + monitor.lost + monitor.truncated + monitor.unknown + monitor.otherhost,
      "each frame seen is in a flow, other, or under a reason");
    // What the scanners sent and the flows lack was lost, none of it twice: generators and monitor together account for all.
    const scanned = scans.reduce((a, child) => a + last(child.out).sent, 0);
    const arps = sum((f) => (f.inner_proto === "arp" ? f.packets + f.received.packets : 0));
    const udp = sum((f) => (f.inner_proto === "ipv4/udp" ? f.packets + f.received.packets : 0));
    assert.ok(udp + monitor.lost >= 2 * (scanned + 3000), `${udp} UDP packets and ${monitor.lost} lost, ${arps} of ARP; ${scanned} scanned`);
    assert.equal(monitor.state, "amber");
    assert.match(monitor.reason, new RegExp(`^${monitor.lost} packets \\(.*B\\) were not counted, for the flow table was full`));
    for (const command of ["status", "flows"])
      assert.match(lab.run(command).out, new RegExp(`\nmonitor amber: .* ${monitor.lost} lost, .*\nmonitor amber: ${monitor.lost} packets .* not counted`));
    const m = await metrics(lab);
    assert.equal(m.get('tunlab_monitor_amber{reason="lost"}'), 1);
    assert.ok(m.get("tunlab_monitor_lost_packets_total") > 0);
    assert.ok(m.get("tunlab_monitor_lost_bytes_total") > 0);
    assert.equal((await monitorOfPage(lab)).state, "amber");
  } finally {
    await lab.stop();
  }
});

const scanning = (check) => `[lab]
hosts = 16
vnis = 9
flows = 64
wiring = direct
duration = 1s
[traffic scan]
proto = udp
rate = 100pps
${check}`;

for (const [what, check, status] of [["invalid where nobody asks", "", 4], ["judged where monitor.lost is asked about", "[assert full]\ncheck = monitor.lost > 0\n", 0],
  ["failed where none was to be lost", "[assert whole]\ncheck = monitor.lost == 0\n", 1]])
  test(`a run that lost packets is ${what}`, () => {
    needRoot();
    const file = `${dir}/scan${status}.ini`;
    writeFileSync(file, scanning(check));
    const r = run(["run", file, "--name", labName(), "--headless", "--assert"]);
    assert.equal(r.status, status, r.out + r.err);
    if (status === 4) assert.match(r.err, /the run is invalid: the monitor lost \d+ packets: \d+ flows, and its table holds 64/);
  });
