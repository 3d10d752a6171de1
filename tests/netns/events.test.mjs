// SPDX-License-Identifier: Apache-2.0
// What changes a running lab: impaired links, the scenario's events, live changes by command and over HTTP, and the record of
// it all.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, beside, skip, test } from "../lib/tap.mjs";
import { Child, Lab, eventually, isRoot, labName, leftNothing, machineState, run, runBeside, needRoot, scratch, fetchAlone } from "../lib/lab.mjs";

const dir = scratch("events");
const before = isRoot && machineState();

function scenario(text, name = "t.ini") {
  writeFileSync(`${dir}/${name}`, text);
  return `${dir}/${name}`;
}

const between = (value, low, high, what) => assert.ok(value >= low && value <= high, `${what}: ${value} is not between ${low} and ${high}`);

// A run to its end: its exit status, what it said, and its JSON report (null without a verdict).
async function headless(text, ...args) {
  const name = labName(), file = `${dir}/${name}.json`;
  const r = await runBeside(["run", scenario(text, `${name}-t.ini`), "--headless", "--assert", "--name", name, "--report", "tap", "--report", `json:${file}`,
    ...args]);
  const report = JSON.parse(readFileSync(file, "utf8") || "null");
  if (r.status === 4 && ["events", "backlog", "missed", "slip"].some((figure) => report.validity[figure].broken)) skip(report.invalid); // as it says
  return { ...r, report };
}

const events = (doc) => doc.events.map((e) => [e.name, e.do, e.ok]);

beside("events: a link goes down and comes back, a section stops, starts again and speeds up", async () => {
  needRoot();
  const r = await headless(`[lab]
hosts = 3
vnis = 7
duration = 5s
[traffic base]
from = host2
to = host0
proto = udp
rate = 200pps
[traffic web]
from = host0
to = host1
proto = udp
rate = 100pps
[traffic probe]
from = c0
to = c2
proto = ping
rate = 50pps
[event mend]                ; events need not stand in the order of time
at = 2700ms
do = link host2 up
[event cut]
at = 500ms
do = link host2 down
[event quiet]
at = 1s
do = traffic web stop
[event again]
at = 3s
do = traffic web start
[event fast]
at = 4s
do = traffic web rate 500pps
[assert what is sent meanwhile is sent]
check = packets(traffic=base) == 1000
[assert and lost]
check = loss(traffic=base) > 0%
[assert others are not]
check = loss(traffic=web) == 0%
[assert down it answers nobody]
check = pps(from=host2 proto=ping) == 0
at = 2s
[assert it recovers]
check = pps(from=host2 proto=ping) >= 1
at = 3s
within = 2s
[assert packets of the three times add up]
check = packets(traffic=web) == 700
[assert the time between does not count]
check = pps(traffic=web) ~ 233.3 +- 3%
[assert nothing is counted wrongly]
check = mismatch(proto=udp) == 0
[assert both counts add up]
check = delivery(traffic=web) == 100%
`);
  assert.equal(r.status, 0, r.out + r.err);
  assert.deepEqual(events(r.report), [["cut", "link host2 down", true], ["quiet", "traffic web stop", true], ["mend", "link host2 up", true],
    ["again", "traffic web start", true], ["fast", "traffic web rate 500pps", true]]);
  const [cut, quiet, mend, again, fast] = r.report.events.map((e, i) => (assert.equal(e.seq, i + 1), e.at_s));
  assert.deepEqual([quiet, again, fast], [1, 3, 4], "the engine was told ahead");
  // A link is changed when this machine comes to it, some of the packets of that time go either way: what is lost fits the times told.
  for (const [at, planned] of [[cut, 0.5], [mend, 2.7]]) between(at, planned, planned + 0.5, "a link's change");
  const base = r.report.truth.find((row) => row.from === "c2" && row.proto === "udp");
  between(base.sent - base.received, 200 * (mend - cut) - 12, 200 * (mend - cut) + 12, "lost");
});

beside("a section that is stopped to the end is no reason to wait, nor one that starts again after its own stop", async () => {
  needRoot();
  const r = await headless(`[lab]
hosts = 2
vnis = 7
duration = 3s
[traffic stopped]
from = c0
proto = udp
rate = 100pps
[traffic twice]
from = c1
proto = ping
rate = 100pps
stop = 1s
[traffic waiting]
from = c0
rate = 100pps
start = 2900ms
[event a]
do = link host1 up
[event b]
do = traffic stopped stop
[event c]
do = link host1 reset
[event d]
at = 2s
do = traffic twice start
[event e]
at = 1s
do = traffic waiting start
[assert nothing left]
check = packets(traffic=stopped) <= 2
[assert one second and another, and the answers of two]
check = packets(from=c1 traffic=twice) == 400
[assert all of them come back]
check = delivery(traffic=twice) == 100%
[assert the one that waited was started early]
check = packets(from=c0 traffic=waiting) == 400
[assert both counts agree]
check = mismatch() == 0
`);
  assert.equal(r.status, 0, r.out + r.err);
  assert.deepEqual(r.report.events.map((e) => e.name), ["a", "b", "c", "e", "d"], "those of one time in the order written");
  assert.ok(r.report.elapsed_s < 6, `waited until ${r.report.elapsed_s} s`);
});

