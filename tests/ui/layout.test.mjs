// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { layout, placeLabels, ribbonPath, spread } from '../../ui/web/layout.js';
import { test } from '../lib/tap.mjs';

const TAU = 2 * Math.PI;
const near = (a, b, what) => assert.ok(Math.abs(a - b) < 1e-9, `${what ?? ''} ${a} is not ${b}`);

/** Nodes and pairs from a table of directions: { 'a>b': value }. */
function made(names, directions) {
	const nodes = names.map((key) => ({ key, sent: 0, got: 0 }));
	const at = (key) => nodes.find((node) => node.key === key);
	const pairs = new Map();
	for (const [key, value] of Object.entries(directions)) {
		const [from, to] = key.split('>');
		at(from).sent += value;
		at(to).got += value;
		const forward = names.indexOf(from) <= names.indexOf(to);
		const [a, b] = forward ? [from, to] : [to, from];
		const pair = pairs.get(`${a}~${b}`) ?? { key: `${a}~${b}`, a: at(a), b: at(b), ab: 0, ba: 0 };
		pair[forward ? 'ab' : 'ba'] += value;
		pairs.set(pair.key, pair);
	}
	return layout(nodes, [...pairs.values()]);
}

const length = ({ start, end }) => end - start;
const names = [...'abcdefghi'];

test('arcs go round once, in order, without overlap', () => {
	const { arcs } = made(names, { 'a>b': 5, 'b>a': 3, 'c>i': 9 });
	const all = [...arcs.values()];
	all.slice(1).forEach((arc, i) => assert.ok(arc.start > all[i].end));
	assert.ok(all.at(-1).end - all[0].start < TAU);
});

test('arcs are in proportion to what is sent and received', () => {
	const { arcs } = made(['a', 'b', 'c'], { 'a>b': 30, 'b>c': 10 });
	near(length(arcs.get('b')) / length(arcs.get('a')), 4 / 3);
	near(length(arcs.get('a')) / length(arcs.get('c')), 3);
});

test('silent nodes keep an arc that can be hit', () => {
	const { arcs } = made(names, { 'a>i': 1e9 });
	for (const name of names)
		assert.ok(length(arcs.get(name)) > 0.05, name);
	const { arcs: idle } = made(names, {});
	for (const name of names)
		near(length(idle.get(name)), length(idle.get('a')), name);
});

test('a ribbon is as wide at one end as at the other, whoever else is there', () => {
	const { ribbons } = made(['a', 'b', 'c'], { 'a>b': 30, 'b>a': 20, 'b>c': 10, 'c>a': 7 });
	assert.equal(ribbons.length, 4);
	for (const { source, target } of ribbons)
		near(length(source), length(target));
});

test('ribbon ends fill their arc and do not overlap', () => {
	const directions = {};
	names.forEach((a, i) => names.forEach((b, j) => {
		if (a !== b)
			directions[`${a}>${b}`] = 1 + (i * 7 + j * 3) % 5;
	}));
	const { arcs, ribbons } = made(names, directions);
	for (const name of names) {
		const ends = ribbons.flatMap(({ from, to, source, target }) =>
			[...(from.key === name ? [source] : []), ...(to.key === name ? [target] : [])])
			.sort((p, q) => p.start - q.start);
		near(ends[0].start, arcs.get(name).start);
		near(ends.at(-1).end, arcs.get(name).end);
		ends.slice(1).forEach((end, i) => near(end.start, ends[i].end));
	}
});

test('the two lanes of a pair lie side by side and do not cross', () => {
	const { ribbons } = made(['a', 'b', 'c'], { 'a>b': 30, 'b>a': 20, 'a>c': 5 });
	const [there, back] = ['a>b', 'b>a'].map((key) => ribbons.find((one) => one.key === key));
	const first = there.source.start < back.target.start;
	assert.equal(there.target.start > back.source.start, first, 'the order turns round at the other end');
});

test('a node may talk to itself', () => {
	const { ribbons, arcs } = made(['a', 'b'], { 'a>a': 4, 'a>b': 1 });
	const self = ribbons.find(({ key }) => key === 'a>a');
	const [first, second] = [self.source, self.target].sort((p, q) => p.start - q.start);
	assert.ok(first.start >= arcs.get('a').start - 1e-9 && second.end <= arcs.get('a').end + 1e-9);
	assert.ok(second.start >= first.end - 1e-9);
});

test('many nodes still fit', () => {
	const many = Array.from({ length: 400 }, (_, i) => `n${i}`);
	const { arcs } = made(many, { 'n0>n1': 1e6 });
	assert.ok([...arcs.values()].at(-1).end - arcs.get('n0').start <= TAU);
	assert.ok(length(arcs.get('n7')) > 0);
	assert.deepEqual(layout([], []), { arcs: new Map(), ribbons: [] });
});

test('a ribbon path has only numbers and stays inside its circle', () => {
	for (const angles of [[0, 0.001, 2, 2.001], [0, 3.3, 3.4, 6.2], [-1.5, 1.5, 1.6, 4.7]]) {
		const path = ribbonPath(100, angles);
		assert.match(path, /^M[-\d.,AQLZ ]+Z$/);
		for (const [, x, y] of path.matchAll(/([-\d.]+),([-\d.]+)(?=[ALQZ]|$)/g))
			assert.ok(Math.hypot(x, y) < 150);
	}
});

test('labels are spread no more than needed', () => {
	assert.deepEqual(spread([0, 100, 200], 20, 300), [0, 100, 200]);
	assert.deepEqual(spread([0, 0, 0], 20, 300), [-20, 0, 20]);
	assert.deepEqual(spread([290, 290], 20, 300), [280, 300]);
	assert.deepEqual(spread([], 20, 300), []);
});

test('labels never overlap and keep their side near the top', () => {
	const items = Array.from({ length: 40 }, (_, i) => ({ key: `k${i}`, angle: i / 40 * TAU, weight: i }));
	const places = placeLabels(items, { radius: 200, limit: 230, step: 15 });
	for (const side of [-1, 1]) {
		const ys = [...places.values()].filter((place) => place.side === side).map(({ y }) => y).sort((a, b) => a - b);
		ys.slice(1).forEach((y, i) => assert.ok(y - ys[i] > 14.999));
		assert.ok(Math.max(...ys.map(Math.abs)) <= 230 + 1e-9);
	}
	const left = placeLabels([{ key: 'k', angle: -0.1, weight: 1 }], { radius: 200, limit: 230, step: 15 });
	const again = placeLabels([{ key: 'k', angle: 0.1, weight: 1 }], { radius: 200, limit: 230, step: 15 }, left);
	assert.equal(again.get('k').side, -1);
});
