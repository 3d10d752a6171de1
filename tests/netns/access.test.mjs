// SPDX-License-Identifier: Apache-2.0
// Ways into a lab and around it: exec, shell, doctor, clean, labs side by side.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { after, skip, test } from "../lib/tap.mjs";
import { Child, Lab, eventually, isRoot, labName, leftNothing, machineState, run, sleep, tunlab } from "../lib/lab.mjs";

let lab;
if (isRoot) lab = await Lab.start("idle", ["--set", "lab.hosts=2", "--set", "lab.vnis=10000-10001"]);
const on = (name, fn) => test(name, () => (lab ? fn() : skip("needs root")));
const socketOf = (name) => `/run/tunlab/${name}.sock`;
const isAlive = (pid) => existsSync(`/proc/${pid}`);

// Helpers of a lab by the name they give themselves.
function childOf(pid, name) {
  return readdirSync("/proc")
    .filter((d) => /^\d+$/.test(d))
    .find((d) => {
      try {
        const stat = readFileSync(`/proc/${d}/stat`, "utf8");
        return stat.includes(`(${name})`) && Number(/\) \S (\d+)/.exec(stat)[1]) === pid;
      } catch {
        return false; // it is gone
      }
    });
}

on("exec: working directory, environment, standard input and signals are the command's", () => {
  assert.equal(run(["exec", "--lab", lab.name, "c0", "--", "pwd"], { cwd: "/usr/bin" }).out, "/usr/bin\n");
  assert.equal(run(["exec", "--lab", lab.name, "c0", "--", "sh", "-c", "echo $X"], { env: { ...process.env, X: "a b" } }).out, "a b\n");
  assert.equal(run(["exec", "--lab", lab.name, "c0", "--", "cat"], { input: "text" }).out, "text");
  assert.equal(run(["exec", "--lab", lab.name, "c0", "--", "sh", "-c", "kill -TERM $$"]).signal, "SIGTERM");
  assert.equal(run(["exec", "--lab", lab.name, "c0", "--", "/etc"]).status, 126, "a folder is no command");
});

on("exec hands on no descriptor but the standard streams, and shows the namespace's own /sys", () => {
  const list = "ls -l /proc/self/fd; ls /sys/class/net";
  const numbers = (text) => [...text.matchAll(/ (\d+) -> /g)].map((m) => m[1]);
  const out = lab.exec("c1", "sh", "-c", list).out;
  assert.deepEqual(numbers(out), numbers(run(["-c", list], { bin: "sh" }).out), out);
  assert.match(out, /^eth0$/m);
  assert.doesNotMatch(out, /^br/m);
});

// `script` gives the shell a terminal.
function terminal(command, env) {
  const child = spawn("script", ["-qec", command, "/dev/null"], { env: { ...process.env, ...env } });
  const t = { out: "", type: (text) => child.stdin.write(text), ended: new Promise((r) => child.on("close", r)) };
  child.stdout.on("data", (d) => (t.out += d));
  t.sees = async (pattern) => assert.ok(await eventually(() => pattern.test(t.out)), `${pattern} in ${JSON.stringify(t.out)}`);
  t.kill = () => child.kill("SIGKILL");
  return t;
}

for (const sh of ["/bin/sh", "/bin/bash"])
  on(`shell (${sh}): prompt, job control, exit status`, async () => {
    if (!existsSync(sh)) skip(`no ${sh}`);
    const t = terminal(`${tunlab} shell --lab ${lab.name} 2`, { SHELL: sh });
    try {
      await t.sees(/\(c2\)/);
      t.type("cat /sys/class/net/*/address | wc -l; ip -4 -o addr show eth0\n");
      await t.sees(/192\.168\.0\.2\/24/);
      t.type("sh -c 'echo beg''un; exec sleep 300'\n");
      await t.sees(/begun/);
      t.type("\x1a"); // Ctrl-Z
      await t.sees(/Stopped/);
      t.type("jobs; fg\n");
      await t.sees(/Stopped[^]*Stopped/);
      // Ctrl-C is for the job once it is in the foreground again, and harmless before.
      for (let i = 0; i < 50 && !/interrupted 130/.test(t.out); i++) {
        t.type("\x03");
        await sleep(100);
        t.type("echo in''terrupted $?\n");
        await sleep(100);
      }
      await t.sees(/interrupted 130/);
      t.type("exit 9\n");
      assert.equal(await t.ended, 9);
      assert.doesNotMatch(t.out, /job control|no access to tty/);
    } finally {
      t.kill();
    }
  });

