// SPDX-License-Identifier: Apache-2.0
// Rates over the time in memory, stacked by host, VNI or client. Pure.

import { namesOf } from './names.js';
import { BYTES, FIGURES, PACKETS, memory } from './store.js';

export const STACKS = ['host', 'vni', 'client'];

/** Layers told apart; the others are summed. */
const LAYERS = 8;

const OTHER = 'other';

function groupOf(flow, stack, { hostOf }) {
	if (stack === 'host')
		return hostOf(flow.outer_src);
	return stack === 'vni' ? String(flow.vni ?? 'none') : flow.src_client ?? OTHER;
}

function add(sums, group, value) {
	sums.set(group, (sums.get(group) ?? 0) + value);
}

/** What the server summed over all flows, those it did not list too: of the busiest VNIs, and of hosts, among them some that the
 *  lab document may not know yet. */
function sumsTold(frame, stack, k, { hosts }) {
	const sums = new Map();
	for (const row of stack === 'host' ? frame.hosts : frame.vnis)
		add(sums, stack === 'host' ? hosts[row[0]]?.name ?? OTHER : String(row[0] ?? 'none'), row[k + 1]);
	return sums;
}

function sumsOfFlows(frame, store, stack, k, filter) {
	const names = namesOf(store.lab);
	const sums = new Map();
	frame.ids.forEach((id, i) => {
		const flow = store.flows.get(id);
		if (flow && (!filter || filter(flow)))
			add(sums, groupOf(flow, stack, names), frame.counts[FIGURES * i + k]);
	});
	return sums;
}

/** All that was sent, whoever it was. */
function sentIn({ counts, rest }, k) {
	let sent = rest[k + 1];
	for (let i = k; i < counts.length; i += FIGURES)
		sent += counts[i];
	return sent;
}

const sumOf = (sums) => [...sums.values()].reduce((sum, value) => sum + value, 0);

/** Sums of one frame by group, per second: { seq, sums: Map, total }. Unfiltered they add up to all that was sent. */
function entryOf(frame, store, { stack, unit, filter }) {
	const k = unit === 'bytes' ? BYTES : PACKETS;
	const sums = filter || stack === 'client' ? sumsOfFlows(frame, store, stack, k, filter) : sumsTold(frame, stack, k, store.lab);
	const left = filter ? 0 : sentIn(frame, k) - sumOf(sums);
	if (left > 0)
		add(sums, OTHER, left);
	for (const [group, value] of sums)
		sums.set(group, value / frame.interval_s);
	return { seq: frame.seq, sums, total: sumOf(sums) };
}

const cache = new WeakMap();

/** The entries of all frames and the sums over them, kept up to date: a thousand hosts over ten minutes are not added up anew each
 *  second. Frames never change, so each is asked once, and hosts again when names of more are known. */
function entriesOf(store, how) {
	const named = how.stack === 'host' ? store.lab.hosts.length : '';
	const question = `${store.run} ${how.stack} ${named} ${how.unit} ${how.asked}`;
	let kept = cache.get(store);
	if (kept?.question !== question)
		cache.set(store, kept = { question, entries: [], whole: new Map() });
	const { entries, whole } = kept;
	const count = ({ sums }, sign) => {
		for (const [group, value] of sums)
			add(whole, group, sign * value);
	};
	while (entries.length && entries[0].seq < store.frames[0].seq)
		count(entries.shift(), -1);
	for (const frame of store.frames.slice(entries.length)) {
		entries.push(entryOf(frame, store, how));
		count(entries.at(-1), 1);
	}
	return kept;
}

/**
 * { times, layers: [{ key, values }], sums, most, seconds }: `times` in seconds of the lab's clock, layers biggest first with the
 * remainder as "other", `sums` per frame, `most` the largest of them. `asked` must name the filter: answers are kept by it.
 */
export function timeline(store, { stack, unit, filter = null, asked = '' }) {
	const { frames, lab } = store;
	if (!lab || !frames.length)
		return null;
	const { entries, whole } = entriesOf(store, { stack, unit, filter, asked });
	const kept = [...whole].filter(([group, value]) => group !== OTHER && value > 1e-6)
		.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, LAYERS).map(([group]) => group);
	const layers = kept.map((key) => ({ key, values: entries.map(({ sums }) => sums.get(key) ?? 0) }));
	const others = entries.map(({ total }, i) => Math.max(0, layers.reduce((left, { values }) => left - values[i], total)));
	if (others.some((value) => value > 1e-6))
		layers.push({ key: OTHER, values: others });
	const sums = entries.map(({ total }) => total);
	return {
		times: frames.map(({ elapsed_s }) => elapsed_s), seqs: frames.map(({ seq }) => seq), layers, sums,
		most: Math.max(0, ...sums), seconds: memory(store),
	};
}

/** 1, 2 or 5 times a power of ten that is not less than `value`. */
export function niceMost(value) {
	if (!(value > 0))
		return 1;
	const power = 10 ** Math.floor(Math.log10(value));
	return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value * 0.999999);
}

/** A step of seconds for about `n` labels over `seconds`. */
export function timeStep(seconds, n) {
	const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 21600, 43200, 86400];
	return steps.find((step) => seconds / step <= n) ?? 86400 * Math.ceil(seconds / n / 86400);
}
