// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { NOTHING, WINDOW_S, clear, period, remember } from '../../ui/web/history.js';
import { test } from '../lib/tap.mjs';
import { flow, sample } from './fixture.mjs';

const fed = (...samples) => samples.reduce(remember, NOTHING);
const run = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => sample(from + i, [flow(0, 1, from + i)]));

test('nothing gives nothing, and a rate needs two samples', () => {
	assert.equal(period(NOTHING, 'total'), null);
	assert.equal(period(fed(sample(1, [])), 'rate'), null);
	assert.equal(period(fed(sample(1, [])), 'total').then, null);
});

test('a rate covers the last seconds and no more', () => {
	const { now, then, seconds } = period(fed(...run(1, 20)), 'rate');
	assert.deepEqual([now.seq, then.seq, seconds], [20, 20 - WINDOW_S, WINDOW_S]);
});

test('intervals a little off a second do not make the window jump', () => {
	const samples = run(1, 20).map((one, i) => ({ ...one, interval_s: i % 2 ? 0.995 : 1.004 }));
	for (let i = 5; i < samples.length; i++)
		assert.equal(fed(...samples.slice(0, i)).samples.length, WINDOW_S + 1);
});

test('the measured intervals are added up, not the nominal ones', () => {
	const samples = run(1, 4).map((one) => ({ ...one, interval_s: 1.1 }));
	assert.ok(Math.abs(period(fed(...samples), 'rate').seconds - 3.3) < 1e-9);
});

test('a missed sample is bridged by the clock', () => {
	const { seconds } = period(fed(sample(1, []), sample(2, []), sample(4, [])), 'rate');
	assert.equal(seconds, 3);
});

test('the same sample twice changes nothing', () => {
	const history = fed(...run(1, 3));
	assert.equal(remember(history, sample(3, [])), history);
});

test('another lab, or the same name begun anew, starts over', () => {
	const history = clear(fed(...run(1, 5)));
	for (const other of [sample(6, [], { source: 'other' }), sample(1, []), sample(6, [], { elapsed_s: 0.5 })]) {
		const next = remember(history, other);
		assert.deepEqual(next, { samples: [other], base: null });
	}
});

test('clear subtracts what was counted until then', () => {
	const history = remember(clear(fed(...run(1, 5))), sample(6, [flow(0, 1, 6)]));
	const { now, then } = period(history, 'total');
	assert.deepEqual([now.seq, then.seq], [6, 5]);
});

test('a kept history does not change when more is remembered', () => {
	const kept = fed(...run(1, 5));
	const before = JSON.stringify(kept);
	remember(kept, sample(6, []));
	clear(kept);
	assert.equal(JSON.stringify(kept), before);
});
