// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { RIBBON_LIMIT, amounts, figures, isMulticast, lossOf, vnisOf } from '../../ui/web/matrix.js';
import { test } from '../lib/tap.mjs';
import { flow, inner, lab, sample, view, vtep } from './fixture.mjs';

const total = (now, then = null, seconds = 1) => amounts({ now, then, seconds });
const picture = (flows, how, where = lab()) => figures(total(sample(1, flows)), where, view(how));
const node = (shown, key) => shown.nodes.find((one) => one.key === key);
const cell = (shown, key) => shown.cells.find((one) => one.key === key);
const sum = (list, value) => list.reduce((all, one) => all + value(one), 0);

test('rates are differences divided by the measured time', () => {
	const [amount] = total(sample(4, [flow(0, 1, 400)]), sample(1, [flow(0, 1, 100)]), 2.5);
	assert.equal(amount.packets, 120);
	assert.equal(amount.bytes, 12000);
	assert.equal(amount.received.packets, 120);
});

test('a flow that was not there before counts from zero', () => {
	const list = total(sample(2, [flow(0, 1, 9)]), sample(1, []));
	assert.equal(list[0].packets, 9);
});

test('a flow that may have been cut off before does not leap', () => {
	const list = total(sample(2, [flow(0, 1, 9e6)]), sample(1, [], { rest: { flows: 3, packets: 9e6, bytes: 9e8 } }));
	assert.equal(list[0].packets, 0);
});

test('a counter never shrinks into a negative rate', () => {
	assert.equal(total(sample(2, [flow(0, 1, 5)]), sample(1, [flow(0, 1, 7)]))[0].packets, 0);
});

test('hosts are nodes, silent ones too, in the order of their numbers', () => {
	const shown = picture([flow(2, 0, 10)], {}, lab(11));
	assert.deepEqual(shown.nodes.map(({ key }) => key), [...Array(11).keys()].map((i) => `host${i}`));
	assert.equal(node(shown, 'host2').sent, 10);
	assert.equal(node(shown, 'host0').got, 10);
	assert.equal(node(shown, 'host1').sent + node(shown, 'host1').got, 0);
});

test('the total is the sum of the cells, of what nodes send and of the pairs', () => {
	const flows = [flow(0, 1, 11), flow(1, 0, 7), flow(2, 1, 5), flow(0, 1, 3, { inner_proto: 'ipv4/icmp' })];
	for (const open of [[], ['host0'], ['host0', 'host1', 'host2']]) {
		const shown = picture(flows, { open: new Set(open) });
		assert.equal(shown.total.packets, 26);
		assert.equal(sum(shown.cells, (one) => one.packets), 26);
		assert.equal(sum(shown.nodes, (one) => one.sent), 26);
		assert.equal(sum(shown.nodes, (one) => one.got), 26);
		assert.equal(sum(shown.pairs, (one) => one.ab + one.ba), 26);
	}
});

test('both directions of a pair keep their sides', () => {
	const [pair] = picture([flow(0, 1, 11), flow(1, 0, 7)]).pairs;
	assert.deepEqual([pair.a.key, pair.b.key, pair.ab, pair.ba], ['host0', 'host1', 11, 7]);
	const [reverse] = picture([flow(2, 1, 5)]).pairs;
	assert.deepEqual([reverse.a.key, reverse.b.key, reverse.ab, reverse.ba], ['host1', 'host2', 0, 5]);
});

test('cells come biggest first by the chosen unit', () => {
	const flows = [flow(0, 1, 10, { bytes: 500 }), flow(1, 2, 1, { bytes: 9000 })];
	assert.equal(picture(flows, { unit: 'packets' }).cells[0].key, 'host0>host1');
	assert.equal(picture(flows, { unit: 'bytes' }).cells[0].key, 'host1>host2');
});

test('an opened host is replaced by its inner addresses, with client names', () => {
	const shown = picture([flow(0, 1, 11)], { open: new Set(['host0']) });
	assert.equal(node(shown, 'host0'), undefined);
	const client = node(shown, `host0/10000/${inner(0)}`);
	assert.deepEqual([client.name, client.address, client.vni, client.host], ['c0', inner(0), 10000, 'host0']);
	assert.ok(node(shown, `host0/10001/${inner(0, 1)}`), 'its silent client is there too');
	assert.ok(cell(shown, `host0/10000/${inner(0)}>host1`), 'the other end stays a host');
});

test('equal inner addresses in two VNIs are two nodes', () => {
	const flows = [flow(0, 1, 4), flow(0, 1, 6, { vni: 10001, src_client: 'c1', dst_client: 'c3' })];
	const shown = picture(flows, { open: new Set(['host0']) });
	assert.equal(node(shown, `host0/10000/${inner(0)}`).sent, 4);
	assert.equal(node(shown, `host0/10001/${inner(0)}`).sent, 6);
});

test('the VNI selection counts only that VNI', () => {
	const flows = [flow(0, 1, 4), flow(0, 1, 6, { vni: 10001 }), flow(0, 1, 1, { vni: null, encap: '4in4' })];
	assert.equal(picture(flows).total.packets, 11);
	assert.equal(picture(flows, { vni: 10001 }).total.packets, 6);
	assert.equal(picture(flows, { vni: null }).total.packets, 1);
	assert.deepEqual(vnisOf(lab(), sample(1, flows)), [10000, 10001, null]);
});

