// SPDX-License-Identifier: Apache-2.0
// run --parser: both walks through a packet count the same, exactly; which one runs is said.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "../lib/tap.mjs";
import { Lab, labName, run, needRoot, scratch } from "../lib/lab.mjs";

const dir = scratch("parser");

test("a parser that there is not: exit 2, with the names of those there are", () => {
  const r = run(["run", "--parser", "fastest"]);
  assert.equal(r.status, 2);
  assert.match(r.err, /fastest.*direct.*tailcall/);
});

test("status says which parser runs; direct unless told otherwise", async () => {
  needRoot();
  for (const [args, parser] of [[[], "direct"], [["--parser", "direct"], "direct"], [["--parser", "tailcall"], "tailcall"]]) {
    const lab = await Lab.start("idle", ["--set", "lab.hosts=1", ...args]);
    try {
      const { labs } = lab.json("status");
      assert.equal(labs.find((l) => l.name === lab.name).monitor.parser, parser);
      assert.equal(/parser tailcall/.test(lab.run("status").out), parser === "tailcall");
    } finally {
      await lab.stop();
    }
  }
});

// Other tunnels than VXLAN, as real traffic: in tests/kernels, for not each kernel has them; as packets: in tests/bpf.
for (const [what, lines] of [
  ["vxlan", ""],
  ["vxlan over IPv6", "underlay = fd00:1::/64\n[vni 10000]\nsubnet = fd00:a::/64"],
])
  test(`by tail calls the monitor is exact: ${what}`, () => {
    needRoot();
    const file = `${dir}/lab.ini`, report = `${dir}/report.json`;
    writeFileSync(file, `[lab]
hosts = 3
vnis = 10000-10001
duration = 1s
${lines}
[traffic pings]
from = all
to = all
rate = 50pps
[traffic flood]
from = c0
proto = udp
rate = 2kpps
size = 900
[assert all arrived]
check = delivery() == 100%
[assert the counts agree]
check = mismatch() == 0
[assert nothing unexplained]
check = unplanned() == 0
[assert nothing missed]
check = monitor.lost == 0
[assert nothing misread]
check = monitor.unknown == 0
[assert nothing cut]
check = monitor.truncated == 0
[assert flows]
check = packets(traffic=flood) >= 1900
`);
    const r = run(["run", file, "--headless", "--assert", "--name", labName(), "--parser", "tailcall", "--report", `json:${report}`, "--report", "tap"]);
    assert.equal(r.status, 0, r.out + r.err);
    assert.equal(JSON.parse(readFileSync(report, "utf8")).monitor.parser, "tailcall");
  });