beside("[link hostN] holds from the start; --set adds and changes links and events", async () => {
  needRoot();
  const text = `[lab]
hosts = 3
vnis = 7
duration = 2s
[link host1]
loss = 10%
[traffic a]
from = c0
proto = udp
rate = 2kpps
[event end]
at = 1500ms
do = traffic a stop
[assert lossy]
check = loss(to=host1) between 6% and 14%
[assert not lossy]
check = loss(to=host2) == 0%
[assert all of it]
check = packets(traffic=a) ~ 3000 +- 2%
`;
  const r = await headless(text);
  assert.equal(r.status, 0, r.out + r.err);
  const changed = await headless(text, "--set", "link host1.loss=0", "--set", "link host2.loss=10%", "--set", "event end.at=1s", "--set", "event end.do=traffic a rate 1pps");
  assert.equal(changed.status, 1, changed.err);
  assert.match(changed.out, /^not ok 1 .* measured 0%$/m);
  assert.match(changed.out, /^not ok 2 /m);
  assert.deepEqual(events(changed.report), [["end", "traffic a rate 1pps", true]]);
});

// netem is what this machine's kernel may lack; where it does, both forms must say so.
beside("a delay the kernel cannot make: exit 3, the place and the kernel option named, nothing left", async () => {
  needRoot();
  const lab = "[lab]\nhosts = 2\nvnis = 7\nduration = 2s\n[traffic a]\nfrom = c0\n";
  const linked = await headless(`${lab}[link host1]\ndelay = 1ms\n`);
  if (linked.status === 0) skip("this kernel has netem");
  assert.equal(linked.status, 3, linked.err);
  assert.match(linked.err, /t\.ini:7: \[link host1\]: .*CONFIG_NET_SCH_NETEM/);
  const failed = await headless(`${lab}[event slow]\nat = 500ms\ndo = link host1 delay 1ms\n[assert a]\ncheck = loss() == 0%\n`);
  assert.equal(failed.status, 3, failed.err);
  assert.match(failed.err, /t\.ini:9: \[event slow\] do = link host1 delay 1ms: .*CONFIG_NET_SCH_NETEM/);
  assert.match(failed.err, /no verdict/);
});

// ---- live

let lab;
const on = (name, fn) =>
  test(name, async () => {
    needRoot();
    lab ??= await Lab.start(scenario("[lab]\nhosts = 3\nvnis = 7\n[traffic a]\nfrom = c0\nto = c1\nproto = udp\nrate = 50pps\n", "live.ini"), [], { page: true });
    return fn();
  });
const links = (...args) => lab.json("link", ...args).links;
const unimpaired = { rate: null, delay: null, loss: null, down: false };
const status = () => lab.json("status").labs[0];
const pings = (from, address) => lab.exec(from, "ping", "-c", "1", "-W", "1", address).status === 0;

on("link shows all hosts or one", () => {
  assert.deepEqual(links(), [0, 1, 2].map((i) => ({ host: `host${i}`, ...unimpaired })));
  assert.deepEqual(links("show"), links());
  for (const args of [["2"], ["host2"], ["show", "host2"], ["host2", "show"]]) assert.deepEqual(links(...args), [{ host: "host2", ...unimpaired }]);
  assert.match(lab.run("link").out, /^host1 +up /m);
});

on("link down and up: the overlay through that host stops and goes on; status tells", async () => {
  assert.ok(await eventually(() => pings("c0", "192.168.0.3")));
  const r = lab.run("link", "host2", "down");
  assert.equal(r.status, 0, r.err);
  assert.match(r.out, /^host2 +down/m);
  assert.equal(pings("c0", "192.168.0.3"), false);
  assert.equal(status().hosts[2].link.down, true);
  assert.match(lab.run("status").out, /^host2 +down/m);
  assert.equal(lab.run("link", "2", "up").status, 0);
  assert.ok(await eventually(() => pings("c0", "192.168.0.3")));
  assert.doesNotMatch(lab.run("status").out, /^host2 +down/m);
});

on("values stay until they are replaced, taken off or reset", () => {
  assert.deepEqual(links("host1", "rate", "50mbit", "loss", "1%"), [{ host: "host1", ...unimpaired, rate: "50mbit", loss: "1%" }]);
  assert.deepEqual(links("host1", "loss", "0.5%"), [{ host: "host1", ...unimpaired, rate: "50mbit", loss: "0.5%" }]);
  assert.deepEqual(links("host1", "rate", "0"), [{ host: "host1", ...unimpaired, loss: "0.5%" }]);
  assert.deepEqual(links("host1", "reset"), [{ host: "host1", ...unimpaired }]);
  assert.deepEqual(links(), [0, 1, 2].map((i) => ({ host: `host${i}`, ...unimpaired })));
});

