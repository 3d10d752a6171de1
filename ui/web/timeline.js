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

/** What the server summed over flows it did not list, for the stacks where it says whose they are. */
function exactSums(frame, stack, k, lab) {
	if (stack === 'client')
		return null;
	const rows = stack === 'host' ? frame.hosts : frame.vnis;
	return new Map(rows.map((row) => [stack === 'host' ? lab.hosts[row[0]]?.name ?? OTHER : String(row[0] ?? 'none'), row[k + 1]]));
}

const cache = new WeakMap();

/** Sums of one frame by group: Map group -> per second. Frames never change, so each question is asked once. */
function groups(frame, store, { stack, unit, filter, asked }) {
	const kept = cache.get(frame);
	const question = `${store.run} ${stack} ${unit} ${asked}`;
	if (kept?.question === question)
		return kept.sums;
	const k = unit === 'bytes' ? BYTES : PACKETS;
	const names = namesOf(store.lab);
	let sums = filter ? null : exactSums(frame, stack, k, store.lab);
	if (!sums) {
		sums = new Map();
		frame.ids.forEach((id, i) => {
			const flow = store.flows.get(id);
			if (!flow || (filter && !filter(flow)))
				return;
			const group = groupOf(flow, stack, names);
			sums.set(group, (sums.get(group) ?? 0) + frame.counts[FIGURES * i + k]);
		});
		if (!filter && frame.rest[k + 1] > 0)
			sums.set(OTHER, (sums.get(OTHER) ?? 0) + frame.rest[k + 1]);
	}
	for (const [group, value] of sums)
		sums.set(group, value / frame.interval_s);
	cache.set(frame, { question, sums });
	return sums;
}

/**
 * { times, layers: [{ key, values }], sums, most, seconds }: `times` in seconds of the lab's clock, layers biggest first with the
 * remainder as "other", `sums` per frame, `most` the largest of them. `asked` must name the filter: answers are kept by it.
 */
export function timeline(store, { stack, unit, filter = null, asked = '' }) {
	const { frames, lab } = store;
	if (!lab || !frames.length)
		return null;
	const per = frames.map((frame) => groups(frame, store, { stack, unit, filter, asked }));
	const whole = new Map();
	for (const sums of per) {
		for (const [group, value] of sums)
			whole.set(group, (whole.get(group) ?? 0) + value);
	}
	const kept = [...whole].filter(([group, value]) => group !== OTHER && value > 0)
		.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, LAYERS).map(([group]) => group);
	const known = new Set(kept);
	const layers = kept.map((key) => ({ key, values: per.map((sums) => sums.get(key) ?? 0) }));
	const others = per.map((sums) => [...sums].reduce((sum, [group, value]) => (known.has(group) ? sum : sum + value), 0));
	if (others.some((value) => value > 0))
		layers.push({ key: OTHER, values: others });
	const sums = frames.map((_, i) => layers.reduce((sum, { values }) => sum + values[i], 0));
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
	return [1, 2, 5, 10, 15, 30, 60, 120, 300, 600].find((step) => seconds / step <= n) ?? 1200;
}