test('flooded frames go to "flood", are no loss, and may arrive many times', () => {
	const bum = { outer_dst: '239.1.1.1', bum: true, inner_dst: '192.168.0.255', dst_client: null };
	const shown = picture([flow(0, 1, 10, { ...bum, received: { packets: 20, bytes: 2000 } })]);
	assert.equal(cell(shown, 'host0>flood').packets, 10);
	assert.equal(cell(shown, 'host0>flood').received.packets, 20);
	assert.equal(lossOf(cell(shown, 'host0>flood')), null);
	assert.equal(shown.nodes.at(-1).kind, 'flood');
});

test('frames without inner addresses go by their protocol', () => {
	const arp = { inner_src: null, inner_dst: null, inner_proto: 'arp', src_client: null, dst_client: null };
	const shown = picture([flow(0, 1, 2, arp)], { open: new Set(['host0', 'host1']) });
	assert.ok(cell(shown, 'host0/10000/arp>host1/10000/arp'));
	assert.equal(node(shown, 'host0/10000/arp').name, 'arp');
});

test('inner IPv6 is told apart', () => {
	const six = (n) => ({
		inner_src: `fe80::${n}`, inner_dst: 'ff02::2', src_client: null, dst_client: null, outer_dst: 'ff05::1',
	});
	const shown = picture([flow(0, 1, 2, six(1)), flow(0, 1, 3, six(2))], { open: new Set(['host0']) });
	assert.equal(node(shown, 'host0/10000/fe80::1').sent, 2);
	assert.equal(node(shown, 'host0/10000/fe80::2').sent, 3);
	assert.ok(node(shown, 'flood'));
});

test('multicast is recognised in both address families', () => {
	for (const address of ['224.0.0.1', '239.1.1.4', 'ff02::1', 'FF05::2'])
		assert.ok(isMulticast(address), address);
	for (const address of ['172.16.1.100', '22.4.0.1', '240.0.0.1', 'fe80::1', 'fd00::ff02'])
		assert.ok(!isMulticast(address), address);
});

test('a host the lab does not know goes by its address', () => {
	const shown = picture([flow(0, 1, 5, { outer_dst: '10.9.9.9' })]);
	assert.ok(cell(shown, 'host0>10.9.9.9'));
	assert.equal(shown.nodes.at(-1).key, '10.9.9.9');
});

test('loss is what was sent and did not arrive', () => {
	const shown = picture([flow(0, 1, 100, { received: { packets: 97, bytes: 9700 } })]);
	assert.equal(lossOf(shown.cells[0]), 0.03);
	assert.equal(lossOf(shown.total), 0.03);
	assert.equal(lossOf(picture([flow(0, 1, 100, { received: undefined })]).cells[0]), null);
	assert.equal(lossOf(picture([flow(0, 1, 100, { received: { packets: 101, bytes: 1 } })]).cells[0]), 0);
});

test('a rate forgives one packet at the edge of its period, a total none', () => {
	const shown = picture([flow(0, 1, 100, { received: { packets: 99, bytes: 9900 } })]);
	assert.equal(lossOf(shown.cells[0], 1), 0);
	assert.equal(lossOf(shown.cells[0]), 0.01);
});

test('received is unknown as soon as a part of it is', () => {
	const shown = picture([flow(0, 1, 5), flow(1, 0, 5, { received: undefined })]);
	assert.equal(cell(shown, 'host0>host1').received.packets, 5);
	assert.equal(shown.total.received, null);
});

test('the busiest client is named', () => {
	const flows = [flow(0, 1, 4), flow(0, 2, 4), flow(1, 0, 7)];
	const { talker } = picture(flows);
	assert.deepEqual([talker.name, talker.host, talker.value], ['c0', 'host0', 8]);
	assert.equal(picture([]).talker, null);
});

test('beyond the limit the smaller pairs become "rest", and no figure changes', () => {
	const flows = [];
	for (let i = 0; i < 60; i++) {
		for (let d = 1; d < 12; d++)
			flows.push(flow(i, (i + d * 5) % 60, 1 + i * d));
	}
	const shown = picture(flows, {}, lab(60, [10000]));
	const all = sum(flows, (one) => one.packets);
	assert.equal(shown.total.packets, all);
	assert.equal(sum(shown.cells, (one) => one.packets), all);
	assert.equal(shown.total.received.packets, all);
	assert.ok(shown.cells.length <= RIBBON_LIMIT + 1, `${shown.cells.length} ribbons`);
	assert.equal(shown.nodes.at(-1).kind, 'rest');
	const hosts = picture(flows, {}, lab(300, [10000])).nodes;
	assert.ok(hosts.length <= 61, `${hosts.length} arcs`);
	assert.equal(node(shown, 'host59').sent, sum(flows.filter((one) => one.outer_src === vtep(59)), (one) => one.packets));
});

test('what the server left off is shown as "rest" too', () => {
	const list = total(sample(1, [flow(0, 1, 5)], { rest: { flows: 70, packets: 30, bytes: 3000 } }));
	const shown = figures(list, lab(), view());
	assert.equal(shown.total.packets, 35);
	assert.equal(cell(shown, 'rest>rest').packets, 30);
	assert.equal(figures(list, lab(), view({ vni: 10000 })).total.packets, 5);
});

test('a node that fell silent keeps its arc', () => {
	const bum = { outer_dst: '239.1.1.1', bum: true };
	const now = sample(5, [flow(0, 1, 9), flow(0, 1, 3, bum)]);
	const shown = figures(total(now, sample(2, [flow(0, 1, 1), flow(0, 1, 3, bum)]), 3), lab(), view());
	assert.ok(node(shown, 'flood'));
	assert.equal(cell(shown, 'host0>flood'), undefined);
});