on("what cannot be is refused: exit 2 and a sentence; the link stays as it was", () => {
  for (const [args, pattern] of [
    [["host3", "down"], /host0 to host2/],
    [["host3"], /host0 to host2/],
    [["uplink", "down"], /host3 or 3/],
    [["host1", "rate", "500pps"], /in bits/],
    [["host1", "rate"], /no value/],
    [["host1", "loss", "101%"], /100%/],
    [["host1", "delay", "2m"], /60s/],
    [["host1", "donw"], /did you mean down/],
    [["host1", "down", "up"], /beside/],
    [["host1", "loss", "1%", "loss", "2%"], /twice/],
  ]) {
    const r = lab.run("link", ...args);
    assert.equal(r.status, 2, `${args}: ${r.err}`);
    assert.match(r.err, pattern);
    assert.equal(r.out, "");
  }
  assert.deepEqual(links("host1"), [{ host: "host1", ...unimpaired }]);
});

const post = (host, body, headers = {}) =>
  fetchAlone(`${lab.url}api/v1/link/${host}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${lab.token}`, ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

on("POST /api/v1/link/HOST changes it as the command does", async () => {
  const r = await post("host1", { rate: "20mbit", loss: "2%", down: false });
  assert.equal(r.status, 200);
  assert.deepEqual((await r.json()).links, [{ host: "host1", ...unimpaired, rate: "20mbit", loss: "2%" }]);
  assert.deepEqual(links("host1")[0].loss, "2%");
  assert.deepEqual((await (await post("1", { loss: null, down: true })).json()).links, [{ host: "host1", ...unimpaired, rate: "20mbit", down: true }]);
  assert.deepEqual((await (await post("host1", { ...unimpaired, loss: 0, reset: false })).json()).links, [{ host: "host1", ...unimpaired }], "what one reads can be written");
  assert.equal((await post("host1", { reset: true })).status, 200);
});

on("POST /api/v1/link/HOST without the token, or with what cannot be, changes nothing", async () => {
  for (const [what, status, host, body, headers] of [
    ["no token", 403, "host1", { down: true }, { Authorization: "" }],
    ["a wrong token", 403, "host1", { down: true }, { Authorization: "Bearer 00000000000000000000000000000000" }],
    ["another site", 403, "host1", { down: true }, { Origin: "http://example.org" }],
    ["no JSON", 415, "host1", { down: true }, { "Content-Type": "text/plain" }],
    ["broken JSON", 400, "host1", '{"down": tru'],
    ["no object", 400, "host1", "[]"],
    ["nothing to do", 400, "host1", {}],
    ["an unknown member", 400, "host1", { down: true, speed: 1 }],
    ["a member twice", 400, "host1", '{"loss": "1%", "loss": "2%"}'],
    ["a wrong type", 400, "host1", { down: "yes" }],
    ["two words in one", 400, "host1", { rate: "1mbit down" }],
    ["a wrong value", 400, "host1", { loss: "200%" }],
    ["no such host", 404, "host3", { down: true }],
    ["no host at all", 404, "fabric", { down: true }],
    ["nobody", 404, "", { down: true }],
  ]) {
    const r = await post(host, body, headers);
    assert.equal(r.status, status, what);
    assert.ok((await r.text()).length > 0, what);
  }
  assert.equal((await fetchAlone(`${lab.url}api/v1/link/host1`)).status, 405);
  assert.deepEqual(links("host1"), [{ host: "host1", ...unimpaired }]);
});

on("live changes are recorded: status, lab, history and the feed have them", async () => {
  const n = status().events.length;
  assert.ok(n >= 5, `${n} so far`);
  lab.run("link", "host0", "loss", "3%");
  const child = new Child(["traffic", "--lab", lab.name, "--client", "c2", "--rate", "20pps"]);
  await child.waitFor(/ s .*pps/);
  await child.kill("SIGKILL");
  const wanted = ["link host0 loss 3%", "traffic live-1 start (c2, udp, 20pps)", "traffic live-1 stop (c2)"];
  const newest = (doc) => doc.events.slice(-3).map((e) => e.do);
  assert.ok(await eventually(() => newest(status()).at(-1) === wanted.at(-1)));
  const last = status().events.slice(-3);
  assert.deepEqual(last.map((e) => e.do), wanted);
  assert.ok(last.every((e) => e.ok && e.name === null && e.error === null && e.at_s > 0 && Math.abs(e.time - Date.now() / 1e3) < 60));
  const get = async (path) => (await fetchAlone(`${lab.url}api/v1/${path}`)).json();
  assert.ok(await eventually(async () => (await get("history")).events.at(-1)?.do === wanted.at(-1)), "a sample later");
  const history = await get("history");
  assert.deepEqual(newest(history), wanted);
  assert.deepEqual(history.events, (await get("lab")).events.slice(-history.events.length));
  assert.deepEqual((await get(`history?since=${history.samples.at(-1).seq}`)).events, []);
  assert.match(lab.run("status").out, /live +link host0 loss 3%/);
  assert.equal(lab.run("link", "host0", "reset").status, 0);
});

on("the lab goes, whatever its links were", async () => {
  lab.run("link", "host0", "down", "loss", "50%", "rate", "1mbit");
  assert.equal((await lab.stop()).status, 0);
  await leftNothing(before);
});

after(() => lab?.stop());
