// SPDX-License-Identifier: Apache-2.0
// The end of a lab: the machine's network can be configured meanwhile, and it is over when `tunlab stop` says so.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { readdirSync, readlinkSync } from "node:fs";
import { after, skip, test } from "../lib/tap.mjs";
import { Child, Lab, isRoot, labName, leftNothing, machineState, run, sleep } from "../lib/lab.mjs";

const on = (name, fn) => test(name, () => (isRoot ? fn() : skip("needs root")));
const bridges = ["--set", "lab.hosts=30", "--set", "lab.vnis=10000-10003"];

// A process that configures a namespace of its own all the time; see tests/bench/neighbour.c.
class Neighbour {
  constructor() {
    this.process = spawn(new URL("../../build/tests/bench/neighbour", import.meta.url).pathname, { stdio: ["pipe", "pipe", "inherit"] });
    this.lines = [];
    this.waiters = [];
    let rest = "";
    this.process.stdout.on("data", (d) => {
      const parts = (rest + d).split("\n");
      rest = parts.pop();
      for (const line of parts) (this.waiters.shift() ?? ((l) => this.lines.push(l)))(line);
    });
  }
  line() {
    return this.lines.length ? Promise.resolve(this.lines.shift()) : new Promise((resolve) => this.waiters.push(resolve));
  }
  go() {
    this.process.stdin.write("go\n");
  }
  // Waits until the kernel has cleaned every namespace closed so far.
  async end() {
    this.process.stdin.write("end\n");
    const [worst, busy, n] = (await this.line()).split(" ").map(Number);
    return { worst, busy, n };
  }
}

let neighbour;
if (isRoot) {
  neighbour = new Neighbour();
  await neighbour.line();
  await neighbour.end(); // whatever ran before is over
}
after(() => neighbour?.process.kill());

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

// A slice holds the kernel's lock for about 100 ms; a neighbour may have to wait for two of them, and this machine may be slow.
for (const wiring of ["bridge", "direct"])
  on(`wiring ${wiring}: while a lab of 30 hosts goes, a neighbour never waits for more than slices; stop returns when all is over`, async () => {
    const waits = [], rests = [];
    for (let i = 0; i < 3; i++) {
      const lab = await Lab.start("idle", [...bridges, "--set", `lab.wiring=${wiring}`]);
      neighbour.go();
      const start = Date.now();
      const stopped = lab.run("stop");
      assert.equal(stopped.status, 0, stopped.err);
      const took = Date.now() - start;
      const { worst, busy } = await neighbour.end();
      waits.push(worst);
      rests.push(busy - took);
      await lab.child.ended;
    }
    console.log(`# longest wait of a neighbour ${waits.map((v) => v.toFixed(0))} ms; kernel busy after stop ${rests.map((v) => v.toFixed(0))} ms`);
    assert.ok(median(waits) < 300, `a neighbour waited ${waits} ms`);
    assert.ok(median(rests) < 500, `the kernel was busy for ${rests} ms after stop had returned`);
  });

on("nothing holds a namespace of the lab any more, and a new one can be made", async () => {
  const before = machineState();
  const lab = await Lab.start("idle", ["--set", "lab.hosts=3"]);
  const inode = (where) => lab.exec(where, "readlink", "/proc/self/ns/net").out.trim();
  const ours = new Set(["fabric", "host0", "host2", "c0", "c11"].map(inode));
  assert.equal(ours.size, 5);
  assert.equal((await lab.stop()).status, 0);
  const held = [];
  for (const pid of readdirSync("/proc").filter((d) => /^\d+$/.test(d)))
    for (const folder of ["ns", "fd"])
      try {
        for (const f of readdirSync(`/proc/${pid}/${folder}`)) {
          const to = readlinkSync(`/proc/${pid}/${folder}/${f}`);
          if (ours.has(to)) held.push(`${pid}/${folder}/${f} ${to}`);
        }
      } catch {
        // it is gone
      }
  assert.deepEqual(held, []);
  assert.equal(spawnSync("unshare", ["-n", "true"]).status, 0);
  await leftNothing(before);
});

on("status tells that a lab is being taken apart; changes are refused; a second signal ends it at once", async () => {
  const before = machineState();
  const lab = await Lab.start("idle", bridges);
  const stop = new Child(["stop", "--lab", lab.name]);
  let state;
  for (let i = 0; i < 500 && state !== "stopping"; i++) {
    const r = run(["status", "--lab", lab.name, "--json"]);
    assert.equal(r.status, 0, r.err);
    state = JSON.parse(r.out).labs[0].state;
  }
  assert.equal(state, "stopping");
  const refused = lab.run("exec", "host3", "--", "true");
  assert.equal(refused.status, 3);
  assert.match(refused.err, /being taken apart/);
  lab.child.process.kill("SIGINT");
  const exit = await lab.child.ended;
  assert.equal(exit.status, 0, "it was asked to stop before");
  assert.equal((await stop.ended).status, 0);
  await leftNothing(before, { killed: true });
});

on("somebody is still inside: stop does not wait for them", async () => {
  const lab = await Lab.start("idle", ["--set", "lab.hosts=2"]);
  const inside = ["fabric", "host0", "c7"].map((where) => new Child(["exec", "--lab", lab.name, where, "--", "sleep", "60"]));
  for (const child of inside) while (!/sleep/.test(spawnSync("cat", [`/proc/${child.pid}/cmdline`], { encoding: "utf8" }).stdout)) await sleep(10);
  assert.equal(lab.run("stop").status, 0);
  await lab.child.ended;
  for (const child of inside) {
    child.kill();
    await child.ended;
  }
});

on("two labs at once, started and stopped 20 times: no error, nothing left", async () => {
  const before = machineState();
  const small = ["--set", "lab.hosts=2", "--set", "lab.vnis=10000"], direct = [...small, "--set", "lab.wiring=direct"];
  for (let i = 0; i < 20; i++) {
    const labs = await Promise.all([Lab.start("idle", i % 2 ? small : direct), Lab.start("idle", direct)]);
    const stops = labs.map((lab) => new Child(["stop", "--lab", lab.name]));
    for (const stop of stops) assert.deepEqual(await stop.ended, { status: 0, signal: null }, stop.err);
    for (const lab of labs) assert.deepEqual(await lab.child.ended, { status: 0, signal: null }, lab.child.err);
  }
  await leftNothing(before);
});

on("one command's name is free at once after stop, also for a detached lab over IPv6", async () => {
  const name = labName("again");
  for (let i = 0; i < 3; i++) {
    const up = run(["run", "idle", "--detach", "--name", name, "--listen", "127.0.0.1:0", "--set", "lab.hosts=2", "--set", "lab.underlay=fd00:7::/64"]);
    assert.equal(up.status, 0, up.err);
    assert.equal(run(["stop", "--lab", name]).status, 0);
  }
});
