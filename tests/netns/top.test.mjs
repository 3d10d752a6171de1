// SPDX-License-Identifier: Apache-2.0
// tunlab top on a real terminal: what it draws, its keys, and that the terminal is afterwards what it was, however it ended.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "../lib/tap.mjs";
import { Child, Lab, eventually, run, tunlab, needRoot } from "../lib/lab.mjs";

const terminal = new URL("../../build/tests/lib/terminal", import.meta.url).pathname;

let lab;
after(() => lab?.stop());
const theLab = async () => (lab ??= await Lab.start("skewed"));

// A terminal with `tunlab top` in it. What it draws is cumulated in out; screens are told apart by "go to the first place".
class Top extends Child {
  constructor(args = [], { columns = 80, rows = 24, env = {} } = {}) {
    super([columns, rows, tunlab, "top", "--lab", lab.name, ...args].map(String),
      { bin: terminal, stdio: ["pipe", "pipe", "pipe", "pipe"], env: { ...process.env, TERM: "xterm", LANG: "C.UTF-8", ...env } });
    this.process.stdout.setEncoding("utf8"); // a character may come in two pieces
  }
  type(keys) {
    this.process.stdin.write(keys);
  }
  resize(columns, rows) {
    this.process.stdio[3].write(`size ${columns} ${rows}\n`);
  }
  get pidInside() {
    return Number(/pid (\d+)/.exec(this.err)[1]);
  }
  // Lines of the newest whole screen, without colours: the one before what is being drawn may be incomplete.
  screen() {
    const whole = this.out.split("\x1b[H").filter((s) => s.includes("q: quit")).at(-1) ?? "";
    return whole.replace(/(q: quit)[^]*/, "$1").replace(/\x1b\[[0-9;]*[mK]/g, "").split("\r\n");
  }
  shows(pattern, timeout = 20_000) {
    return this.waitUntil(() => pattern.test(this.screen().join("\n")), pattern, timeout);
  }
  waitUntil(fn, what, timeout = 20_000) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${what}: ${this.screen().join("\n")}${this.err}`)), timeout);
      const look = () => {
        const done = fn();
        if (done || this.exit) {
          clearTimeout(timer);
          if (done) resolve();
          else reject(new Error(`ended before ${what}: ${this.err}`));
        }
        return done || this.exit;
      };
      if (!look()) this.waiters.push(look);
    });
  }
  async leftWell(status) {
    const end = await this.ended;
    assert.equal(end.status, status, this.err);
    assert.match(this.err, /terminal restored/);
    assert.ok(this.out.includes("\x1b[?1049h") && this.out.trimEnd().endsWith("\x1b[?1049l"), "the alternate screen is left, nothing is drawn after it");
    assert.equal(this.out.split("\x1b[?25l").length, this.out.split("\x1b[?25h").length, "the cursor is back");
  }
}

test("the busiest client is the first row; views, order, pause, size; q", async () => {
  needRoot();
  await theLab();
  const top = new Top();
  await top.shows(/\nc3 +host0 +[4-5]\.\d+ Mbit\/s/);
  let lines = top.screen();
  assert.equal(lines.length, 24);
  assert.deepEqual(lines.filter((l) => [...l].length > 80), [], "no line is longer than the terminal is wide");
  assert.match(lines[0], /^\S+  \d+\.\d s  sent \d.* pps  received/);
  assert.match(lines[1], /^monitor (ok|amber): /);
  assert.match(lines[4], /^c3 /);
  assert.match(lines.at(-1), /q: quit$/);
  top.type("p");
  await top.shows(/\n +10003 c3 +c\d+ +4\.\d+ Mbit/);
  top.type("v");
  await top.shows(/\n +10003 +\d+ +4\.\d+ Mbit/);
  top.type("h");
  await top.shows(/\nhost0 +172\.16\.1\.100 +4\.\d+ Mbit/);
  top.type("s");
  await top.shows(/ by packets/);
  top.resize(200, 50);
  await top.waitUntil(() => top.screen().length === 50, "50 lines");
  await top.shows(/\nhost0 .* +█\n/); // the newest is in the last column
  assert.ok(top.screen().some((l) => l.length > 80 && l.length <= 200));
  top.type(" ");
  await top.shows(/ paused /);
  const held = top.screen()[0];
  await top.waitUntil(() => top.out.split("\x1b[H").length > 8 && top.screen()[0] === held, "a held screen");
  top.type(" ");
  await top.waitUntil(() => top.screen()[0] !== held, "a screen that goes on");
  top.type("\x1b[A"); // a cursor key's letters are no keys
  top.type("q");
  await top.leftWell(0);
});

test("NO_COLOR and a locale without UTF-8 are honoured", async () => {
  needRoot();
  await theLab();
  const top = new Top([], { env: { NO_COLOR: "1", LANG: "C", LC_ALL: "C" } });
  await top.shows(/\nc3 .*#\n/);
  assert.ok(!/\x1b\[[0-9;]+m/.test(top.out.replace("\x1b[0m", "")), "no colours");
  assert.ok(/^[\x00-\x7f]*$/.test(top.out), "nothing but ASCII");
  top.type("q");
  await top.leftWell(0);
});

for (const [what, end, status] of [["Ctrl-C", (top) => top.type("\x03"), 130], ["SIGTERM", (top) => process.kill(top.pidInside, "SIGTERM"), 143],
  ["SIGHUP", (top) => process.kill(top.pidInside, "SIGHUP"), 129]])
  test(`${what} leaves the terminal as it was`, async () => {
    needRoot();
    await theLab();
    const top = new Top();
    await top.shows(/\nc3 /);
    end(top);
    await top.leftWell(status);
  });

test("Ctrl-Z gives the terminal back, and it goes on afterwards", async () => {
  needRoot();
  await theLab();
  const top = new Top();
  await top.shows(/\nc3 /);
  top.type("\x1a");
  await top.waitUntil(() => top.out.endsWith("\x1b[?1049l"), "the screen left");
  assert.ok(await eventually(() => / T /.test(readFileSync(`/proc/${top.pidInside}/stat`, "utf8"))), "it is stopped");
  process.kill(top.pidInside, "SIGCONT");
  await top.waitUntil(() => top.out.split("\x1b[?1049h").length === 3, "the screen again");
  top.type("q");
  await top.leftWell(0);
});

test("where there is no terminal it says so, and what to take", async () => {
  needRoot();
  await theLab();
  const r = run(["top", "--lab", lab.name]);
  assert.equal(r.status, 2);
  assert.match(r.err, /no terminal .*`tunlab top --json`, or `tunlab flows --by client --rates --watch`/);
  for (const [args, message] of [[["--by", "colours"], /--by colours: want one of clients, pairs, vnis, hosts/],
    [["--sort", "size"], /--sort size: want one of bits, packets/], [["--top", "3"], /goes with --json/], [["--top", "0", "--json"], /whole number/],
    [["--json", "--lab", "nobody"], /nobody/]]) {
    const wrong = run(["top", ...args]);
    assert.equal(wrong.status, 2, wrong.err);
    assert.match(wrong.err, message);
  }
});

test("--json: a document a second, busiest first by rate", async () => {
  needRoot();
  await theLab();
  const top = new Child(["top", "--lab", lab.name, "--json", "--top", "2", "--sort", "packets"]);
  await top.waitFor(/("received_bps".*\n.*){2}\n/); // a lab that has just begun has no rates yet
  await top.kill("SIGTERM");
  const docs = top.out.split("\n").filter((l) => l.includes("received_bps")).slice(0, 2).map((l) => JSON.parse(l));
  for (const doc of docs) {
    assert.equal(doc.schema, "tunlab.rows/1");
    assert.equal(doc.rows.length, 2);
    assert.ok(doc.rows[0].rates.pps >= doc.rows[1].rates.pps);
    assert.equal(doc.rows[0].client, "c3");
    assert.ok("received_bps" in doc.rows[0].rates);
  }
  assert.ok(docs[1].elapsed_s > docs[0].elapsed_s);
});

test("when the lab ends the terminal is left as it was", async () => {
  needRoot();
  await theLab();
  const top = new Top();
  await top.shows(/\nc3 /);
  await lab.stop();
  lab = undefined;
  const end = await top.ended;
  assert.equal(end.status, 0);
  assert.match(top.err, /terminal restored/);
  assert.match(top.out, /\x1b\[\?1049l\s*tunlab: the lab has ended\s*$/);
});
