// SPDX-License-Identifier: Apache-2.0
// The page's server as a browser, a script and an attacker see it: the real program, one running lab.
import assert from "node:assert/strict";
import http from "node:http";
import net from "node:net";
import { after, skip, test } from "../lib/tap.mjs";
import { Lab, eventually, isRoot, labName, run, sleep, fetchAlone } from "../lib/lab.mjs";

const startLab = (scenario) => Lab.start(scenario, [], { page: true });

const lab = isRoot ? await startLab("skewed") : null;
const { hostname, port } = new URL(lab?.url ?? "http://127.0.0.1:1/");
after(() => lab?.stop());

function check(name, fn) {
  test(name, () => (lab ? fn() : skip("needs root")));
}

// One request on a connection of its own: {status, headers, body}.
function ask(path, { method = "GET", headers = {}, body, timeout = 5000 } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({ hostname, port, path, method, headers, agent: false, timeout }, (answer) => {
      const parts = [];
      answer.on("data", (d) => parts.push(d));
      answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts).toString() }));
      answer.on("error", reject);
    });
    request.on("timeout", () => request.destroy(new Error(`no answer to ${path} within ${timeout} ms`)));
    request.on("error", reject);
    request.end(body);
  });
}

async function askJson(path, options) {
  const answer = await ask(path, options);
  assert.equal(answer.headers["content-type"], "application/json", answer.body);
  return { ...answer, json: JSON.parse(answer.body) };
}

async function refused(path, status, options) {
  const { status: got, json } = await askJson(path, options);
  assert.equal(got, status, `${path}: ${JSON.stringify(json)}`);
  assert.ok(json.error.length > 5, "a sentence says why");
  return json.error;
}

function change(method, path, body, headers = {}) {
  const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
  return askJson(path, { method, body: text, headers: {
    ...(text !== undefined && { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) }),
    Authorization: `Bearer ${lab.token}`, ...headers,
  } });
}

// Raw bytes in, all bytes out until the server closes.
function raw(text) {
  return new Promise((resolve) => {
    let got = "";
    const socket = net.connect(port, hostname, () => socket.write(text));
    socket.on("data", (d) => (got += d));
    socket.on("error", () => resolve(got));
    socket.on("close", () => resolve(got));
  });
}

// A live feed: messages as they come.
class Feed {
  static open(path = "/api/v1/events") {
    const feed = new Feed();
    feed.messages = [];
    return new Promise((resolve, reject) => {
      feed.request = http.get({ hostname, port, path, agent: false }, (answer) => {
        let rest = "";
        feed.status = answer.statusCode;
        feed.headers = answer.headers;
        answer.setEncoding("utf8");
        answer.on("data", (d) => {
          const blocks = (rest + d).split("\n\n");
          rest = blocks.pop();
          for (const block of blocks.filter((b) => !b.startsWith(":"))) {
            feed.messages.push(Object.fromEntries(block.split("\n").map((line) => {
              const colon = line.indexOf(": ");
              return [line.slice(0, colon), line.slice(colon + 2)];
            })));
          }
        });
        answer.on("error", () => {});
        feed.closed = new Promise((done) => answer.on("close", done));
        resolve(feed);
      });
      feed.request.on("error", reject);
    });
  }
  close() {
    this.request.destroy();
  }
}

check("the page and its files are inside the program", async () => {
  const types = { "/": "text/html", "/app.js": "text/javascript", "/style.css": "text/css", "/feed-worker.js": "text/javascript",
    "/favicon.svg": "image/svg+xml" };
  for (const [path, type] of Object.entries(types)) {
    const answer = await ask(path);
    assert.equal(answer.status, 200, path);
    assert.match(answer.headers["content-type"], new RegExp(`^${type.replace("+", "\\+")}`));
    assert.equal(Number(answer.headers["content-length"]), Buffer.byteLength(answer.body));
    const again = await ask(path, { headers: { "If-None-Match": answer.headers.etag } });
    assert.equal(again.status, 304);
    assert.equal(again.body, "");
  }
});

