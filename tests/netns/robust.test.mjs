// SPDX-License-Identifier: Apache-2.0
// What must hold whatever happens to a lab and whenever: nothing of it is left, and no process holds what it should not. That no BPF
// link is left follows from the programs being gone (leftNothing). The n-th failing request is fault_test.c's.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { skip, test } from "../lib/tap.mjs";
import { Child, Lab, eventually, isRoot, labName, leftNothing, machineState, run, sleep, tunlab } from "../lib/lab.mjs";

const seed = Number(process.env.SEED ?? Date.now() % 1e9);
let state = seed;
console.log(`# SEED=${seed}`);
// A number below n; small, and the same for the same seed (mulberry32).
function random(n) {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % n;
}

const small = (name, ...more) => ["run", "idle", "--name", name, "--set", "lab.hosts=2", "--set", "lab.vnis=10000-10001", ...more];
const direct = ["--set", "lab.wiring=direct"];

// Its life: some 100 ms to come up, then it is told to end, and needs some time for that, too.
test("SIGKILL at 100 random moments of a lab's life leaves nothing", async () => {
  if (!isRoot) skip("needs root");
  const before = machineState(), exits = {};
  for (let i = 0; i < 100; i++) {
    const wiring = i % 4 ? direct : [], page = i % 2 ? ["--headless"] : ["--listen", "127.0.0.1:0"];
    const child = new Child(small(labName("robust"), ...wiring, ...page)), at = random(220);
    const end = setTimeout(() => child.kill("SIGTERM"), 120), kill = setTimeout(() => child.kill("SIGKILL"), at);
    const exit = await child.ended;
    clearTimeout(end);
    clearTimeout(kill);
    assert.ok(exit.signal === "SIGKILL" || exit.signal === "SIGTERM" || exit.status === 143, `${JSON.stringify(exit)} at ${at} ms: ${child.err}`);
    exits[exit.signal ?? exit.status] = (exits[exit.signal ?? exit.status] ?? 0) + 1;
    if (i % 20 === 19) await leftNothing(before, { killed: true });
  }
  assert.ok(exits.SIGKILL > 30, `killed before they ended: ${JSON.stringify(exits)}`);
});

test("SIGINT and SIGTERM at random moments of a larger build: over at once, nothing left", async () => {
  if (!isRoot) skip("needs root");
  const before = machineState();
  for (let i = 0; i < 8; i++) {
    const [signal, status] = i % 2 ? ["SIGINT", 130] : ["SIGTERM", 143];
    const child = new Child(["run", "idle", "--headless", "--name", labName("robust"), "--set", "lab.hosts=40", ...direct]), at = 10 + random(250);
    await sleep(at);
    const exit = await child.kill(signal);
    assert.ok(exit.signal === signal || exit.status === status, `${JSON.stringify(exit)} at ${at} ms: ${child.err}`);
  }
  await leftNothing(before, { killed: true }); // in the middle of a build nothing is taken apart: the kernel does it
});

// In a shell whose limit cannot be raised, even by root.
function limited(n, ...args) {
  const command = `ulimit -n ${n}; exec setpriv --bounding-set -sys_resource --inh-caps -sys_resource ${[tunlab, ...args].join(" ")}`;
  return run(["-c", command], { bin: "sh" });
}

test("descriptor limit: raised where allowed, else a clear exit 3; what is asked for suffices", async () => {
  if (!isRoot) skip("needs root");
  const before = machineState(), args = ["run", "idle", "--headless", "--duration", "100ms", "--set", "lab.hosts=5"];
  const refused = limited(200, ...args, "--name", labName("robust"));
  assert.equal(refused.status, 3);
  const needs = Number(/needs (\d+) open files and cannot raise the limit.*ulimit -n/.exec(refused.err)?.[1]);
  assert.ok(needs > 200, refused.err);
  assert.equal(limited(needs - 1, ...args, "--name", labName("robust")).status, 3);
  const enough = limited(needs, ...args, "--name", labName("robust"));
  assert.equal(enough.status, 0, enough.err);
  const raised = run(["-c", `ulimit -Sn 200; exec ${tunlab} ${args.join(" ")} --name ${labName("robust")}`], { bin: "sh" });
  assert.equal(raised.status, 0, raised.err);
  await leftNothing(before);
});

// What each descriptor of a process is, by number.
function descriptors(pid) {
  const list = {};
  for (const fd of readdirSync(`/proc/${pid}/fd`))
    try {
      list[fd] = readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      // closed since
    }
  return list;
}

function helpers(pid) {
  const found = {};
  for (const d of readdirSync("/proc").filter((p) => /^\d+$/.test(p)))
    try {
      const stat = readFileSync(`/proc/${d}/stat`, "utf8");
      if (Number(/\) \S (\d+)/.exec(stat)[1]) === pid) found[/\((.*)\)/.exec(stat)[1]] = Number(d);
    } catch {
      // gone
    }
  return found;
}

test("no process of a lab holds a descriptor it does not need", async () => {
  if (!isRoot) skip("needs root");
  const before = machineState(), lab = await Lab.start("idle", ["--set", "lab.hosts=3", "--set", "lab.vnis=10000-10001"], { page: true });
  try {
    const netns = (where) => lab.exec(where, "readlink", "/proc/self/ns/net").out.trim();
    const clients = [0, 1, 2, 3, 4, 5].map((i) => netns(`c${i}`)), others = ["fabric", "host0", "host1", "host2"].map(netns);
    const kids = helpers(lab.child.pid);
    assert.deepEqual(Object.keys(kids).sort(), ["tunlab-guard", "tunlab-traffic"]);

    const guard = Object.values(descriptors(kids["tunlab-guard"]));
    assert.equal(guard.length, 1, `${guard}`);
    assert.match(guard[0], /^pipe:/);

    lab.run("traffic", "--client", "c0", "--count", "20", "--rate", "1kpps"); // sockets of traffic that is over stay for the next
    const engine = Object.values(descriptors(kids["tunlab-traffic"]));
    const home = readlinkSync("/proc/self/ns/net"); // the way back after a socket was opened elsewhere
    assert.deepEqual(engine.filter((t) => t.startsWith("net:")).sort(), [...clients, home].sort());
    for (const t of engine) assert.match(t, /^(net:|socket:|\/dev\/null$|anon_inode:\[(eventpoll|timerfd)\]$)/, `${engine}`);

    const held = Object.values(descriptors(lab.child.pid));
    const marks = 2; // empty namespaces whose end tells that of the others (lab.h)
    const ours = [...clients, ...others], namespaces = held.filter((t) => t.startsWith("net:"));
    assert.deepEqual(namespaces.filter((t) => ours.includes(t)).sort(), ours.sort());
    assert.equal(namespaces.length, ours.length + marks);
    assert.equal(held.filter((t) => t === "/run/tunlab").length, 0, "the folder's lock");
    // Asking costs nothing that stays.
    const count = () => Object.keys(descriptors(lab.child.pid)).length, n = count();
    for (let i = 0; i < 10; i++) lab.json("status");
    lab.exec("c1", "true");
    run(["capture", "c1", "--lab", lab.name, "--duration", "50ms", "-w", "/dev/null"]);
    assert.ok(await eventually(() => count() <= n), `${count()} descriptors, ${n} before`);
  } finally {
    await lab.stop();
  }
  await leftNothing(before);
});
