// SPDX-License-Identifier: Apache-2.0
// View models beside the chord's: plan, talkers, timeline, topology, table, health; and orders.
import assert from 'node:assert/strict';
import { healthFacts, healthWarning } from '../../ui/web/health.js';
import { createOrders, keptToken } from '../../ui/web/orders.js';
import { paint } from '../../ui/web/paint.js';
import { clientsShown, featured, placeHosts } from '../../ui/web/places.js';
import { compare, planOf } from '../../ui/web/plan.js';
import { csv, sortRows, visibleRows } from '../../ui/web/rows.js';
import { newView } from '../../ui/web/state.js';
import { since, talkers } from '../../ui/web/talkers.js';
import { niceMost, timeStep, timeline } from '../../ui/web/timeline.js';
import { linkBits, linkOf, thickness, topology } from '../../ui/web/topology.js';
import { figures } from '../../ui/web/figures.js';
import { spanOf } from '../../ui/web/span.js';
import { learn } from '../../ui/web/store.js';
import { test } from '../lib/tap.mjs';
import { Feed, amount, fed, flow, health, lab, sums, view } from './fixture.mjs';

const generator = (how) => ({ id: 0, name: 'web', from: 'c0', to: ['c2'], peers: 1, proto: 'udp', rate: '100pps', size: 64, state: 'running', ...how });
const withTraffic = (...traffic) => ({ ...lab(), traffic });

// -- plan

test('what generators make is explained, in both directions for pings', () => {
	const udp = planOf(withTraffic(generator()));
	assert.ok(udp.verdict(flow(0, 1)).explained);
	assert.ok(!udp.verdict(flow(1, 0)).explained);
	assert.ok(!udp.verdict(flow(0, 1, { inner_proto: 'ipv4/icmp' })).explained);
	const ping = planOf(withTraffic(generator({ proto: 'ping' })));
	assert.ok(ping.verdict(flow(1, 0, { inner_proto: 'ipv4/icmp' })).explained);
	for (const chatter of [{ inner_proto: 'arp' }, { inner_proto: 'ipv4/igmp' }, { inner_proto: 'ipv6/icmpv6', inner_dst: 'ff02::1' }])
		assert.ok(udp.verdict(flow(2, 1, chatter)).explained);
	assert.ok(planOf(withTraffic(generator({ peers: 100 }))).verdict(flow(0, 2)).explained, 'peers that were not listed');
});

test('planned pairs that should have spoken are silent; others are left in peace', () => {
	const silent = (traffic, seen) => compare(withTraffic(...traffic), [], seen).map((one) => `${one.flow.src_client}>${one.flow.dst_client}`);
	const nobody = () => new Set();
	assert.deepEqual(silent([generator()], nobody), ['c0>c2']);
	assert.deepEqual(silent([generator({ proto: 'ping' })], nobody), ['c0>c2', 'c2>c0']);
	assert.deepEqual(silent([generator({ state: 'done' })], nobody), []);
	assert.deepEqual(silent([generator({ rate: '0.4pps' })], (seconds) => (seconds < 10 ? new Set() : new Set(['c0 c2']))), [], 'it spoke in the last ten seconds');
	assert.deepEqual(silent([generator({ rate: '0.4pps' })], () => null), [], 'memory is too short to say');
	const [spoke] = compare(withTraffic(generator()), [amount(0, 1, 5)], nobody);
	assert.equal(spoke.unplanned, false);
	assert.equal(compare(withTraffic(), [amount(0, 1, 5)], nobody)[0].unplanned, true);
	const { traffic, ...bare } = lab();
	assert.equal(compare(bare, [amount(0, 1, 5)], nobody)[0].unplanned, undefined, 'no plan, no judgement');
});

// -- talkers

test('the busiest come first, with their shares', () => {
	const list = talkers([amount(0, 1, 4), amount(0, 2, 4), amount(1, 0, 2)], lab(), 'packets', null, 5);
	assert.deepEqual(list.map(({ name, host, value, share }) => [name, host, value, share]), [['c0', 'host0', 8, 0.8], ['c2', 'host1', 2, 0.2]]);
	assert.deepEqual(talkers([], lab(), 'packets', null, 5), []);
});

test('since when: back to where the rate was half of what it is', () => {
	const one = flow(0, 1), loud = [[one, 100]], quiet = [[one, 10]];
	const store = fed([quiet, quiet, quiet, quiet, loud, loud, quiet, loud, loud]);
	const span = spanOf(store, { at: null, over: 3 });
	assert.deepEqual(since(store, span, 'c0', lab(), 'packets', 70), { seconds: 5, open: false });
	assert.equal(since(store, span, 'c0', lab(), 'packets', 15).start, true);
});

// -- timeline

