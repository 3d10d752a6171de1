// SPDX-License-Identifier: Apache-2.0
// Real labs for tests: starts the real program, waits for what it says, and takes everything down again, also when a test
// fails. Kills only what it started, by process id.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { isDeepStrictEqual } from "node:util";
import { skip } from "./tap.mjs";

const build = new URL("../../build/", import.meta.url).pathname;
export const tunlab = build + "tunlab";
export const tunlabAsan = build + "asan/tunlab";
export const isRoot = process.getuid() === 0;
export const needRoot = () => isRoot || skip("needs root");

const running = new Set();

process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

let counter = 0;
// A name no other test and no user's lab has.
export function labName(stem = "test") {
  return `${stem}-${process.pid}-${++counter}`;
}

// A folder for what a test writes; gone when it ends, however it does.
export function scratch(what) {
  const folder = mkdtempSync(`${tmpdir()}/tunlab-${what}-`);
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

// Runs a command to its end: {status, signal, out, err}.
export function run(args, { bin = tunlab, timeout = 60_000, ...options } = {}) {
  const r = spawnSync(bin, args, { encoding: "utf8", timeout, killSignal: "SIGKILL", maxBuffer: 1 << 26, ...options });
  return { status: r.status, signal: r.signal, out: r.stdout ?? "", err: r.stderr ?? "", error: r.error };
}

export function json(args, options) {
  const r = run(args, options);
  if (r.status !== 0) throw new Error(`tunlab ${args.join(" ")}: exit ${r.status}: ${r.err}`);
  return JSON.parse(r.out);
}

// A process whose output is collected; waitFor(regex) resolves with the match, ended with its exit.
export class Child {
  constructor(args, { bin = tunlab, ...options } = {}) {
    this.out = "";
    this.err = "";
    this.waiters = [];
    this.process = spawn(bin, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
    running.add(this.process);
    this.process.stdout.on("data", (d) => this.heard("out", d));
    this.process.stderr.on("data", (d) => this.heard("err", d));
    this.ended = new Promise((resolve) => {
      this.process.on("close", (status, signal) => {
        running.delete(this.process);
        this.exit = { status, signal };
        this.heard("err", "");
        resolve(this.exit);
      });
    });
  }
  get pid() {
    return this.process.pid;
  }
  heard(stream, data) {
    this[stream] += data;
    this.waiters = this.waiters.filter((w) => !w());
  }
  waitFor(pattern, timeout = 20_000) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const m = pattern.exec(this.err) ?? pattern.exec(this.out);
        if (m) resolve(m);
        else if (this.exit) reject(new Error(`ended (${JSON.stringify(this.exit)}) before ${pattern}: ${this.err}${this.out}`));
        return m || this.exit;
      };
      const timer = setTimeout(() => reject(new Error(`no ${pattern} within ${timeout} ms: ${this.err}${this.out}`)), timeout);
      if (look()) clearTimeout(timer);
      else
        this.waiters.push(() => {
          const done = look();
          if (done) clearTimeout(timer);
          return done;
        });
    });
  }
  kill(signal = "SIGKILL") {
    if (!this.exit) this.process.kill(signal);
    return this.ended;
  }
}

// As run(), while other things go on.
export async function runBeside(args, options) {
  const child = new Child(args, options);
  return { ...(await child.ended), out: child.out, err: child.err };
}

// A running lab; `await using`-less on purpose (node 18): call stop() in finally.
export class Lab {
  static async start(scenario, args = [], { page = false, ...options } = {}) {
    const lab = new Lab();
    lab.name = labName();
    lab.child = new Child(["run", ...(scenario ? [scenario] : []), "--name", lab.name, "--listen", "127.0.0.1:0", ...args], options);
    await lab.child.waitFor(/clients up in/);
    if (page) [[, lab.url], [, lab.token]] = [await lab.child.waitFor(/page (http:\S+)/), await lab.child.waitFor(/token (\S+) /)];
    return lab;
  }
  run(command, ...args) {
    return run([command, "--lab", this.name, ...args]);
  }
  json(command, ...args) {
    return json([command, "--lab", this.name, "--json", ...args]);
  }
  exec(where, ...command) {
    return run(["exec", "--lab", this.name, where, "--", ...command]);
  }
  async stop() {
    const timer = setTimeout(() => this.child.kill(), 20_000);
    if (!this.child.exit) await runBeside(["stop", "--lab", this.name]);
    const exit = await this.child.ended;
    clearTimeout(timer);
    return exit;
  }
}