check("every answer carries the strict headers", async () => {
  for (const path of ["/", "/api/v1/lab", "/metrics", "/nothing", "/api/v1/flows?nonsense=1"]) {
    const { headers } = await ask(path);
    assert.equal(headers["content-security-policy"], "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
      + "img-src 'self' data:; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", path);
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.equal(headers["referrer-policy"], "no-referrer");
    assert.equal(headers["cache-control"], path === "/" ? "no-cache" : "no-store");
    assert.equal(headers["access-control-allow-origin"], undefined);
  }
});

check("the page needs nothing from another site", async () => {
  for (const path of ["/", "/app.js", "/style.css", "/feed-worker.js"]) {
    const urls = (await ask(path)).body.match(/https?:\/\/[\w.-]+/g) ?? [];
    assert.deepEqual(urls.filter((u) => !/^http:\/\/www\.w3\.org$/.test(u)), [], path); // the names of SVG and XHTML
  }
});

check("HEAD answers like GET without a body", async () => {
  for (const path of ["/", "/api/v1/lab", "/healthz", "/api/v1/events"]) {
    const answer = await ask(path, { method: "HEAD" });
    assert.equal(answer.status, 200, path);
    assert.equal(answer.body, "");
  }
});

check("what is not there is 404, and nothing of the machine's files is there", async () => {
  for (const path of ["/nothing", "/api", "/api/v1/", "/index.htm", "/etc/passwd", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
    "//etc/passwd", "/app.js/", "/app.js%00.html", "/api/v1/traffic/", "/api/v1/traffic/1/2", "/scenarios/default.ini", "/default.ini"])
    await refused(path, 404);
  await refused("/api/v1/link/host3/down", 404, { method: "POST" });
});

check("a wrong method is told which are right", async () => {
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
    const answer = await ask("/api/v1/flows", { method });
    assert.equal(answer.status, 405, method);
    assert.equal(answer.headers.allow, "GET, HEAD");
  }
  assert.equal((await ask("/api/v1/traffic")).headers.allow, "POST");
  assert.equal((await ask("/api/v1/traffic/3")).headers.allow, "DELETE");
  const preflight = await ask("/api/v1/traffic", { method: "OPTIONS", headers: { "Access-Control-Request-Method": "POST" } });
  assert.equal(preflight.headers["access-control-allow-methods"], undefined);
});