test('layers add up to the sums, biggest first, silence included', () => {
	const store = fed([[[flow(0, 1), 1], [flow(1, 0), 5]], [], [[flow(1, 0), 5]]]);
	for (const frame of store.frames)
		frame.hosts = [[0, 1, 100, 0, 0], [1, 5, 500, 0, 0]].filter(([host]) => frame.ids.length > 1 || (host === 1 && frame.ids.length));
	const model = timeline(store, { stack: 'host', unit: 'packets' });
	assert.deepEqual(model.layers.map(({ key, values }) => [key, values]), [['host1', [5, 0, 5]], ['host0', [1, 0, 0]]]);
	assert.deepEqual([model.sums, model.most], [[6, 0, 5], 6]);
	const clients = timeline(store, { stack: 'client', unit: 'packets', filter: (one) => one.src_client === 'c2', asked: 'client:c2' });
	assert.deepEqual(clients.layers.map(({ key }) => key), ['c2']);
});

test('more layers than can be told apart are summed', () => {
	const where = lab(20, [10000]);
	const store = fed([Array.from({ length: 20 }, (_, i) => [flow(i, (i + 1) % 20, { src_client: `c${i}` }), i + 1])], new Feed(where));
	const { layers, most } = timeline(store, { stack: 'client', unit: 'packets' });
	assert.deepEqual([layers.length, layers.at(-1).key, most], [9, 'other', 210]);
});

test('what the server tells of no VNI by itself is there as "other": layers add up to all that was sent', () => {
	const store = fed([Array.from({ length: 100 }, (_, i) => [flow(0, 1, { vni: i + 1 }), 10])]);
	const [frame] = store.frames;
	frame.vnis = Array.from({ length: 32 }, (_, i) => [i + 1, 10, 1000]); // a frame has no room for more
	frame.rest = [5, 50, 5000, 2500, 50, 5000];
	const { layers, sums } = timeline(store, { stack: 'vni', unit: 'packets' });
	assert.deepEqual([sums, layers.length, layers.at(-1)], [[1050], 9, { key: 'other', values: [1050 - 8 * 10] }]);
});

test('hosts without a name are summed, and told apart when their names are known', () => {
	const store = fed([[[flow(0, 1), 1], [flow(1, 0), 2], [flow(2, 0), 4]]], new Feed(lab(1)));
	store.frames[0].hosts = [[0, 1, 100, 0, 0], [1, 2, 200, 0, 0], [2, 4, 400, 0, 0]];
	const layers = () => timeline(store, { stack: 'host', unit: 'packets' }).layers.map(({ key, values: [value] }) => [key, value]);
	assert.deepEqual(layers(), [['host0', 1], ['other', 6]]);
	learn(store, { type: 'lab', lab: lab(3) });
	assert.deepEqual(layers(), [['host2', 4], ['host1', 2], ['host0', 1]]);
});

test('axes have round numbers', () => {
	assert.deepEqual([0, 1, 3, 630e3, 1e6].map(niceMost), [1, 1, 5, 1e6, 1e6]);
	assert.deepEqual([timeStep(60, 10), timeStep(600, 10)], [10, 60]);
});

// -- topology

test('each part carries what passes through it', () => {
	const { hosts, most } = topology(sums([amount(0, 1, 10), amount(1, 0, 4, { received: { packets: 3, bytes: 300 } })]), lab(), view());
	assert.deepEqual([hosts[0].sent, hosts[0].got, hosts[1].sent, hosts[1].got, most], [10, 3, 4, 10, 10]);
	assert.deepEqual(hosts[0].clients.map(({ name, sent, got }) => [name, sent, got]), [['c0', 10, 3], ['c1', 0, 0]]);
	assert.deepEqual(hosts[0].vnis.map(({ vni, sent }) => [vni, sent]), [[10000, 10], [10001, 0]]);
});

test('flooded frames leave a host and arrive nowhere in particular', () => {
	const { hosts } = topology(sums([amount(0, 1, 9, { bum: true, outer_dst: '239.1.1.1', dst_client: null })]), lab(), view());
	assert.deepEqual(hosts.map(({ sent, got }) => [sent, got]), [[9, 0], [0, 0], [0, 0]]);
});

test('links are read as the lab tells them', () => {
	assert.equal(linkOf(undefined), null);
	assert.equal(linkOf('up'), null);
	assert.deepEqual(linkOf('rate 50mbit delay 10ms loss 1% down'), { rate: '50mbit', delay: '10ms', loss: '1%', down: true });
	assert.equal(linkOf({ rate: null, delay: null, loss: null, down: false }), null);
	assert.equal(linkOf({ rate: '50mbit', down: false }).rate, '50mbit');
	assert.equal(linkBits(linkOf('rate 50mbit')), 50e6);
});

