// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { figures, lossOf, overheadOf, vnisOf } from '../../ui/web/figures.js';
import { RIBBON_LIMIT } from '../../ui/web/fold.js';
import { filterOf, selectionOf } from '../../ui/web/filter.js';
import { isMulticast, namesOf } from '../../ui/web/names.js';
import { test } from '../lib/tap.mjs';
import { amount, inner, lab, sums, view, vtep } from './fixture.mjs';

const picture = (list, how, where = lab(), questions = {}) => figures(sums(list), where, view(how), questions);
const asking = (how, where = lab()) => ({ filter: filterOf({ filters: [], search: '', ...how }, namesOf(where)) });
const node = (shown, key) => shown.nodes.find((one) => one.key === key);
const cell = (shown, key) => shown.cells.find((one) => one.key === key);
const sum = (list, value) => list.reduce((all, one) => all + value(one), 0);

test('hosts are nodes, silent ones too, in the order of their numbers', () => {
	const shown = picture([amount(2, 0, 10)], {}, lab(11));
	assert.deepEqual(shown.nodes.map(({ key }) => key), [...Array(11).keys()].map((i) => `host${i}`));
	assert.equal(node(shown, 'host2').sent, 10);
	assert.equal(node(shown, 'host0').got, 10);
	assert.equal(node(shown, 'host1').sent + node(shown, 'host1').got, 0);
});

test('the total is the sum of the cells, of what nodes send and of the pairs', () => {
	const flows = [amount(0, 1, 11), amount(1, 0, 7), amount(2, 1, 5), amount(0, 1, 3, { inner_proto: 'ipv4/icmp' })];
	for (const open of [[], ['host0'], ['host0', 'host1', 'host2']]) {
		const shown = picture(flows, { open });
		assert.equal(shown.total.packets, 26);
		assert.equal(sum(shown.cells, (one) => one.packets), 26);
		assert.equal(sum(shown.nodes, (one) => one.sent), 26);
		assert.equal(sum(shown.nodes, (one) => one.got), 26);
		assert.equal(sum(shown.pairs, (one) => one.ab + one.ba), 26);
	}
});

test('both directions of a pair keep their sides', () => {
	const [pair] = picture([amount(0, 1, 11), amount(1, 0, 7)]).pairs;
	assert.deepEqual([pair.a.key, pair.b.key, pair.ab, pair.ba], ['host0', 'host1', 11, 7]);
	const [reverse] = picture([amount(2, 1, 5)]).pairs;
	assert.deepEqual([reverse.a.key, reverse.b.key, reverse.ab, reverse.ba], ['host1', 'host2', 0, 5]);
});

test('cells come biggest first by the chosen unit', () => {
	const flows = [amount(0, 1, 10, { bytes: 500 }), amount(1, 2, 1, { bytes: 9000 })];
	assert.equal(picture(flows, { unit: 'packets' }).cells[0].key, 'host0>host1');
	assert.equal(picture(flows, { unit: 'bytes' }).cells[0].key, 'host1>host2');
});

test('an opened host is replaced by its inner addresses, with client names', () => {
	const shown = picture([amount(0, 1, 11)], { open: ['host0'] });
	assert.equal(node(shown, 'host0'), undefined);
	const client = node(shown, `host0/10000/${inner(0)}`);
	assert.deepEqual([client.name, client.address, client.vni, client.host], ['c0', inner(0), 10000, 'host0']);
	assert.ok(node(shown, `host0/10001/${inner(0, 1)}`), 'its silent client is there too');
	assert.ok(cell(shown, `host0/10000/${inner(0)}>host1`), 'the other end stays a host');
});

test('equal inner addresses in two VNIs are two nodes', () => {
	const flows = [amount(0, 1, 4), amount(0, 1, 6, { vni: 10001, src_client: 'c1', dst_client: 'c3' })];
	const shown = picture(flows, { open: ['host0'] });
	assert.equal(node(shown, `host0/10000/${inner(0)}`).sent, 4);
	assert.equal(node(shown, `host0/10001/${inner(0)}`).sent, 6);
});

test('a filter counts only what it lets through', () => {
	const flows = [amount(0, 1, 4), amount(0, 1, 6, { vni: 10001 }), amount(0, 1, 1, { vni: null, encap: '4in4' })];
	const only = (vni) => asking({ filters: [{ field: 'vni', value: String(vni), not: false }] });
	assert.equal(picture(flows).total.packets, 11);
	assert.equal(picture(flows, {}, lab(), only(10001)).total.packets, 6);
	assert.equal(picture(flows, {}, lab(), only('none')).total.packets, 1);
	assert.deepEqual(vnisOf(lab(), flows.map((one) => one.flow)), [10000, 10001, null]);
});

