// SPDX-License-Identifier: Apache-2.0
// What the page knows and what the user has chosen, and how messages and choices change it. Pure: the clock comes
// in as an argument, nothing is drawn here.

import { NOTHING, clear, period, remember } from './history.js';

/** Without a sample for this long, or three intervals, what is shown is old. */
export const STALE_S = 3;

export function newState() {
	return {
		link: 'connecting', // as told by the stream: connecting, live, lost, full, ended
		lab: null,
		history: NOTHING,
		frozen: null, // the history as it was when the user paused
		heard: 0, // when the newest sample came, milliseconds
		view: { vni: 'all', unit: 'bytes', mode: 'rate', open: new Set() },
	};
}

/** Another lab: nothing of the old one may mix with it; unit and mode are the user's taste and stay. */
function startOver(state) {
	state.history = NOTHING;
	state.frozen = null;
	state.view.open.clear();
	state.view.vni = 'all';
}

function learnLab(state, answer) {
	const lab = { name: '', hosts: [], vnis: [], clients: [], ...answer };
	if (state.lab && state.lab.name !== lab.name)
		startOver(state);
	state.lab = lab;
}

function learnSample(state, sample, now) {
	const history = remember(state.history, sample);
	if (state.history.samples.length > 0 && history.samples.length === 1)
		startOver(state);
	state.history = history;
	state.heard = now;
}

/** Takes in a message of the stream (see openStream()). */
export function learn(state, message, now) {
	if (message.type === 'lab')
		learnLab(state, message.lab);
	else if (message.type === 'link')
		state.link = message.state;
	else
		learnSample(state, message.sample, now);
}

export function togglePause(state) {
	state.frozen = state.frozen ? null : state.history;
}

/** Totals count from now on, also in a paused picture. */
export function clearTotals(state) {
	state.history = clear(state.history);
	if (state.frozen)
		state.frozen = clear(state.frozen);
}

/** Opens or closes a host. */
export function toggleHost(state, host) {
	if (!state.view.open.delete(host))
		state.view.open.add(host);
}

export function shownHistory(state) {
	return state.frozen ?? state.history;
}

/** The period that is shown, null while there is none. */
export function shownPeriod(state) {
	return state.lab && period(shownHistory(state), state.view.mode);
}

/** Seconds since the newest sample came. */
export function sampleAge(state, now) {
	return state.history.samples.length ? (now - state.heard) / 1000 : 0;
}

/** What the user has to know first: the connection's state, or that figures are old or held. */
export function condition(state, now) {
	if (state.link !== 'live')
		return state.link;
	const interval = state.history.samples.at(-1)?.interval_s ?? 1;
	if (sampleAge(state, now) > Math.max(STALE_S, 3 * interval))
		return 'stale';
	return state.frozen ? 'paused' : 'live';
}
