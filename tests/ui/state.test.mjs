// SPDX-License-Identifier: Apache-2.0
// The user's choices, their way into the address and back, and the filters.
import assert from 'node:assert/strict';
import { filterOf, formatFilter, guessFilter, parseFilter, selectionOf } from '../../ui/web/filter.js';
import { namesOf } from '../../ui/web/names.js';
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