on("shell: a shell that is not there", () => {
  const r = run(["shell", "--lab", lab.name, "fabric"], { env: { ...process.env, SHELL: "/nonesuch" } });
  assert.equal(r.status, 127);
  assert.match(r.err, /cannot run \/nonesuch in fabric/);
  assert.equal(run(["shell", "--lab", lab.name, "host7"]).status, 2);
});

test("doctor: one line each, JSON alike, nothing is changed", async () => {
  if (!isRoot) skip("needs root");
  const before = machineState();
  const text = run(["doctor"]), doc = JSON.parse(run(["doctor", "--json"]).out);
  assert.equal(doc.schema, "tunlab.doctor/1");
  const state = Object.fromEntries(doc.items.map((i) => [i.name, i.state]));
  for (const name of ["privilege", "kernel", "bpf", "btf", "jit", "namespaces", "veth", "bridge", "vxlan", "geneve", "gretap", "macvlan",
    "tbf", "netem", "clsact", "cls_bpf", "monitor", "packet", "ipv6", "open files", "netns limit", "neighbours", "tasks", "locked memory",
    "memory", "page", "labs", "clock", "cpus"])
    assert.ok(state[name], `${name} is looked at`);
  for (const i of doc.items) {
    assert.match(i.state, /^(ok|note|missing|unseen)$/, JSON.stringify(i));
    assert.ok(i.detail, JSON.stringify(i));
    assert.match(text.out, new RegExp(`^${i.state} +${i.name} `, "m"));
  }
  // A lab runs here, so these are there; whether 8080 is free is somebody else's business.
  for (const name of ["privilege", "namespaces", "veth", "bridge", "vxlan", "monitor", "open files"]) if (lab) assert.equal(state[name], "ok", name);
  const missing = doc.items.filter((i) => i.state === "missing" && i.name !== "page");
  assert.deepEqual(missing, []);
  assert.equal(text.status, state.page === "missing" ? 3 : 0);
  await leftNothing(before);
});

test("doctor as an ordinary user says what it could not see; exit 3", () => {
  if (!isRoot) skip("needs root to become somebody else");
  const r = run(["doctor", "--json"], { uid: 65534, gid: 65534, cwd: "/" });
  if (r.error) skip("the build folder is not for others");
  const doc = JSON.parse(r.out);
  assert.equal(r.status, 3);
  assert.equal(doc.ok, false);
  assert.equal(doc.items.find((i) => i.name === "privilege").state, "missing");
  assert.ok(["unseen", "ok"].includes(doc.items.find((i) => i.name === "namespaces").state));
  assert.equal(run(["clean"], { uid: 65534, gid: 65534, cwd: "/" }).status, 3);
});

test("doctor: a limit that is too low is named", () => {
  if (!isRoot) skip("needs root");
  const r = run(["-c", `ulimit -n 100; exec setpriv --bounding-set -sys_resource --inh-caps -sys_resource ${tunlab} doctor`], { bin: "sh" });
  assert.equal(r.status, 3, r.err);
  assert.match(r.out, /^missing +open files .*remedy: ulimit -n/m);
});

// A lab whose helper got `signal` before it was killed itself. Returns its name.
async function crashedLab(signal) {
  const name = labName("crash");
  const child = new Child(["run", "idle", "--name", name, "--listen", "127.0.0.1:0", "--set", "lab.hosts=2"]);
  await child.waitFor(/clients up in/);
  const guard = childOf(child.pid, "tunlab-guard");
  process.kill(guard, signal);
  await child.kill("SIGKILL");
  return { name, guard };
}