// Processes whose command line names a lab of this test run (see labName); a user's own labs are none of our business.
export function ourProcesses() {
  const mark = `-${process.pid}-`;
  return readdirSync("/proc")
    .filter((d) => /^\d+$/.test(d))
    .filter((d) => {
      try {
        return readFileSync(`/proc/${d}/comm`, "utf8").startsWith("tunlab") && readFileSync(`/proc/${d}/cmdline`, "utf8").includes(mark);
      } catch {
        return false; // it is gone
      }
    });
}

export function have(command) {
  return spawnSync("sh", ["-c", `command -v ${command}`]).status === 0;
}

// What a lab must leave as it was: this machine's own network namespace, the runtime folder, processes.
export function machineState() {
  const ip = (...args) => spawnSync("ip", args, { encoding: "utf8" }).stdout;
  const stable = (text) => text.replace(/ (qlen|mtu|valid_lft|preferred_lft) \S+/g, "");
  const machine = {
    links: ip("-o", "link").replace(/^(\d+): /gm, ""),
    addresses: stable(ip("-o", "addr")),
    rules: ip("rule"),
    namespaces: ip("netns"),
    sockets: existsSync("/run/tunlab") ? readdirSync("/run/tunlab").filter((f) => f.includes(`-${process.pid}-`)) : [],
    processes: ourProcesses(),
  };
  return { machine, programs: programs() };
}

// Numbers of the BPF programs of labs, anybody's. Listed by a helper of the tests' own, so that no tool can be missing.
function programs() {
  const listed = spawnSync(`${build}tests/lib/programs`, { encoding: "utf8" });
  if (isRoot) assert.equal(listed.status, 0, `BPF programs cannot be listed: ${listed.error ?? listed.stderr}`);
  return (listed.stdout ?? "").split("\n").map((line) => line.split(" ")).filter(([, name]) => /^(observe|walk|lose)_/.test(name)).map(([id]) => id);
}

function tryTo(fn, otherwise) {
  try {
    return fn();
  } catch {
    return otherwise; // it is gone
  }
}

// Those that a process holds: of a lab that lives, perhaps somebody else's.
function heldPrograms() {
  const held = new Set();
  for (const pid of readdirSync("/proc").filter((d) => /^\d+$/.test(d)))
    for (const fd of tryTo(() => readdirSync(`/proc/${pid}/fd`), []))
      if (tryTo(() => readlinkSync(`/proc/${pid}/fd/${fd}`), "") === "anon_inode:bpf-prog")
        held.add(/prog_id:\s*(\d+)/.exec(tryTo(() => readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8"), ""))?.[1]);
  return held;
}

// Those among them that are there still, and that nobody holds.
function leftPrograms(among) {
  const there = among.length ? programs().filter((id) => among.includes(id)) : [];
  const held = there.length ? heldPrograms() : new Set();
  return there.filter((id) => !held.has(id));
}

// Asserts that the machine is as it was (an earlier machineState()). A lab that was stopped leaves nothing to wait for but the
// freeing of programs, which the kernel defers; one that was killed leaves it all to the kernel. Programs of somebody else's killed
// lab look like ours, and are waited for as well: what is left over stays.
export async function leftNothing(before, { killed = false } = {}) {
  const fresh = programs().filter((id) => !before.programs.includes(id)); // what comes later is somebody else's
  await eventually(() => isDeepStrictEqual(machineState().machine, before.machine), killed ? 30_000 : 2_000);
  assert.deepEqual(machineState().machine, before.machine);
  let left;
  await eventually(() => (left = leftPrograms(fresh)).length === 0, 30_000);
  assert.deepEqual(left, [], "BPF programs of a lab that is gone");
}

// What a flow table counted, as text to compare: time goes on, and so does what the monitor costs.
export function counted({ elapsed_s: _, monitor: { cost: __, ...monitor }, ...counts }) {
  return JSON.stringify({ ...counts, monitor });
}

// Packets that found a receive queue of this machine full, so far: the one way in which it loses any on a lab that is not impaired.
export function droppedAtFullQueues() {
  return readFileSync("/proc/net/softnet_stat", "utf8").trim().split("\n").reduce((sum, line) => sum + parseInt(line.split(" ")[1], 16), 0);
}

// As fetch(), on a connection of its own: the page's server ends one that idles for half a second, and a test that was busy itself
// would send its next request into that.
export const fetchAlone = (url, { headers, ...options } = {}) => fetch(url, { ...options, headers: { Connection: "close", ...headers } });

export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

// Retries until fn() is truthy: for what the kernel finishes in the background.
export async function eventually(fn, timeout = 10_000) {
  const end = Date.now() + timeout;
  for (;;) {
    const value = await fn();
    if (value || Date.now() > end) return value;
    await sleep(25);
  }
}
