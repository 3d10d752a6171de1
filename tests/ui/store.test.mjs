// SPDX-License-Identifier: Apache-2.0
// What the feed tells, kept; and spans of it, as rates and totals.
import assert from 'node:assert/strict';
import { amounts, seenIn, spanOf } from '../../ui/web/span.js';
import { FRAMES_MAX, indexOf, learn, memory, newStore, newest } from '../../ui/web/store.js';
import { test } from '../lib/tap.mjs';
import { Feed, fed, flow, lab } from './fixture.mjs';

const a = flow(0, 1), b = flow(1, 0);
const now = (over) => ({ at: null, over });
const packets = (store, how) => amounts(store, spanOf(store, how)).list.map((one) => [one.flow?.src_client ?? one.host, one.packets]);

test('nothing gives nothing', () => {
	assert.equal(spanOf(newStore(), now(3)), null);
	assert.equal(newest(newStore()), null);
});

test('a rate covers the last seconds and no more, divided by the measured time', () => {
	const feed = new Feed();
	const store = fed(Array.from({ length: 9 }, (_, i) => [[a, i + 1]]), feed);
	learn(store, { type: 'frame', frame: feed.frame([[a, 30]], { interval_s: 1.5 }) });
	const span = spanOf(store, now(3));
	assert.deepEqual([span.frames.length, span.seconds], [2, 2.5]);
	assert.deepEqual(packets(store, now(3)), [['c0', (9 + 30) / 2.5]]);
});

test('intervals a little off a second do not make the span jump', () => {
	const feed = new Feed();
	const store = fed([], feed);
	for (let i = 0; i < 20; i++) {
		learn(store, { type: 'frame', frame: feed.frame([[a, 1]], { interval_s: i % 2 ? 0.995 : 1.004 }) });
		if (i >= 3)
			assert.equal(spanOf(store, now(3)).frames.length, 3);
	}
});

test('looking back shows the span that ended then', () => {
	const store = fed([[[a, 1]], [[a, 2]], [[a, 3]], [[a, 40]], [[a, 50]]]);
	assert.deepEqual(packets(store, { at: 4, over: 3 }), [['c0', 2]]);
	assert.equal(indexOf(store, 4), 2);
	assert.equal(spanOf(store, { at: 1, over: 3 }).end.seq, 2, 'a moment that has left is the oldest there is');
});

test('totals are exact: what was before, what came, and what is looked back from', () => {
	const feed = new Feed();
	feed.frame([[a, 100], [b, 7]]);
	const store = fed([[[a, 1]], [[a, 2]], [[b, 5]]], feed);
	const sum = (how) => Object.fromEntries(packets(store, how));
	assert.deepEqual(sum(now('all')), { c0: 103, c2: 12 });
	assert.deepEqual(sum({ at: feed.seq - 1, over: 'all' }), { c0: 103, c2: 7 });
	assert.deepEqual(sum({ at: feed.seq - 2, over: 'all' }), { c0: 101, c2: 7 });
});

test('history that comes after the base is not counted twice', () => {
	const feed = new Feed();
	const frames = [feed.frame([[a, 10]]), feed.frame([[a, 20]])];
	const store = newStore();
	learn(store, { type: 'lab', lab: lab() });
	learn(store, { type: 'base', base: feed.base() });
	for (const frame of frames)
		learn(store, { type: 'frame', frame });
	assert.deepEqual(packets(store, now('all')), [['c0', 30]]);
	learn(store, { type: 'frame', frame: feed.frame([[a, 5], [b, 1]]) });
	assert.deepEqual(packets(store, now('all')), [['c0', 35], ['c2', 1]]);
});

test('the same frame twice changes nothing; a missing one shows', () => {
	const feed = new Feed();
	const store = fed([[[a, 1]]], feed);
	const frame = feed.frame([[a, 1]]);
	learn(store, { type: 'frame', frame });
	learn(store, { type: 'frame', frame });
	assert.equal(store.frames.length, 2);
	assert.equal(spanOf(store, now(3)).partial, false);
	feed.frame([[a, 1]]);
	learn(store, { type: 'frame', frame: feed.frame([[a, 1]]) });
	assert.equal(spanOf(store, now(3)).partial, true);
});

test('another run starts over, the same one goes on', () => {
	const feed = new Feed();
	const store = fed([[[a, 1]], [[a, 1]]], feed);
	learn(store, { type: 'base', base: feed.base() });
	assert.equal(store.frames.length, 2);
	learn(store, { type: 'base', base: new Feed(lab(), 2).base() });
	assert.deepEqual([store.frames.length, store.flows.size], [0, 0]);
});

test('ten minutes are kept, and their span is told', () => {
	const feed = new Feed();
	const store = fed([], feed);
	for (let i = 0; i < FRAMES_MAX + 50; i++)
		learn(store, { type: 'frame', frame: feed.frame([[a, 1]]) });
	assert.equal(store.frames.length, FRAMES_MAX);
	assert.equal(memory(store), FRAMES_MAX);
});

test('what no entry tells goes to its host, or to the rest', () => {
	const feed = new Feed();
	const store = fed([], feed);
	learn(store, { type: 'frame', frame: feed.frame([[a, 10]], {
		rest: [90, 50, 5000, 2500, 50, 5000], hosts: [[0, 30, 3000, 0, 0], [2, 40, 4000, 0, 0]], total: [70, 7000, 3500, 70, 7000],
	}) });
	const { list, rest, restFlows } = amounts(store, spanOf(store, now(3)));
	assert.deepEqual(list.map((one) => [one.host ?? one.flow.src_client, one.packets]), [['c0', 10], ['host0', 20], ['host2', 40]]);
	assert.equal(rest, null, '10 + 20 + 40 is what the frame tells; 10 of the rest would be too much');
	assert.equal(restFlows, 90);
});

test('a flow whose name was lost is counted with the rest', () => {
	const feed = new Feed();
	const store = fed([[[a, 1]]], feed);
	store.flows.clear();
	const { list, rest } = amounts(store, spanOf(store, now(3)));
	assert.deepEqual([list.length, rest.packets], [0, 1]);
});

test('who spoke lately is known as far as memory goes', () => {
	const store = fed([[[a, 1]], [[b, 1]], [[b, 1]], [[b, 1]]]);
	const span = spanOf(store, now(3));
	assert.deepEqual([...seenIn(store, span, 3)], ['c2 c0']);
	assert.deepEqual([...seenIn(store, span, 4)].sort(), ['c0 c2', 'c2 c0']);
	assert.equal(seenIn(store, span, 60), null);
});

test('a tab takes over a copy of the worker’s store', () => {
	const store = fed([[[a, 1]], [[b, 1]]]);
	const copy = newStore();
	learn(copy, { type: 'store', store: structuredClone(store) });
	assert.deepEqual(packets(copy, now(3)), packets(store, now(3)));
});