on("clean: a lab killed with its guard leaves a socket; doctor says so, clean removes it, running labs stay", async () => {
  const { name } = await crashedLab("SIGKILL");
  assert.ok(existsSync(socketOf(name)));
  assert.match(run(["doctor"]).out, /^note +labs .*remedy: tunlab clean$/m);
  const foreign = "/run/tunlab/somebody-elses.sock";
  writeFileSync(foreign, "not a socket");
  try {
    const r = run(["clean"]);
    assert.equal(r.status, 0);
    assert.match(r.out, new RegExp(`removed the control socket of lab ${name}`));
    assert.doesNotMatch(r.out, /somebody/);
    assert.ok(!existsSync(socketOf(name)) && existsSync(foreign));
  } finally {
    run([foreign], { bin: "rm" });
  }
  assert.equal(lab.json("status").labs[0].name, lab.name);
  assert.equal(lab.exec("c0", "true").status, 0);
  assert.ok(childOf(lab.child.pid, "tunlab-guard") && childOf(lab.child.pid, "tunlab-traffic"));
  assert.doesNotMatch(run(["clean"]).out, new RegExp(name));
});

on("clean: a stopped guard of a lab that is gone is ended", async () => {
  const { name, guard } = await crashedLab("SIGSTOP");
  assert.ok(isAlive(guard) && existsSync(socketOf(name)));
  const doc = JSON.parse(run(["clean", "--json"]).out);
  assert.equal(doc.schema, "tunlab.clean/1");
  assert.deepEqual(doc.processes.filter((p) => p.pid === Number(guard)), [{ pid: Number(guard), name: "tunlab-guard" }]);
  assert.ok(doc.sockets.includes(name));
  assert.ok(await eventually(() => !isAlive(guard) || /\) Z/.test(readFileSync(`/proc/${guard}/stat`, "utf8"))));
  assert.ok(!existsSync(socketOf(name)));
});

on("a lab whose guard was killed still removes its socket when it ends", async () => {
  const other = await Lab.start("idle", ["--set", "lab.hosts=2"]);
  process.kill(childOf(other.child.pid, "tunlab-guard"), "SIGKILL");
  await other.stop();
  assert.ok(!existsSync(socketOf(other.name)));
});

on("--detach returns when the lab is ready; --lab tells labs apart; a taken page address is said", async () => {
  const name = labName("away");
  const url = lab.json("status").labs[0].url;
  const taken = run(["run", "idle", "--name", name, "--listen", new URL(url).host]);
  assert.equal(taken.status, 3);
  assert.match(taken.err, /another program listens there.*--listen/);
  const r = run(["run", "idle", "--detach", "--name", name, "--listen", "127.0.0.1:0", "--set", "lab.hosts=2"]);
  try {
    assert.equal(r.status, 0, r.err);
    assert.equal(run(["exec", "--lab", name, "c0", "--", "ping", "-c1", "-W5", "192.168.0.2"]).status, 0);
    assert.equal(run(["run", "idle", "--name", name, "--headless"]).status, 3, "the name is taken");
    const labs = JSON.parse(run(["status", "--json"]).out).labs.map((l) => l.name);
    assert.ok(labs.includes(name) && labs.includes(lab.name));
    assert.equal(run(["exec", "c0", "--", "true"]).status, 2, "which of them?");
  } finally {
    assert.equal(run(["stop", "--lab", name]).status, 0);
  }
  assert.equal(lab.exec("c0", "true").status, 0, "the other goes on");
});

on("a command inside that outlives its lab does not keep `stop` waiting", async () => {
  const before = machineState(), other = await Lab.start("idle", ["--set", "lab.hosts=2"]);
  const inside = new Child(["exec", "--lab", other.name, "host0", "--", "sh", "-c", "echo inside; exec sleep 300"]);
  try {
    await inside.waitFor(/inside/);
    assert.equal(run(["stop", "--lab", other.name], { timeout: 30_000 }).status, 0);
    assert.equal((await other.child.ended).status, 0);
  } finally {
    await inside.kill("SIGTERM");
  }
  await leftNothing(before);
});

after(() => lab?.stop());