const sizes = [[330, 400], [740, 430], [1250, 700]];
const crowd = (n, clients = 4) => lab(n, [1]).hosts.map((host) => ({ ...host, sent: 0, got: 0, clients: Array(clients).fill({}) }));

/** Every two of `boxes` ({ x, y, width, height }) are apart. */
function apart(boxes, say) {
	boxes.forEach((one, i) => boxes.slice(i + 1).forEach((other) => assert.ok(one.x >= other.x + other.width - 0.01
		|| other.x >= one.x + one.width - 0.01 || one.y >= other.y + other.height - 0.01 || other.y >= one.y + one.height - 0.01, say)));
}

test('whole hosts never overlap and stay inside, each on its rail', () => {
	for (const n of [0, 1, 4, 9, 16, 32]) {
		for (const [width, height] of sizes) {
			for (const clients of [1, 4, 65]) {
				const say = `${n} hosts of ${clients} in ${width}`;
				const place = placeHosts(crowd(n, clients), width, height);
				assert.deepEqual(place.whole.map(({ host }) => host), [...Array(n).keys()], say);
				assert.equal(place.tiles, null);
				apart(place.whole.map(({ rail, ...box }) => ({ ...box, height: rail - box.y })), say);
				for (const { x, y, width: wide, rail } of place.whole)
					assert.ok(x >= -0.01 && y >= -0.01 && x + wide <= place.width + 0.01 && rail <= place.height, say);
			}
		}
	}
});

test('of many hosts some are whole, and all are tiles below, from phone to wall', () => {
	for (const n of [33, 100, 300, 1000, 4096]) {
		for (const [width, height] of sizes) {
			const { whole, tiles: { side, step, cols, x, y }, rails, ...all } = placeHosts(crowd(n), width, height);
			assert.ok(whole.length >= 1 && whole.length < 10 && rails.length === 1);
			assert.ok(side >= 9 && step > side && y > rails[0].y);
			assert.ok(x >= 0 && x + cols * step - (step - side) <= all.width + 0.01, `${n} in ${width}`);
			assert.ok(y + Math.ceil(n / cols) * step <= all.height + 0.01);
			if (width > 700 && n <= 1000)
				assert.ok(all.height <= height / all.scale + 30, `${n} hosts need no scrolling in ${width}`);
		}
	}
});

test('whole stand the chosen, then the lit, then the loud; and who stands there stays until another is clearly louder', () => {
	const hosts = crowd(50).map((host, i) => ({ ...host, sent: i }));
	assert.deepEqual(featured(hosts, 3), [47, 48, 49]);
	hosts[5].chosen = true;
	hosts[6].lit = true;
	assert.deepEqual(featured(hosts, 3), [5, 6, 49]);
	assert.deepEqual(featured(crowd(50).map((host, i) => ({ ...host, sent: i })), 3, [40, 41, 42]), [40, 41, 42]);
	assert.deepEqual(featured(crowd(50).map((host, i) => ({ ...host, sent: i === 7 ? 99 : 1 })), 2, [40, 41]), [7, 40]);
});

test('a box with more clients than it has room for shows the loud ones and says how many are left out', () => {
	const clients = Array.from({ length: 65 }, (_, id) => ({ id, sent: id === 60 ? 9 : 0, got: 0 }));
	const { clients: shown, more } = clientsShown(clients, 140);
	assert.ok(shown.length <= 7 && shown.length + more === 65);
	assert.equal(shown.at(-1).id, 60);
	assert.equal(clientsShown(clients.slice(0, 7), 140).more, 0);
});

test('lines grow with their traffic and are never nothing', () => {
	assert.equal(thickness(0, 10, 8), 1);
	assert.equal(thickness(10, 10, 8), 8);
	assert.ok(thickness(1, 10, 8) < thickness(2, 10, 8));
});

// -- table

test('rows sort by any column, equal ones keep their order', () => {
	const { cells } = figures(sums([amount(0, 1, 5), amount(1, 2, 9, { received: { packets: 8, bytes: 1 } }), amount(2, 0, 5)]), lab(), view());
	const by = (column, down) => sortRows(cells, { by: column, down }, { unit: 'packets', seconds: 0 }).map(({ key }) => key[4] + key[10]);
	assert.deepEqual(by('sent', true), ['12', '01', '20']);
	assert.deepEqual(by('sent', false), ['01', '20', '12']);
	assert.deepEqual(by('from', false), ['01', '12', '20']);
	assert.deepEqual(by('loss', true)[0], '12');
	for (const column of ['nonsense', 'constructor', '__proto__'])
		assert.deepEqual(by(column, true), ['12', '01', '20']);
});

test('only rows near the window are drawn', () => {
	assert.deepEqual(visibleRows(5, 45, 0, 300), { first: 0, count: 5 });
	const { first, count } = visibleRows(65536, 30, 300000, 450);
	assert.ok(first <= 10000 && first + count >= 10015 && count < 40);
	assert.deepEqual(visibleRows(10, 30, 9e9, 450), { first: 10, count: 0 });
});