test('levels: addresses stand by their VNI, clients by their host', () => {
	const flows = [amount(0, 1, 4), amount(1, 0, 6, { vni: 10001, inner_src: inner(1, 1), inner_dst: inner(0, 1), src_client: 'c3', dst_client: 'c1' })];
	const inside = picture(flows, { level: 'inner' });
	assert.deepEqual(inside.nodes.map(({ key }) => key), ['10000/192.168.0.1', '10000/192.168.0.2', '10000/192.168.0.3',
		'10001/192.168.1.1', '10001/192.168.1.2', '10001/192.168.1.3']);
	assert.equal(node(inside, '10001/192.168.1.2').sent, 6);
	const clients = picture(flows, { level: 'client' });
	assert.deepEqual(clients.nodes.map(({ key }) => key), ['c0', 'c1', 'c2', 'c3', 'c4', 'c5']);
	assert.deepEqual([node(clients, 'c3').sent, node(clients, 'c3').group], [6, 'host1']);
	assert.equal(cell(clients, 'c3>c1').packets, 6);
});

test('a selection lights what carries it, on every level', () => {
	const flows = [amount(0, 1, 4), amount(0, 2, 3), amount(2, 1, 1)];
	for (const [selected, how, lit] of [['c0', {}, ['host0>host1', 'host0>host2']], ['c0', { level: 'client' }, ['c0>c2', 'c0>c4']],
		['host1~host2', {}, ['host2>host1']], ['c2', { level: 'inner' }, ['10000/192.168.0.1>10000/192.168.0.2', '10000/192.168.0.3>10000/192.168.0.2']]]) {
		const shown = picture(flows, how, lab(), { selection: selectionOf(selected, namesOf(lab())) });
		assert.deepEqual(shown.cells.filter((one) => one.lit).map(({ key }) => key), lit, selected);
	}
});

test('planned and silent pairs are cells without figures; what nobody planned is counted', () => {
	const shown = picture([amount(0, 1, 0, { silent: true }), amount(1, 2, 5, { unplanned: true })]);
	assert.deepEqual([cell(shown, 'host0>host1').silent, cell(shown, 'host0>host1').packets], [1, 0]);
	assert.equal(cell(shown, 'host1>host2').unplanned, 1);
	assert.equal(shown.pairs.length, 2);
});

test('overhead is the share of bytes that is not inner', () => {
	assert.equal(overheadOf(picture([amount(0, 1, 5)]).total), 0.5);
	assert.equal(overheadOf(picture([]).total), null);
});

test('flooded frames go to "flood", are no loss, and may arrive many times', () => {
	const bum = { outer_dst: '239.1.1.1', bum: true, inner_dst: '192.168.0.255', dst_client: null };
	const shown = picture([amount(0, 1, 10, { ...bum, received: { packets: 20, bytes: 2000 } })]);
	assert.equal(cell(shown, 'host0>flood').packets, 10);
	assert.equal(cell(shown, 'host0>flood').received.packets, 20);
	assert.equal(lossOf(cell(shown, 'host0>flood')), null);
	assert.equal(shown.nodes.at(-1).kind, 'flood');
});

test('frames without inner addresses go by their protocol', () => {
	const arp = { inner_src: null, inner_dst: null, inner_proto: 'arp', src_client: null, dst_client: null };
	const shown = picture([amount(0, 1, 2, arp)], { open: ['host0', 'host1'] });
	assert.ok(cell(shown, 'host0/10000/arp>host1/10000/arp'));
	assert.equal(node(shown, 'host0/10000/arp').name, 'arp');
});

test('inner IPv6 is told apart', () => {
	const six = (n) => ({
		inner_src: `fe80::${n}`, inner_dst: 'ff02::2', src_client: null, dst_client: null, outer_dst: 'ff05::1',
	});
	const shown = picture([amount(0, 1, 2, six(1)), amount(0, 1, 3, six(2))], { open: ['host0'] });
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
	const shown = picture([amount(0, 1, 5, { outer_dst: '10.9.9.9' })]);
	assert.ok(cell(shown, 'host0>10.9.9.9'));
	assert.equal(shown.nodes.at(-1).key, '10.9.9.9');
});

test('loss is what was sent and did not arrive', () => {
	const shown = picture([amount(0, 1, 100, { received: { packets: 97, bytes: 9700 } })]);
	assert.equal(lossOf(shown.cells[0]), 0.03);
	assert.equal(lossOf(shown.total), 0.03);
	assert.equal(lossOf(picture([amount(0, 1, 100, { received: null })]).cells[0]), null);
	assert.equal(lossOf(picture([amount(0, 1, 100, { received: { packets: 101, bytes: 1 } })]).cells[0]), 0);
});

