// SPDX-License-Identifier: Apache-2.0
// tunlab run as a user starts it: shipped scenarios and their verdicts, wrong input, a machine that cannot.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { skip, test } from "../lib/tap.mjs";
import { Child, Lab, eventually, json, labName, leftNothing, machineState, ourProcesses, run, tunlab, tunlabAsan, have, needRoot, scratch } from "../lib/lab.mjs";

const dir = scratch("run");
const readlink = (path) => {
  try {
    return readlinkSync(path);
  } catch {
    return ""; // not open
  }
};

function scenario(text, name = "t.ini") {
  writeFileSync(`${dir}/${name}`, text);
  return `${dir}/${name}`;
}

const headless = (args, options) => run(["run", "--headless", "--assert", "--name", labName(), ...args], options);

test("without --report the verdict is TAP on standard output; a check that does not hold: exit 1", () => {
  needRoot();
  const r = headless([scenario("[lab]\nhosts=2\nvnis=7\nduration=1s\n[traffic a]\nfrom=c0\nproto=udp\nrate=100pps\n[assert wrong]\ncheck=packets(from=c0) == 99\n")]);
  assert.equal(r.status, 1, r.out + r.err);
  assert.match(r.out, /^TAP version 14\n1\.\.1\nnot ok 1 - wrong: .* measured 100$/m);
  assert.match(r.out, /c0 192\.168\.0\.1 to c1 192\.168\.0\.2, ipv4\/udp, VNI 7/, "the flow behind the value");
});

test("an unknown report format is refused before anything is built", () => {
  const r = headless(["--report", "pdf"]);
  assert.equal(r.status, 2);
  assert.match(r.err, /pdf.*(tap|junit|json)/s);
});

test("scenario mistakes: all of them, file and line, exit 2, nothing built", () => {
  const file = scenario("[lab]\nhosts = 0\ncolour = red\n[vni 99]\n[traffic x]\nrate = fast\n");
  const r = run(["run", file, "--headless"]);
  assert.equal(r.status, 2);
  for (const line of [2, 3, 6]) assert.match(r.err, new RegExp(`t\\.ini:${line}: `));
});

for (const [what, args] of [["no command", []], ["unknown command", ["fly"]], ["unknown option", ["run", "--fly"]],
  ["missing value", ["run", "--name"]], ["too many arguments", ["plan", "a", "b"]], ["an address that is none", ["run", "--listen", "bogus"]], ["no such scenario", ["check", "nonesuch"]]])
  test(`usage: ${what}: exit 2 and a sentence`, () => {
    const r = run(args);
    assert.equal(r.status, 2);
    assert.match(r.err, /tunlab|\n/);
    assert.equal(r.out, "");
  });

test("a folder that has the name of a shipped scenario is no scenario", () => {
  mkdirSync(`${dir}/skewed`);
  assert.equal(run(["check", "skewed"], { cwd: dir }).status, 0);
  mkdirSync(`${dir}/nonesuch`);
  const r = run(["check", "nonesuch"], { cwd: dir });
  assert.equal(r.status, 2);
  assert.match(r.err, /nonesuch: Is a directory/);
});

test("without privilege: exit 3 and what to do", () => {
  needRoot();
  if (!have("setpriv")) skip("setpriv (util-linux) is missing");
  const r = run(["--reuid=65534", "--regid=65534", "--clear-groups", "--", tunlab, "run"], { bin: "setpriv" });
  assert.equal(r.status, 3, r.err);
  assert.match(r.err, /sudo/);
});

test("the page's address in use: exit 3, the address named, nothing left", async () => {
  needRoot();
  const before = machineState();
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = `127.0.0.1:${server.address().port}`;
  const r = run(["run", "--name", labName(), "--listen", address]);
  server.close();
  assert.equal(r.status, 3, r.err);
  assert.ok(r.err.includes(address), r.err);
  await leftNothing(before);
});

test("a kernel that refuses half way: exit 3, what was tried, where and why; nothing left", async () => {
  needRoot();
  const before = machineState();
  const limit = "echo 5 >/proc/sys/user/max_net_namespaces && exec \"$0\" run idle --headless --name \"$1\"";
  const r = run(["-Urn", "sh", "-c", limit, tunlab, labName()], { bin: "unshare" });
  if (/unshare/.test(r.err) && r.status !== 3) skip("user namespaces are not allowed here");
  assert.equal(r.status, 3, r.err);
  assert.match(r.err, /cannot make a network namespace for c\d+: .*max_net_namespaces/);
  await leftNothing(before);
});

test("root of a user namespace only: exit 3 and a sentence", () => {
  needRoot();
  const r = run(["-Ur", tunlab, "run", "idle", "--headless", "--name", labName()], { bin: "unshare" });
  if (/^unshare:/.test(r.err)) skip("user namespaces are not allowed here");
  assert.equal(r.status, 3, r.err);
  assert.match(r.err, /user namespace/);
});

test("more VNIs on a host than a socket may join groups by default", () => {
  needRoot();
  const r = headless([scenario("[lab]\nhosts=2\nvnis=1-24\nduration=1s\n[traffic t]\nrate=5pps\n[assert all arrive]\ncheck=delivery() == 100%\n")]);
  assert.equal(r.status, 0, r.out + r.err);
});