test('CSV is whole, unrounded, and no formula', () => {
	const { cells } = figures(sums([amount(0, 1, 1 / 3), amount(1, 0, 5, { unplanned: true }), amount(2, 0, 0, { silent: true })]), lab(), view());
	cells[0].from.name = '=cmd()';
	cells[2].from.name = 'a "b", c';
	const lines = csv(cells, { mode: 'rate', seconds: 3 }).trimEnd().split('\r\n');
	assert.equal(lines.length, 4);
	assert.ok(lines[1].startsWith("'=cmd(),") && lines[1].endsWith(',no'));
	assert.ok(lines[2].includes('0.3333333333333333'));
	assert.ok(lines[3].startsWith('"a ""b"", c",') && lines[3].endsWith(',silent'));
});

// -- health

test('trouble turns the strip amber, with the reason', () => {
	assert.equal(healthWarning({ monitor: health }), '');
	assert.equal(healthWarning({ monitor: { ...health, state: 'amber', reason: 'Samples come late.' } }), 'Samples come late.');
});

test('the strip tells seen, decoded, other, each reason to skip, fill and cost', () => {
	const facts = (other) => Object.fromEntries(healthFacts({ monitor: { ...health, decoded: 20, ...other } })
		.map(([name, value]) => [name, value.replace(/\s/g, ' ')]));
	assert.deepEqual(Object.keys(facts()), ['seen', 'decoded', 'not tunnelled', 'lost', 'truncated', 'unknown', 'others\'', 'fragments',
		'flow table', 'per frame', 'processor']);
	assert.deepEqual([facts().decoded, facts().lost, facts()['per frame'], facts().processor], ['20', '0', 'not measured', '1.0 %']);
	assert.equal(facts({ lost: 7, lost_bytes: 1050 }).lost, '7 (1.05 kB)');
	assert.equal(facts({ cost: { ...health.cost, ns_per_packet: 31.26 } })['per frame'], '31.3 ns');
	assert.equal(facts({ cost: null })['per frame'], undefined, 'of a capture');
});

// -- all of it

test('one picture: figures, talkers and marks agree', () => {
	const feed = new Feed(withTraffic(generator(), generator({ id: 1, from: 'c4', to: ['c0'] })));
	const painted = paint(fed([[[flow(0, 1), 100], [flow(1, 2), 1]], [[flow(0, 1), 100]], [[flow(0, 1), 100]]], feed), newView());
	assert.equal(painted.figures.total.packets, 301 / 3);
	assert.equal(painted.talkers[0].name, 'c0');
	assert.deepEqual([painted.silent, painted.unplanned], [1, 1]);
	assert.ok(painted.figures.nodes.every(({ colour, says }) => colour && says));
});

test('a lab of 1000 hosts with 1000 flows is painted in time', () => {
	const where = lab(1000, [10000]);
	const flows = Array.from({ length: 1000 }, (_, i) => [flow(i, (i * 7 + 1) % 1000, { src_client: `c${i}`, dst_client: `c${(i * 7 + 1) % 1000}` }), i + 1]);
	const painted = paint(fed([flows, flows, flows], new Feed(where)), { ...newView(), view: 'topology' });
	assert.ok(painted.figures.drawn.length <= 61);
	assert.equal(painted.topology.hosts.length, 1000);
});

// -- orders

test('orders carry the token in a header, and the lab’s sentence comes back', async () => {
	const asked = [];
	const answers = [[200, { id: 7 }], [400, { error: 'cannot use rate quick' }], [403, {}]];
	const orders = createOrders('secret', null, async (path, options) => {
		asked.push([path, options]);
		const [status, body] = answers.shift();
		return { ok: status === 200, status, json: async () => body };
	});
	assert.deepEqual(await orders.startTraffic({ client: 'c3' }), { id: 7 });
	assert.equal(asked[0][0], '/api/v1/traffic');
	assert.equal(asked[0][1].headers.Authorization, 'Bearer secret');
	await assert.rejects(orders.changeLink('host3', { down: true }), /cannot use rate quick/);
	assert.equal(asked[1][0], '/api/v1/link/host3');
	await assert.rejects(orders.stopTraffic(7), /token/);
	assert.ok(asked.every(([path]) => !path.includes('secret')));
});

test('the token is kept for the tab', () => {
	const storage = new Map();
	const like = { getItem: (name) => storage.get(name) ?? null, setItem: (name, value) => storage.set(name, value) };
	assert.equal(keptToken(null, like), null);
	assert.equal(keptToken('abc', like), 'abc');
	assert.equal(keptToken(null, like), 'abc');
});