test('a rate forgives one packet at the edge of its period, a total none', () => {
	const shown = picture([amount(0, 1, 100, { received: { packets: 99, bytes: 9900 } })]);
	assert.equal(lossOf(shown.cells[0], 1), 0);
	assert.equal(lossOf(shown.cells[0]), 0.01);
});

test('received is unknown as soon as a part of it is', () => {
	const shown = picture([amount(0, 1, 5), amount(1, 0, 5, { received: null })]);
	assert.equal(cell(shown, 'host0>host1').received.packets, 5);
	assert.equal(shown.total.received, null);
});

test('beyond the limit hosts stand together by their numbers, and no figure changes', () => {
	const flows = [];
	for (let i = 0; i < 60; i++) {
		for (let d = 1; d < 12; d++)
			flows.push(amount(i, (i + d * 5) % 60, 1 + i * d));
	}
	const shown = picture(flows, {}, lab(60, [10000]));
	const all = sum(flows, (one) => one.packets);
	assert.equal(shown.total.packets, all);
	assert.equal(sum(shown.cells, (one) => one.packets), all);
	assert.equal(shown.total.received.packets, all);
	assert.equal(shown.cells.length, 660, 'the table has them all');
	const ribbons = shown.pairs.flatMap(({ forth, back }) => [forth, back]).filter(Boolean);
	assert.ok(ribbons.length <= RIBBON_LIMIT, `${ribbons.length} ribbons`);
	assert.equal(sum(shown.pairs, (one) => one.ab + one.ba), all);
	assert.equal(sum(shown.drawn, (one) => one.sent), all);
	assert.equal(sum(shown.drawn, (one) => one.got), all);
	assert.equal(node(shown, 'host59').sent, sum(flows.filter((one) => one.flow.outer_src === vtep(59)), (one) => one.packets));
	assert.ok(shown.drawn.some(({ key }) => key === 'host0-4'));
	assert.deepEqual(shown.drawn.map(({ order }) => order[0]), shown.drawn.map(({ order }) => order[0]).sort((a, b) => a - b), 'in order');
});

test('of a thousand hosts the loud stand by themselves, and what is selected; a group can be looked into down to its hosts', () => {
	const flows = Array.from({ length: 999 }, (_, i) => amount(i, i + 1, i === 500 ? 2000 : 1));
	const shown = picture(flows, {}, lab(1000, [10000]));
	assert.deepEqual(shown.drawn.map(({ key }) => key), ['host0-99', 'host100-199', 'host200-299', 'host300-399', 'host400-499', 'host500-599',
		'host500', 'host501', 'host600-699', 'host700-799', 'host800-899', 'host900-999']);
	assert.equal(shown.drawn[0].address, '100 active');
	const where = lab(1000, [10000]);
	const lit = picture(flows, {}, where, { selection: selectionOf('host7', namesOf(where)) });
	assert.ok(lit.drawn.some(({ key }) => key === 'host7') && lit.drawn.some(({ key }) => key === 'host8'));
	const closer = { filters: [{ field: 'host', value: 'host100-199', not: false }] };
	const inside = picture(flows, closer, where, asking(closer, where));
	assert.equal(inside.cells.length, 101);
	const mesh = [];
	for (let i = 0; i < 400; i++)
		mesh.push(amount(100 + i % 100, (i * 7) % 1000, 1));
	const within = picture(mesh, closer, where, asking(closer, where)).drawn.map(({ key }) => key);
	assert.ok(within.includes('host100-109') && within.includes('rest'), within.join());
});

test('what the server left off is shown as "rest" too, by its sender where he is known', () => {
	const unknown = { flow: null, host: null, packets: 30, bytes: 3000, inner_bytes: 1500, received: { packets: 30, bytes: 3000 } };
	const shown = figures(sums([amount(0, 1, 5), { ...unknown, host: 'host2', packets: 7, received: null }], unknown), lab(), view());
	assert.equal(shown.total.packets, 42);
	assert.equal(cell(shown, 'rest>rest').packets, 30);
	assert.equal(cell(shown, 'host2>rest').packets, 7);
	const only = asking({ filters: [{ field: 'vni', value: '10000', not: false }] });
	assert.equal(figures(sums([amount(0, 1, 5)], unknown), lab(), view(), only).total.packets, 5);
});

test('a node that fell silent keeps its arc', () => {
	const bum = { outer_dst: '239.1.1.1', bum: true };
	const shown = picture([amount(0, 1, 9), amount(0, 1, 0, bum)]);
	assert.ok(node(shown, 'flood'));
	assert.equal(cell(shown, 'host0>flood'), undefined);
});
