// SPDX-License-Identifier: Apache-2.0
// SIGKILL at several moments: the machine is as it was, without anybody cleaning up.
import { readdirSync, readlinkSync } from "node:fs";
import { test, skip } from "../lib/tap.mjs";
import { Child, Lab, isRoot, labName, leftNothing, machineState, sleep } from "../lib/lab.mjs";

// Network namespaces that some process is in or holds a descriptor of.
function namespaces() {
  const found = new Set();
  for (const pid of readdirSync("/proc").filter((d) => /^\d+$/.test(d)))
    try {
      found.add(readlinkSync(`/proc/${pid}/ns/net`));
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        const target = readlinkSync(`/proc/${pid}/fd/${fd}`);
        if (target.startsWith("net:[")) found.add(target);
      }
    } catch {
      // the process is gone
    }
  return found.size;
}

const state = () => ({ ...machineState(), held: namespaces() });

for (const ms of [5, 20, 40, 60, 80, 110, 150, 400, 1500])
  test(`SIGKILL ${ms} ms after the start leaves the machine as it was`, async () => {
    if (!isRoot) skip("needs root");
    const before = state();
    const child = new Child(["run", "skewed", "--name", labName("kill"), "--listen", "127.0.0.1:0"]);
    await sleep(ms);
    await child.kill("SIGKILL");
    await leftNothing(before, state);
  });

test("SIGKILL of a running lab with traffic from another terminal", async () => {
  if (!isRoot) skip("needs root");
  const before = state();
  const lab = await Lab.start("skewed");
  const traffic = new Child(["traffic", "--lab", lab.name, "--client", "3", "--rate", "500pps"]);
  await traffic.waitFor(/pps/);
  await lab.child.kill("SIGKILL");
  await traffic.ended;
  await leftNothing(before, state);
});

test("a second lab of a killed one's name starts", async () => {
  if (!isRoot) skip("needs root");
  const name = labName("again");
  for (let i = 0; i < 2; i++) {
    const child = new Child(["run", "idle", "--name", name, "--listen", "127.0.0.1:0"]);
    await child.waitFor(/clients up in/);
    await child.kill("SIGKILL");
  }
});