test("closed standard streams; a full standard output is an error", () => {
  const r = run(["-c", '"$0" help >/dev/full', tunlab], { bin: "sh" });
  assert.equal(r.status, 3);
  assert.match(r.err, /standard output/);
  needRoot();
  assert.equal(run(["-c", 'exec "$0" run idle --headless --assert --duration 100ms --name "$1" >&- 2>&- <&-', tunlab, labName()], { bin: "sh" }).status, 0);
});

test("too few open files and no way to raise the limit: exit 3 and the number needed", () => {
  needRoot();
  if (!have("setpriv")) skip("setpriv (util-linux) is missing");
  const r = run(["-c", 'ulimit -n 30; exec setpriv --bounding-set=-sys_resource "$0" run idle --headless', tunlab], { bin: "bash" });
  assert.equal(r.status, 3, r.err);
  assert.match(r.err, /needs \d+ open files/);
});

test("a lab of the same name: exit 3 and which", async () => {
  needRoot();
  const lab = await Lab.start("idle");
  try {
    const r = run(["run", "idle", "--headless", "--name", lab.name]);
    assert.equal(r.status, 3);
    assert.ok(r.err.includes(lab.name));
    assert.equal(lab.json("status").labs.length, 1, "the first lab is not disturbed");
  } finally {
    await lab.stop();
  }
});

for (const signal of ["SIGINT", "SIGTERM"])
  test(`${signal} ends the lab: exit 128+N, nothing left`, async () => {
    needRoot();
    const before = machineState();
    const lab = await Lab.start("skewed");
    const exit = await lab.child.kill(signal);
    assert.equal(exit.status, signal === "SIGINT" ? 130 : 143);
    await leftNothing(before);
  });

test("--detach returns when the lab is ready; stop ends it", async () => {
  needRoot();
  const before = machineState();
  const name = labName();
  const r = run(["run", "idle", "--detach", "--name", name, "--listen", "127.0.0.1:0"]);
  assert.equal(r.status, 0, r.err);
  for (const pid of ourProcesses())
    for (const fd of [1, 2]) assert.doesNotMatch(readlink(`/proc/${pid}/fd/${fd}`), /pipe|pts/, "the terminal's descriptors are let go");
  assert.equal(json(["status", "--json", "--lab", name]).labs[0].state, "running");
  assert.equal(run(["stop", "--lab", name]).status, 0);
  await leftNothing(before);
});

test("--detach interrupted before the lab is ready leaves none behind", async () => {
  needRoot();
  const before = machineState();
  const name = labName();
  const child = new Child(["run", "idle", "--detach", "--name", name, "--headless", "--set", "lab.hosts=40", "--set", "lab.wiring=direct"]);
  try {
    assert.ok(await eventually(() => ourProcesses().length > 1), "the one that builds");
    await child.kill("SIGINT");
    await leftNothing(before, { killed: true });
  } finally {
    run(["stop", "--lab", name]); // where the signal came too late
  }
});

test("--detach passes on a failure", () => {
  needRoot();
  const r = run(["run", "idle", "--detach", "--name", labName(), "--listen", "192.0.2.1:80"]);
  assert.equal(r.status, 3, r.err);
});

test("--duration ends an interactive run, --set and --seed change the scenario", async () => {
  needRoot();
  const child = new Child(["run", "idle", "--name", labName(), "--listen", "127.0.0.1:0", "--duration", "300ms", "--set", "lab.hosts=3", "--seed", "5"]);
  await child.waitFor(/3 hosts/);
  assert.deepEqual(await child.ended, { status: 0, signal: null });
});

test("both wirings, both ways of flooding, both families: everything arrives and is counted", async () => {
  needRoot();
  const file = scenario(`[lab]
hosts = 3
vnis = 10-11
duration = 1s
[traffic pings]
rate = 20pps
[traffic datagrams]
proto = udp
rate = 50pps
[assert delivery]
check = delivery() == 100%
[assert loss]
check = loss() == 0%
[assert mismatch]
check = mismatch() == 0
[assert unplanned]
check = unplanned() == 0
[assert hosts]
check = hosts() == 3
`);
  const ways = [[], ["lab.wiring=direct"], ["lab.flood=unicast"], ["lab.underlay=fd00:1::/64"],
    ["vni 10.subnet=fd00:a::/64", "vni 11.subnet=fd00:b::/64"],
    ["lab.underlay=fd00:1::/64", "vni 10.subnet=fd00:a::/64", "vni 11.subnet=fd00:b::/64", "lab.wiring=direct", "lab.flood=unicast"]];
  const children = ways.map((way) => new Child(["run", file, "--headless", "--assert", "--name", labName(), ...way.flatMap((s) => ["--set", s])]));
  for (const [i, child] of children.entries()) assert.equal((await child.ended).status, 0, `${ways[i]}: ${child.out}${child.err}`);
});

test("the sanitized program, all its processes, runs the skewed lab without a complaint", () => {
  needRoot();
  const log = `${dir}/sanitizer`;
  const options = `log_path=${log}`;
  const r = headless(["skewed", "--duration", "2s"], { bin: tunlabAsan, env: { ...process.env, ASAN_OPTIONS: options, UBSAN_OPTIONS: options } });
  const complaints = readdirSync(dir).filter((f) => f.startsWith("sanitizer")).map((f) => readFileSync(`${dir}/${f}`, "utf8"));
  assert.deepEqual(complaints, []);
  assert.equal(r.status, 0, r.out + r.err);
});
