// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import * as model from '../../ui/web/state.js';
import * as words from '../../ui/web/words.js';
import { test } from '../lib/tap.mjs';
import { flow, lab, sample, view } from './fixture.mjs';

function fed(...seqs) {
	const state = model.newState();
	model.learn(state, { type: 'lab', lab: lab() }, 0);
	model.learn(state, { type: 'link', state: 'live' }, 0);
	for (const seq of seqs)
		model.learn(state, { type: 'sample', sample: sample(seq, [flow(0, 1, seq)]) }, seq * 1000);
	return state;
}

test('a silent stream turns stale, and live again', () => {
	const state = fed(1, 2, 3);
	assert.equal(model.condition(state, 5900), 'live');
	assert.equal(model.condition(state, 6100), 'stale');
	model.learn(state, { type: 'sample', sample: sample(4, []) }, 6200);
	assert.equal(model.condition(state, 6300), 'live');
});

test('slow sampling is not stale', () => {
	const state = fed();
	model.learn(state, { type: 'sample', sample: sample(1, [], { interval_s: 5 }) }, 0);
	assert.equal(model.condition(state, 14000), 'live');
	assert.equal(model.condition(state, 15100), 'stale');
});

test('a lost or ended lab comes before pause and age', () => {
	const state = fed(1, 2);
	model.togglePause(state);
	assert.equal(model.condition(state, 2500), 'paused');
	model.learn(state, { type: 'link', state: 'lost' }, 2600);
	assert.equal(model.condition(state, 60000), 'lost');
});

test('a paused picture does not move, whatever comes', () => {
	const state = fed(1, 2, 3);
	model.togglePause(state);
	const before = model.shownPeriod(state);
	model.learn(state, { type: 'sample', sample: sample(4, []) }, 4000);
	assert.deepEqual(model.shownPeriod(state), before);
	model.togglePause(state);
	assert.equal(model.shownPeriod(state).now.seq, 4);
});

test('clear works in a paused picture too', () => {
	const state = fed(1, 2, 3);
	state.view.mode = 'total';
	model.togglePause(state);
	model.clearTotals(state);
	assert.equal(model.shownPeriod(state).then.seq, 3);
});

test('hosts open and close again', () => {
	const state = fed(1);
	model.toggleHost(state, 'host0');
	model.toggleHost(state, 'host1');
	model.toggleHost(state, 'host0');
	assert.deepEqual([...state.view.open], ['host1']);
});

test('another lab starts over but keeps the unit', () => {
	const state = fed(1, 2, 3);
	model.toggleHost(state, 'host0');
	model.togglePause(state);
	Object.assign(state.view, { vni: 10001, unit: 'packets' });
	model.learn(state, { type: 'lab', lab: { ...lab(), name: 'other' } }, 4000);
	assert.equal(state.history.samples.length, 0);
	assert.equal(state.frozen, null);
	assert.deepEqual([state.view.vni, state.view.unit, state.view.open.size], ['all', 'packets', 0]);
});

test('the same lab after a reconnection goes on', () => {
	const state = fed(1, 2, 3);
	model.toggleHost(state, 'host0');
	model.learn(state, { type: 'lab', lab: lab() }, 4000);
	model.learn(state, { type: 'sample', sample: sample(7, []) }, 7000);
	assert.ok(state.view.open.has('host0'));
	assert.equal(state.history.samples.at(-1).seq, 7);
});

test('an empty picture says how to make traffic, in the VNI that is shown', () => {
	const picture = { figures: { total: { packets: 0 } } };
	const say = (how) => words.middleWords({
		condition: 'live', picture, lab: lab(3), view: { ...view(how), mode: 'rate' }, cleared: false,
	});
	assert.deepEqual(say({}), ['No traffic', 'Make some from another terminal:', 'tunlab traffic --client 3 --rate 500pps']);
	assert.equal(say({ vni: 10001 })[2], 'tunlab traffic --client 1 --rate 500pps');
});

test('every condition has a word, and every trouble a sentence', () => {
	for (const condition of ['connecting', 'live', 'paused', 'stale', 'lost', 'full', 'ended'])
		assert.ok(words.LINK_WORDS[condition]);
	for (const condition of ['stale', 'lost', 'full', 'ended'])
		assert.ok(words.notice(condition, 5, true)[0].endsWith('.'));
	assert.deepEqual(words.notice('live', 0, true), ['', '']);
});

test('a full flow table is said aloud', () => {
	assert.equal(words.healthWarning(sample(1, [])), '');
	const { monitor } = sample(1, []);
	assert.match(words.healthWarning({ monitor: { ...monitor, lost: 1 } }), /too low/);
});
