// SPDX-License-Identifier: Apache-2.0
// The user's choices, their way into the address and back, and the filters.
import assert from 'node:assert/strict';
import { filterOf, formatFilter, guessFilter, parseFilter, selectionOf } from '../../ui/web/filter.js';
import { eventAt } from '../../ui/web/events.js';
import { hostIs, namesOf, rangeName, rangeOf } from '../../ui/web/names.js';
import * as model from '../../ui/web/state.js';
import { readToken, readView, writeView } from '../../ui/web/url.js';
import * as words from '../../ui/web/words.js';
import { test } from '../lib/tap.mjs';
import { fed, flow, lab } from './fixture.mjs';

const plain = model.newView();

test('a silent stream turns stale; a lost or ended lab comes first; looking back is said', () => {
	const store = fed([[[flow(0, 1), 1]]]);
	assert.equal(model.condition(store, plain, 2.9), 'live');
	assert.equal(model.condition(store, plain, 3.1), 'stale');
	assert.equal(model.condition(store, { ...plain, at: 2 }, 0), 'past');
	store.frames.at(-1).interval_s = 5;
	assert.equal(model.condition(store, plain, 14), 'live');
	store.link = 'lost';
	assert.equal(model.condition(store, { ...plain, at: 2 }, 60), 'lost');
});

test('the way in and the way out are the same way', () => {
	const host = { kind: 'host', host: 'host0' };
	const inner = { kind: 'inner', host: 'host0', vni: 10003, client: 'c3' };
	const client = { kind: 'client', host: 'host0', client: 'c3', vni: 10003 };
	const one = model.drillIn(plain, host);
	assert.deepEqual(one.open, ['host0']);
	const two = model.drillIn(one, inner);
	assert.deepEqual([two.level, two.select, model.chosenVni(two)], ['client', 'c3', '10003']);
	const three = model.drillIn(two, client);
	assert.deepEqual(three.filters.map(formatFilter), ['vni:10003', 'client:c3']);
	let view = three;
	let steps = 0;
	for (let next = view; next; next = model.drillOut(view), steps++)
		view = next;
	assert.deepEqual(view, plain);
	assert.ok(steps <= 5);
	assert.deepEqual(model.drillOut(one), plain);
});

test('hosts open and close again, filters replace their opposite', () => {
	let view = model.toggleOpen(model.toggleOpen(plain, 'host0'), 'host1');
	view = model.toggleOpen(view, 'host0');
	assert.deepEqual(view.open, ['host1']);
	view = model.addFilter(plain, parseFilter('proto:arp'));
	view = model.addFilter(view, parseFilter('-proto:arp'));
	assert.deepEqual(view.filters.map(formatFilter), ['-proto:arp']);
	assert.deepEqual(model.dropFilter(view, parseFilter('proto:arp')).filters, []);
});

test('VNIs: one, all, or something else', () => {
	assert.equal(model.chosenVni(plain), 'all');
	assert.equal(model.chosenVni(model.chooseVni(plain, '10001')), '10001');
	assert.equal(model.chosenVni(model.addFilter(plain, parseFilter('-vni:10001'))), null);
	assert.deepEqual(model.chooseVni(model.chooseVni(plain, '10001'), 'all').filters, []);
});

test('another lab keeps what fits it', () => {
	const view = { ...plain, open: ['host1', 'host77'], unit: 'packets', filters: ['vni:10001', 'vni:7', 'host:host77', 'proto:udp'].map(parseFilter) };
	const fitted = model.fitLab(view, lab());
	assert.deepEqual([fitted.open, fitted.unit, fitted.filters.map(formatFilter)], [['host1'], 'packets', ['vni:10001', 'proto:udp']]);
});

test('an address opens the view it was made from, and a plain one is short', () => {
	assert.equal(writeView(plain), '');
	const view = {
		view: 'table', level: 'client', open: ['host0', 'host8'], unit: 'packets', over: 60, filters: ['vni:10003', '-proto:arp'].map(parseFilter),
		search: 'a b&c', select: 'host0~host8', stack: 'vni', at: 123, sort: { by: 'loss', down: true },
	};
	assert.deepEqual(readView(writeView(view)), view);
	assert.deepEqual(readView(writeView({ ...plain, over: 'all', sort: { by: 'from', down: false } })), { ...plain, over: 'all', sort: { by: 'from', down: false } });
	assert.equal(writeView({ ...plain, filters: view.filters, select: 'c3' }), '?f=vni:10003&f=-proto:arp&select=c3');
});