check("a foreign Host is refused: names can be rebound to this machine", async () => {
  for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1", "127.0.0.1:1", `[::1]:${port}`, `127.0.0.1.evil.example:${port}`,
    `localhost.evil:${port}`, `10.0.0.1:${port}`, `0x7f000001:${port}`, `localhost:${port}0`, `:${port}`, "a".repeat(300)])
    await refused("/api/v1/lab", 403, { headers: { Host: host } });
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`])
    assert.equal((await ask("/api/v1/lab", { headers: { Host: host } })).status, 200, host);
  assert.match(await raw("GET /api/v1/lab HTTP/1.1\r\nConnection: close\r\n\r\n"), /^HTTP\/1\.1 400 /);
});

check("other sites' pages are refused", async () => {
  for (const origin of ["http://evil.example", "null", `https://127.0.0.1:${port}`, "http://127.0.0.1:1", `http://127.0.0.1:${port}.evil`,
    `http://localhost:${port}`])
    await refused("/api/v1/lab", 403, { headers: { Origin: origin } });
  await refused("/api/v1/events", 403, { headers: { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors" } });
  const own = { Origin: `http://127.0.0.1:${port}`, "Sec-Fetch-Site": "same-origin" };
  assert.equal((await ask("/api/v1/lab", { headers: own })).status, 200);
  const link = { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate" };
  assert.equal((await ask("/", { headers: link })).status, 200, "a link to the page is fine");
});

check("parameters are checked", async () => {
  for (const query of ["x=1", "vni", "vni=", "vni=-1", "vni=1e4", "vni=99999999999", "host=host9", "host=nine", "host=-1", "by=colour", "top=0",
    "top=1&top=2", "top=%", "vni=%00", "rates=2", `by=${"a".repeat(100)}`, "=", "vni=1;top=2"])
    await refused(`/api/v1/flows?${query}`, 400);
  await refused("/api/v1/history?since=yesterday", 400);
  await refused("/data/tunnel.json?host=host99", 400);
  for (const query of ["", "?", "?vni=10003&host=host0&by=client&top=3&rates=1", "?host=3", "?&top=5&"])
    assert.equal((await ask(`/api/v1/flows${query}`)).status, 200, query);
});

check("the lab is described", async () => {
  const { json } = await askJson("/api/v1/lab");
  assert.equal(json.schema, "tunlab.lab/1");
  assert.equal(json.name, lab.name);
  assert.deepEqual(json.hosts[8], { name: "host8", vtep: "172.16.1.108", link: { rate: null, delay: null, loss: null, down: false } });
  assert.deepEqual(json.clients[34], { id: 34, name: "c34", host: "host8", vni: 10002, address: "192.168.2.9" });
  assert.deepEqual(json.vnis.map((v) => v.vni), [10000, 10001, 10002, 10003]);
  assert.ok(json.traffic.some((t) => t.name === "culprit" && t.from === "c3"));
});

check("the flow table shows the culprit, and its totals are the sums of its rows", async () => {
  const found = await eventually(async () => {
    const { json } = await askJson("/api/v1/flows?by=client&top=1&rates=1");
    return json.rows[0]?.client === "c3" && json.rows[0].rates?.pps > 250 && json; // 500, once an interval was whole
  });
  assert.ok(found, "c3 leads");
  for (const by of ["flow", "outer", "inner", "vni", "client"]) {
    const { json } = await askJson(`/api/v1/flows?by=${by}&top=5`);
    const rows = [...(json.rows ?? json.flows), json.rest];
    for (const what of ["packets", "bytes", "inner_bytes"])
      assert.equal(rows.reduce((sum, r) => sum + r[what], 0), json.total[what], `${by} ${what}`);
    assert.equal(json.total.flows, json.monitor.flows);
  }
});

check("the classic form is served for each host", async () => {
  const total = (await askJson("/data/tunnel.json")).json;
  const delta = (await askJson("/data/tunnel-delta.json?host=host0")).json;
  const culprit = total.find((t) => t.inner_dip === "192.168.3.9" && t.vni === 10003);
  assert.deepEqual(Object.keys(culprit),
    ["vni", "outer_sip", "outer_dip", "inner_sip", "inner_dip", "tx_pkts", "tx_bytes", "rx_pkts", "rx_bytes"]);
  assert.ok(total.every((t) => t.outer_sip === "172.16.1.100"));
  assert.ok(culprit.tx_pkts > culprit.rx_pkts && culprit.rx_pkts > 0, "pings come back, the flood does not");
  assert.ok(delta.length && delta.every((t) => t.tx_pkts + t.rx_pkts > 0));
  const other = (await askJson("/data/tunnel.json?host=host8")).json;
  assert.ok(other.every((t) => t.outer_sip === "172.16.1.108"));
  assert.ok(other.find((t) => t.inner_dip === "192.168.3.1").rx_pkts > 100, "what host0 sent, host8 received");
});

check("the history grows and says how far back it goes", async () => {
  const first = await eventually(async () => {
    const { json } = await askJson("/api/v1/history");
    return json.samples.length >= 3 && json;
  });
  const last = first.samples.at(-1);
  assert.ok(Math.abs(first.span_s - first.samples.reduce((sum, s) => sum + s.interval_s, 0)) < 0.01);
  assert.equal(last.packets, last.vnis.reduce((sum, v) => sum + v.packets, last.rest.packets));
  assert.equal(last.vnis[0].vni, 10003, "the culprit's VNI is the busiest");
  const later = await eventually(async () => {
    const { json } = await askJson(`/api/v1/history?since=${last.seq}`);
    return json.samples.length && json;
  });
  assert.equal(later.samples[0].seq, last.seq + 1);
});

check("metrics are Prometheus text", async () => {
  const { headers, body } = await ask("/metrics");
  assert.match(headers["content-type"], /^text\/plain; version=0\.0\.4/);
  assert.ok(body.endsWith("\n"));
  for (const line of body.trimEnd().split("\n"))
    assert.match(line, /^(# (HELP|TYPE) tunlab_\w+ .+|tunlab_\w+(\{(\w+="([^"\\]|\\.)*",?)+\})? [-+\d.e]+)$/);
  assert.match(body, /^tunlab_sent_packets_total\{src_host="host0",dst_host="host8",vni="10003"\} \d{3,}$/m);
});

check("health is a status", async () => {
  const { status, json } = await askJson("/healthz");
  assert.equal(status, 200);
  assert.equal(json.status, "ok");
});

check("the live feed sends one event a sample, with everything in it", async () => {
  const feed = await Feed.open();
  assert.match(feed.headers["content-type"], /^text\/event-stream/);
  assert.ok(await eventually(() => feed.messages.length >= 4));
  feed.close();
  const samples = feed.messages.map((m) => ({ ...m, json: JSON.parse(m.data) }));
  samples.forEach((m, i) => {
    assert.equal(m.event, "sample");
    assert.equal(Number(m.id), m.json.seq);
    assert.equal(m.json.seq, samples[0].json.seq + i);
    for (const what of ["packets", "bytes"])
      assert.equal([...m.json.flows, m.json.rest].reduce((sum, f) => sum + f[what], 0), m.json.total[what]);
    if (i) assert.ok(Math.abs(m.json.interval_s - 1) < 0.5);
  });
});

check("the page's feed tells history first, then every sample, in sums that agree with the flow table", async () => {
  const feed = await Feed.open("/api/v1/feed");
  assert.ok(await eventually(() => feed.messages.length >= 4));
  const [base, ...frames] = feed.messages.map((m) => ({ ...m, json: JSON.parse(m.data) }));
  assert.deepEqual([base.event, base.json.schema, base.json.source], ["base", "tunlab.feed/1", lab.name]);
  const names = new Map(base.json.define.map((d) => [d[0], d]));
  frames.forEach((m, i) => {
    assert.equal(m.event, "frame");
    assert.equal(m.json.seq, i ? frames[i - 1].json.seq + 1 : base.json.oldest);
    for (const d of m.json.define) names.set(d[0], d);
    assert.ok(m.json.grown.every(([id]) => names.has(id)), "every flow has been named");
    const sent = m.json.grown.reduce((sum, row) => sum + row[2], m.json.rest[2]);
    assert.equal(sent, m.json.hosts.reduce((sum, row) => sum + row[2], 0), "flows and uplinks");
    if (i) assert.equal(m.json.total[1] - frames[i - 1].json.total[1], sent, "growth is the difference of totals");
  });
  const last = frames.at(-1).json;
  feed.close();
  const later = await Feed.open(`/api/v1/feed?since=${last.seq}&run=${base.json.run}`);
  assert.ok(await eventually(() => later.messages.length >= 2));
  assert.equal(JSON.parse(later.messages[1].data).seq, last.seq + 1, "only what is new");
  later.close();
  const other = await Feed.open(`/api/v1/feed?since=${last.seq}&run=1`);
  assert.ok(await eventually(() => other.messages.length >= 2));
  assert.equal(JSON.parse(other.messages[1].data).seq, base.json.oldest, "another run's place means nothing");
  other.close();
  await refused("/api/v1/feed?since=x", 400);
  await refused("/api/v1/feed?top=3", 400);
});

check("changes need the token", async () => {
  const body = { client: "c1" };
  for (const authorization of ["", "Bearer", "Bearer ", `Bearer ${lab.token}x`, `Bearer ${lab.token.slice(1)}`, `Basic ${lab.token}`]) {
    const answer = await change("POST", "/api/v1/traffic", body, { Authorization: authorization });
    assert.equal(answer.status, 403, authorization);
  }
  assert.equal((await change("DELETE", "/api/v1/traffic/0", undefined, { Authorization: "" })).status, 403);
  assert.equal((await change("POST", "/api/v1/traffic", body, { Origin: "http://evil.example" })).status, 403);
});

check("bad orders are refused with a sentence", async () => {
  const status = async (body, headers) => (await change("POST", "/api/v1/traffic", body, headers)).status;
  assert.equal(await status({ client: "c1" }, { "Content-Type": "text/plain" }), 415);
  assert.equal(await status({ client: "c1" }, { "Content-Type": "application/jsonp" }), 415);
  assert.equal(await status(`{"client": "${"c".repeat(5000)}"}`), 413);
  for (const body of ["", "{", "[]", "3", "null", '{"client":"c1"} x', '{"op":"stop","client":"c1"}', '{"client":"c1","client":"c2"}',
    '{"client":["c1"]}', '{"client":"c1","colour":"red"}', '{"client":"c99"}', '{"client":"c1","rate":"quick"}', '{"client":"c1","size":1}',
    "[".repeat(4000)]) {
    const answer = await change("POST", "/api/v1/traffic", body);
    assert.equal(answer.status, 400, body.slice(0, 60));
    assert.ok(answer.json.error, body);
  }
  assert.match(await raw(`POST /api/v1/traffic HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${lab.token}\r\n`
    + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"), /^HTTP\/1\.1 411 /);
  assert.equal((await change("DELETE", "/api/v1/traffic/x")).status, 404);
  for (const id of ["abc", "999999", "4000000000", "99999999999"])
    assert.match(await refused(`/api/v1/traffic/${id}`, 404, { method: "DELETE", headers: { Authorization: `Bearer ${lab.token}` } }),
      new RegExp(`^no traffic has the id ${id}: `));
});

check("a value of the wrong type is refused by name, and nothing is started", async () => {
  const running = async () => (await askJson("/api/v1/lab")).json.traffic.length;
  const before = await running();
  for (const [member, values] of Object.entries({
    client: [null, true, 3.5, -1, 5e9, ["c1"], { id: 1 }], to: [null, false, 1.5, ["c7"]], proto: [17, null], rate: [100, null, true],
    size: ["1q", "", null, true, [64]], duration: [5, null, ["5s"]], count: ["many", "1.5", "0", "1k", true, null], poisson: ["yes", 1, null],
  }))
    for (const value of values) {
      const { status, json } = await change("POST", "/api/v1/traffic", { client: "c3", [member]: value });
      assert.equal(status, 400, `${member} ${JSON.stringify(value)}`);
      assert.ok(json.error.startsWith(`cannot use ${member} ${JSON.stringify(value)}: want `), json.error);
    }
  const told = async (body) => (await change("POST", "/api/v1/traffic", body)).json.error;
  assert.equal(await told({ client: "c3", colour: "red" }),
    "unknown member colour: want client, to, proto, rate, size, duration, count, poisson");
  assert.match(await told({ rate: "1pps" }), /^member client is missing: want /);
  assert.equal(await running(), before);
});

check("numbers and texts are taken as on the command line", async () => {
  const started = await change("POST", "/api/v1/traffic", { client: 3, to: 7, rate: "1kpps", size: "1k", count: "5", duration: "5s",
    poisson: false });
  assert.equal(started.status, 200, started.body);
  const state = async () => (await askJson("/api/v1/lab")).json.traffic.find((t) => t.id === started.json.id);
  assert.ok(await eventually(async () => (await state())?.state === "done"), "it ends by itself");
  const { from, to, size, sent } = await state();
  assert.deepEqual({ from, to, size, sent }, { from: "c3", to: ["c7"], size: 1024, sent: 5 });
});

check("every frame seen is in a flow, under other, or under a skip reason", async () => {
  const quiet = await startLab("idle");
  try {
    assert.equal(quiet.exec("c0", "ping", "-c", "20", "-i", "0.01", "192.168.0.9").status, 0); // after ARP, which is flooded
    assert.equal(quiet.exec("host0", "ping", "-c", "5", "-i", "0.01", "172.16.1.103").status, 0); // ARP and pings, not tunnelled
    const read = async () => (await fetchAlone(`${quiet.url}api/v1/flows`)).json();
    const live = () => quiet.json("flows").monitor.seen;
    let doc, metrics, table;
    assert.ok(await eventually(async () => {
      doc = await read();
      [metrics, table] = [await (await fetchAlone(`${quiet.url}metrics`)).text(), run(["flows", "--lab", quiet.name]).out];
      return doc.monitor.seen === live() && doc.monitor.seen === (await read()).monitor.seen;
    }, 30_000), "the lab falls silent");
    const { flows, other, monitor } = doc;
    const sum = flows.reduce((all, f) => all + f.packets + f.received.packets, 0);
    assert.ok(sum > 80 && flows.some((f) => f.bum), "pings there and back, and a flood");
    assert.ok(other.packets >= 12 && other.received.packets > other.packets, "IGMP and ARP reach several hosts");
    assert.equal(monitor.seen, sum + other.packets + other.received.packets
      + monitor.truncated + monitor.unknown + monitor.otherhost + monitor.lost);
    assert.match(metrics, new RegExp(`^tunlab_other_received_packets_total ${other.received.packets}$`, "m"));
    assert.match(metrics, new RegExp(`^tunlab_other_received_bytes_total ${other.received.bytes}$`, "m"));
    assert.match(table, new RegExp(`^other: ${other.packets} packets, .+ sent, ${other.received.packets} packets received, not tunnelled$`, "m"));
  } finally {
    await quiet.stop();
  }
});

check("traffic can be started and stopped over HTTP", async () => {
  const started = await change("POST", "/api/v1/traffic", { client: "c1", to: "host4", proto: "udp", rate: "200pps", size: 200 });
  assert.equal(started.status, 200, started.body);
  const { id } = started.json;
  const state = async () => (await askJson("/api/v1/lab")).json.traffic.find((t) => t.id === id);
  assert.ok(await eventually(async () => (await state())?.sent > 100), "it sends");
  assert.deepEqual((await state()).to, ["c17"]);
  assert.equal((await change("DELETE", `/api/v1/traffic/${id}`)).status, 200);
  assert.ok(await eventually(async () => (await state()).state === "done"), "it stopped");
});

check("garbage and greed end with an error, and the server goes on", async () => {
  const host = `Host: 127.0.0.1:${port}\r\n`;
  assert.match(await raw("\0\x01\x02\r\n\r\n"), /^HTTP\/1\.1 400 /);
  assert.match(await raw(`GET / HTTP/1.1\r\n${host}X: ${"a".repeat(20000)}\r\n\r\n`), /^HTTP\/1\.1 4\d\d /);
  assert.match(await raw(`GET / HTTP/9.9\r\n${host}\r\n`), /^HTTP\/1\.1 505 /);
  assert.match(await raw(`GET / HTTP/1.1\r\n${host}Content-Length: -5\r\n\r\n`), /^HTTP\/1\.1 4\d\d /);
  // A body where none belongs is not taken for the next request.
  const answers = await raw(`GET /healthz HTTP/1.1\r\n${host}Content-Length: 30\r\n\r\nGET /metrics HTTP/1.1\r\n${host}\r\n`);
  assert.equal(answers.match(/HTTP\/1\.1 \d+/g).length, 1);
  // Keep-alive: two requests, two answers.
  const two = await raw(`GET /healthz HTTP/1.1\r\n${host}\r\nGET /healthz HTTP/1.1\r\n${host}Connection: close\r\n\r\n`);
  assert.equal(two.match(/HTTP\/1\.1 200/g).length, 2);
  assert.equal((await ask("/healthz")).status, 200);
});

check("48 streams are served, a 49th is told to wait, and the page still loads", async () => {
  let feeds = [];
  const openAll = async () => {
    for (const feed of feeds) feed.close();
    feeds = await Promise.all(Array.from({ length: 48 }, () => Feed.open()));
    const all = feeds.every((f) => f.status === 200);
    if (!all) await sleep(1500); // a stream that was closed is noticed at the next sample
    return all;
  };
  try {
    assert.ok(await eventually(openAll), "streams closed before make room within seconds");
    const late = await ask("/api/v1/events");
    assert.equal(late.status, 503);
    assert.equal(late.headers["retry-after"], "2");
    for (const path of ["/", "/app.js", "/api/v1/lab", "/api/v1/flows"]) assert.equal((await ask(path)).status, 200);
    assert.ok(await eventually(() => feeds.every((f) => f.messages.length >= 2)), "all are fed");
  } finally {
    for (const feed of feeds) feed.close();
  }
});

check("addresses that cannot be served are refused before anything is built", () => {
  const at = (listen) => run(["run", "idle", "--name", labName(), "--listen", listen, "--duration", "1s"]);
  const taken = at(`127.0.0.1:${port}`);
  assert.equal(taken.status, 3, taken.err);
  assert.match(taken.err, /another program listens there/);
  assert.match(at("[::1]:8080").err, /no IPv6/);
  for (const listen of ["[::1]:8080", "::1:8080", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:8080s", "host:80", "127.0.0.1:-1"])
    assert.ok([2, 3].includes(at(listen).status), listen);
  assert.equal(at("192.0.2.1:8080").status, 3);
});

check("a client that sends its request byte by byte is not waited for", async () => {
  const answers = Array.from({ length: 4 }, () => new Promise((resolve, reject) => {
    let said = "";
    const slow = net.connect(port, hostname, () => {
      slow.write(`POST /healthz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 65536\r\n\r\n`);
      const trickle = setInterval(() => slow.write("x"), 200); // the server's time-out for a read is longer
      slow.on("close", () => {
        clearInterval(trickle);
        resolve(said);
      });
    });
    slow.on("data", (d) => (said += d)).on("error", () => {});
    setTimeout(() => slow.destroy(reject(new Error("still read after 20 s"))), 20000).unref();
  }));
  for (const said of await Promise.all(answers))
    assert.match(said, /^HTTP\/1.1 405 /);
});

check("orders in flight do not hold up the end of a lab", async () => {
  await Promise.all(Array.from({ length: 3 }, async () => {
    const other = await startLab("idle");
    const order = (resolve) => {
      const request = http.request(`${other.url}api/v1/traffic`, { method: "POST", agent: false, headers: {
        "Content-Type": "application/json", "Content-Length": 16, Authorization: `Bearer ${other.token}` } }, (answer) => {
        answer.on("end", resolve).on("error", resolve).resume();
      });
      request.on("error", resolve).end('{"client":"c99"}');
    };
    let stopped = false;
    const busy = Array.from({ length: 8 }, async () => {
      while (!stopped) await new Promise(order);
    });
    await sleep(100);
    assert.deepEqual(await other.stop(), { status: 0, signal: null }); // one that hangs is killed, and shows as such
    stopped = true;
    await Promise.all(busy);
  }));
});

// The last one: it ends the lab.
check("the end of the lab is told to open feeds at once, whatever other clients do", async () => {
  const deaf = net.connect(port, hostname, () => deaf.write(`GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`));
  deaf.pause(); // never reads
  deaf.on("error", () => {});
  const idle = net.connect(port, hostname); // never asks
  idle.on("error", () => {});
  const feed = await Feed.open();
  assert.ok(await eventually(() => feed.messages.length >= 1));
  const exit = lab.stop();
  await feed.closed;
  assert.equal(feed.messages.at(-1).event, "end");
  assert.deepEqual(await exit, { status: 0, signal: null });
  deaf.destroy();
  idle.destroy();
  await sleep(0);
});
