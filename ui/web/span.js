// SPDX-License-Identifier: Apache-2.0
// The time that is looked at, and what each flow sent in it. Pure.
//
// An amount is { flow, packets, bytes, inner_bytes, received: { packets, bytes }, silent, unplanned }. Growth that the server told
// only as a sum has flow null: then `host` names whose it is, or is null where nobody knows.

import { isLab } from './names.js';
import { BYTES, FIGURES, INNER, PACKETS, RECEIVED_BYTES, RECEIVED_PACKETS, indexOf } from './store.js';

/** Spans offered, in seconds; 'all' is everything since the start, in totals. Three seconds are long enough to be calm at one
 *  ping a second, short enough for a culprit to stand out at once. */
export const SPANS = [3, 10, 60, 'all'];

/**
 * The frames of the span that ends at seq `at` (null: now): { frames, end, seconds, mode, partial }. `seconds` is the measured
 * time; in mode 'total' figures are not divided. `partial`: a frame of it is missing. Null while there is none.
 */
export function spanOf(store, { at, over }) {
	const last = at === null ? store.frames.length - 1 : Math.max(0, indexOf(store, at));
	const end = store.frames[last];
	if (!end)
		return null;
	if (over === 'all')
		return { frames: store.frames.slice(last + 1), end, seconds: end.elapsed_s, mode: 'total', partial: false };
	const frames = [];
	let seconds = 0;
	// Half an interval of grace: sampling never happens at exactly whole seconds.
	for (let i = last; i >= 0 && seconds < over - end.interval_s / 2; i--) {
		frames.unshift(store.frames[i]);
		seconds += store.frames[i].interval_s;
	}
	return { frames, end, seconds, mode: 'rate', partial: end.seq - frames[0].seq !== frames.length - 1 };
}

/** Seen from one place, what arrived elsewhere is not known: `received` is null. */
function amount(flow, figures, seesBoth) {
	return {
		flow, host: null, packets: figures[PACKETS], bytes: figures[BYTES], inner_bytes: figures[INNER],
		received: seesBoth ? { packets: figures[RECEIVED_PACKETS], bytes: figures[RECEIVED_BYTES] } : null,
	};
}

function addFrame(sums, frame, sign) {
	frame.ids.forEach((id, i) => {
		let sum = sums.get(id);
		if (!sum)
			sums.set(id, sum = new Float64Array(FIGURES));
		for (let k = 0; k < FIGURES; k++)
			sum[k] += sign * frame.counts[FIGURES * i + k];
	});
}

/** Growth of the uplinks: host number -> [sent packets, bytes, received packets, bytes]. */
function uplinks(frames) {
	const sums = new Map();
	for (const frame of frames) {
		for (const [host, ...figures] of frame.hosts) {
			const sum = sums.get(host) ?? [0, 0, 0, 0];
			sums.set(host, sum.map((value, k) => value + figures[k]));
		}
	}
	return sums;
}

/** What hosts sent beyond the flows that are told one by one. */
function beyond(store, sums, ups, byVtep) {
	const known = new Map();
	for (const [id, sum] of sums) {
		const host = byVtep.get(store.flows.get(id)?.outer_src);
		if (host === undefined)
			continue;
		const own = known.get(host) ?? [0, 0];
		known.set(host, [own[0] + sum[PACKETS], own[1] + sum[BYTES]]);
	}
	const list = [];
	for (const [host, [packets, bytes]] of ups) {
		const [own, ownBytes] = known.get(host) ?? [0, 0];
		if (packets > own)
			list.push({ host, packets: packets - own, bytes: Math.max(0, bytes - ownBytes) });
	}
	return list;
}

const vteps = new WeakMap();

function hostsByVtep(lab) {
	if (!vteps.has(lab))
		vteps.set(lab, new Map(lab.hosts.map(({ vtep }, i) => [vtep, i])));
	return vteps.get(lab);
}

function totals(store, span) {
	const later = new Map();
	for (const frame of span.frames)
		addFrame(later, frame, 1);
	const sums = new Map();
	for (const [id, flow] of store.flows)
		sums.set(id, flow.totals.map((value, k) => Math.max(0, value - (later.get(id)?.[k] ?? 0))));
	const whole = span.end.total.slice();
	for (const sum of sums.values())
		sum.forEach((value, k) => whole[k] -= value);
	return { sums, rest: whole.map((value) => Math.max(0, value)) };
}

function growth(store, span) {
	const sums = new Map();
	const rest = new Float64Array(FIGURES);
	for (const frame of span.frames) {
		addFrame(sums, frame, 1);
		for (let k = 0; k < FIGURES; k++)
			rest[k] += frame.rest[k + 1];
	}
	return { sums, rest };
}

/**
 * What was sent in a span: { list: [amount], rest: amount or null, restFlows, untold, uplinks }. Rates are per second. `untold` is what
 * is not told flow by flow, `rest` what remains of it when its senders, as far as they are known, are in the list.
 */
export function amounts(store, span) {
	const { sums, rest } = span.mode === 'total' ? totals(store, span) : growth(store, span);
	const per = span.mode === 'total' ? 1 : span.seconds;
	const seesBoth = !store.lab || isLab(store.lab);
	const ups = uplinks(span.mode === 'total' ? [] : span.frames);
	const list = [];
	for (const [id, sum] of sums) {
		const flow = store.flows.get(id);
		if (flow)
			list.push(amount(flow, sum.map((value) => value / per), seesBoth));
		else
			sum.forEach((value, k) => rest[k] += value);
	}
	const left = amount(null, rest.map((value) => value / per), seesBoth);
	if (rest[PACKETS] > 0 && store.lab) {
		for (const { host, packets, bytes } of beyond(store, sums, ups, hostsByVtep(store.lab))) {
			list.push({
				flow: null, host: store.lab.hosts[host].name, packets: packets / per, bytes: bytes / per, inner_bytes: null,
				received: null,
			});
			left.packets -= packets / per;
			left.bytes -= bytes / per;
		}
	}
	const some = left.packets > 1e-9 || (rest[PACKETS] === 0 && left.received?.packets > 0);
	return {
		list, rest: some ? left : null, uplinks: ups, per, untold: amount(null, rest.map((value) => value / per), seesBoth),
		restFlows: Math.max(0, ...span.frames.map((frame) => frame.rest[0])),
	};
}

/** "c0 c8" of all flows that sent something in the `seconds` before the span's end; null where memory does not reach back so far. */
export function seenIn(store, span, seconds) {
	const last = indexOf(store, span.end.seq);
	const pairs = new Set();
	let covered = 0;
	for (let i = last; i >= 0 && covered < seconds - 0.5; i--) {
		const frame = store.frames[i];
		covered += frame.interval_s;
		frame.ids.forEach((id, k) => {
			const flow = store.flows.get(id);
			if (flow && frame.counts[FIGURES * k + PACKETS] > 0)
				pairs.add(`${flow.src_client} ${flow.dst_client}`);
		});
	}
	return covered >= seconds - 0.5 ? pairs : null;
}