test('an address that makes no sense is a plain one', () => {
	assert.deepEqual(readView('?view=3d&level=&unit=miles&over=7&f=colour:red&f=vni:&at=x&sort=-&stack=%00'), plain);
	for (const sort of ['nonsense', '-constructor', 'valueOf', '__proto__'])
		assert.deepEqual(readView(`?sort=${sort}`), plain, sort);
});

test('the token stands in the fragment only', () => {
	const token = 'd1e0e65781308507bd1d00765b171614';
	assert.equal(readToken(`#token=${token}`), token);
	assert.equal(readToken(`#${token}`), token);
	for (const text of ['', '#', '#main', `?token=${token}`, '#token=<script>'])
		assert.equal(readToken(text), null);
});

const names = namesOf(lab());
const asks = (texts, search = '') => filterOf({ filters: texts.map(parseFilter), search }, names);
const icmp = flow(1, 2, { inner_proto: 'ipv4/icmp', vni: 10001 });
const six = flow(0, 2, { inner_src: 'fe80::1', inner_dst: 'ff02::2', inner_proto: 'ipv6/icmpv6', src_client: null, dst_client: null });

test('filters of a field are alternatives, fields must agree, exclusion wins', () => {
	for (const [filters, search, passed] of [[['host:host0'], '', [0, 2]], [['host:host0', 'host:host1'], '', [0, 1, 2]], [['vni:10001'], '', [1]],
		[['host:host0', 'proto:udp'], '', [0]], [['-proto:udp'], '', [1, 2]], [['proto:ping'], '', [1, 2]], [['proto:ipv4/icmp'], '', [1]],
		[['addr:192.168.0.1'], '', [0]], [['addr:192.168.'], '', [0, 1]], [['client:c2'], '', [0, 1]], [['addr:fe80::1'], '', [2]],
		[['encap:vxlan', '-vni:10000'], '', [1]], [[], 'host2', [1, 2]], [[], 'HOST2 -icmpv6', [1]], [[], 'nothing', []]]) {
		const filter = asks(filters, search);
		assert.deepEqual([flow(0, 1), icmp, six].map((one, i) => [filter(one), i]).filter(([yes]) => yes).map(([, i]) => i), passed, `${filters} ${search}`);
	}
	assert.equal(asks([]), null, 'nothing asked');
});

test('words are read as filters where they can be one thing only', () => {
	for (const [text, filter] of [['c3', 'client:c3'], ['-host1', '-host:host1'], ['10001', 'vni:10001'], ['192.168.0.1', 'addr:192.168.0.1'],
		['fe80::1', 'addr:fe80::1'], ['arp', 'proto:arp'], ['!udp', '-proto:udp']])
		assert.equal(formatFilter(guessFilter(text, lab())), filter);
	assert.equal(guessFilter('10009', lab()), null);
	assert.equal(parseFilter('protocol:udp').field, 'proto');
	assert.equal(parseFilter('colour:red'), null);
});

test('a selection asks both ends, by any of their names', () => {
	for (const [selected, yes] of [['c0', true], ['c2', true], ['c4', false], ['host0~host1', true], ['host1~host0', true], ['host0~host2', false],
		['c0~c2', true], ['10000/192.168.0.1', true], ['host0/10000/192.168.0.1~host1', true]])
		assert.equal(selectionOf(selected, names)(flow(0, 1)), yes, selected);
	assert.equal(selectionOf(null, names), null);
	assert.equal(selectionOf('flood', names)(flow(0, 1, { bum: true, outer_dst: '239.1.1.1' })), true);
});

test('an empty picture says how to make traffic, or that filters hide it', () => {
	const picture = { figures: { total: { packets: 0 }, cells: [] } };
	const say = (how) => words.middleWords({ condition: 'live', picture, lab: lab(3), filtered: false, canAct: false, ...how });
	assert.deepEqual(say({}), ['No traffic', 'Make some from another terminal:', 'tunlab traffic --client 3 --rate 500pps']);
	assert.match(say({ canAct: true })[1], /Act/);
	assert.equal(say({ filtered: true })[0], 'Nothing matches');
	assert.equal(say({ picture: null, condition: 'lost' })[0], 'No lab');
	assert.deepEqual([say({ view: 'topology' })[0], say({ view: 'topology', lab: lab(0) })[0]], ['', 'No hosts']);
});

