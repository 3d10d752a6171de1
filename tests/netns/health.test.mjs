// SPDX-License-Identifier: Apache-2.0
// What the monitor says of itself: its cost, its skips, and a flow table that is too small; in every view the same.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test, skip } from "../lib/tap.mjs";
import { Lab, eventually, isRoot, run } from "../lib/lab.mjs";

const needRoot = () => isRoot || skip("needs root");

const statsSwitch = () => readFileSync("/proc/sys/kernel/bpf_stats_enabled", "utf8").trim();
const small = ["--set", "lab.hosts=2", "--set", "lab.vnis=9"];

const metrics = async (lab) => {
  const text = await (await fetch(`${lab.url}metrics`)).text();
  return new Map(text.split("\n").filter((l) => l && !l.startsWith("#")).map((l) => [l.slice(0, l.lastIndexOf(" ")), Number(l.slice(l.lastIndexOf(" ") + 1))]));
};

const monitorOf = (lab) => lab.json("status").labs[0].monitor;

// The record as the page gets it: from the first frame of its feed.
async function monitorOfPage(lab) {
  const aborter = new AbortController();
  const body = (await fetch(`${lab.url}api/v1/feed`, { signal: aborter.signal })).body.pipeThrough(new TextDecoderStream());
  let text = "";
  for await (const part of body) {
    text += part;
    const frame = /event: frame\n(?:id: .*\n)?data: (.*)\n/.exec(text);
    if (frame) {
      aborter.abort();
      return JSON.parse(frame[1]).monitor;
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
