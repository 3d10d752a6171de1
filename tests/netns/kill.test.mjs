// SPDX-License-Identifier: Apache-2.0
// SIGKILL at several moments: the machine is as it was, without anybody cleaning up. The namespaces have no names, so only a
// process could hold one: none of ours is left.
import { test, skip } from "../lib/tap.mjs";
import { Child, Lab, isRoot, labName, leftNothing, machineState, sleep } from "../lib/lab.mjs";

for (const ms of [5, 20, 40, 60, 80, 110, 150, 400, 1500])
  test(`SIGKILL ${ms} ms after the start leaves the machine as it was`, async () => {
    if (!isRoot) skip("needs root");
    const before = machineState();
    const child = new Child(["run", "skewed", "--name", labName("kill"), "--listen", "127.0.0.1:0"]);
    await sleep(ms);
    await child.kill("SIGKILL");
    await leftNothing(before, { killed: true });
  });

test("Ctrl-C in the middle of a build ends it at once and leaves nothing", async () => {
  if (!isRoot) skip("needs root");
  const before = machineState();
  for (const ms of [20, 40, 60]) {
    const child = new Child(["run", "idle", "--headless", "--name", labName("kill")]);
    await sleep(ms);
    const exit = await child.kill("SIGINT");
    if (exit.signal !== "SIGINT" && exit.status !== 130) throw new Error(JSON.stringify(exit));
  }
  await leftNothing(before, { killed: true });
});

test("SIGKILL of a running lab with traffic from another terminal", async () => {
  if (!isRoot) skip("needs root");
  const before = machineState();
  const lab = await Lab.start("skewed");
  const traffic = new Child(["traffic", "--lab", lab.name, "--client", "3", "--rate", "500pps"]);
  await traffic.waitFor(/ s .*pps/);
  await lab.child.kill("SIGKILL");
  await traffic.ended;
  await leftNothing(before, { killed: true });
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