test('since when: as short as it can be said', () => {
	for (const [since, said] of [[{ seconds: 0.5 }, ''], [{ seconds: 75 }, 'for 1:15 min'], [{ seconds: 599, open: true }, 'for over 9 min'],
		[{ seconds: 9, open: true }, 'for over 9 s'], [{ seconds: 9, open: true, start: true }, 'since start']])
		assert.equal(words.sinceWords(since).replace(/\u00a0/g, ' '), said);
});

test('every condition has a word, and every trouble a sentence', () => {
	for (const condition of ['connecting', 'live', 'past', 'stale', 'lost', 'full', 'ended'])
		assert.ok(words.LINK_WORDS[condition]);
	for (const condition of ['stale', 'lost', 'full', 'ended'])
		assert.ok(words.notice(condition, 5, true)[0].endsWith('.'));
	assert.deepEqual(words.notice('live', 0, true), ['', '']);
});

// -- ranges of hosts, the riddle, events

test('a range of hosts is a filter, a selection and a step of the drill', () => {
	const where = lab(20);
	const names = namesOf(where);
	assert.deepEqual(rangeOf('host0-9'), { first: 0, last: 9 });
	assert.equal(rangeOf('host0'), null);
	assert.deepEqual([rangeName(0, 9), rangeName(7, 7)], ['host0-9', 'host7']);
	assert.ok(hostIs('host9', 'host0-9', names) && !hostIs('host10', 'host0-9', names) && hostIs('host3', 'host3', names));
	assert.ok(!hostIs('172.16.9.9', 'host0-9', names), 'an address that is no host of the lab');
	const asks = filterOf({ filters: [parseFilter('host:host0-9')], search: '' }, names);
	assert.deepEqual([[0, 15], [15, 0], [10, 15]].map(([i, j]) => asks(flow(i, j))), [true, true, false]);
	const both = selectionOf('host0-9~host15', names);
	assert.deepEqual([[0, 15], [15, 4], [12, 15]].map(([i, j]) => both(flow(i, j))), [true, true, false]);
	assert.deepEqual(guessFilter('host0-9', where), { field: 'host', value: 'host0-9', not: false });

	let view = model.drillIn(model.newView(), { kind: 'group', key: 'host0-9', host: null });
	view = model.drillIn(view, { kind: 'group', key: 'host0-4', host: null });
	assert.deepEqual(view.filters.map(({ value }) => value), ['host0-4'], 'the narrower one replaces the wider');
	view = model.drillIn(view, { kind: 'host', host: 'host3' });
	assert.deepEqual(model.drillOut(view).open, []);
	assert.deepEqual(model.drillOut(model.drillOut(view)).filters, []);
	assert.deepEqual(model.fitLab(view, lab(20)).filters.length, 1);
	const high = { ...view, filters: [{ field: 'host', value: 'host50-99', not: false }] };
	assert.deepEqual(model.fitLab(high, lab(20)).filters, [], 'hosts that another lab has not');
});

test('a guess is answered with a sentence', () => {
	assert.equal(words.guessWords({ right: false, client: 'c5', guesses: 2 }).replace(/\u00a0/g, ' '), 'No, it is not c5. 2 guesses so far.');
	assert.equal(words.guessWords({ right: true, client: 'c17', guesses: 1, host: 'host4', vni: 10001, traffic: { proto: 'udp', to: ['c33'], rate: '300pps' } }),
		'Yes: c17 on host4, VNI 10001, sends udp to c33 at 300pps. Found at the first guess.');
});

test('what happened in an interval is known at its end', () => {
	const events = [{ time: 4.2, text: 'link host3 down' }, { time: 5, text: 'x' }, { time: 5.1, text: 'y' }];
	assert.equal(eventAt(events, { elapsed_s: 5, interval_s: 1 }), 'link host3 down, x');
	assert.equal(eventAt(events, { elapsed_s: 4, interval_s: 1 }), '');
});
