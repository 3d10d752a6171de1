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

/** Sums of figures by flow, all in one array: there are thousands, anew each second. */
class Sums {
	constructor(room) {
		this.places = new Map(); // flow's number -> where its figures begin
		this.all = new Float64Array(FIGURES * room);
	}

	placeOf(id) {
		let place = this.places.get(id);
		if (place === undefined)
			this.places.set(id, place = FIGURES * this.places.size);
		return place;
	}

	addFrame({ ids, counts }) {
		for (let i = 0; i < ids.length; i++) {
			const place = this.placeOf(ids[i]);
			for (let k = 0; k < FIGURES; k++)
				this.all[place + k] += counts[FIGURES * i + k];
		}
	}
}

/** Seen from one place, what arrived elsewhere is not known: `received` is null. */
function amount(flow, figures, at, per, seesBoth) {
	return {
		flow, host: null, packets: figures[at + PACKETS] / per, bytes: figures[at + BYTES] / per, inner_bytes: figures[at + INNER] / per,
		received: seesBoth ? { packets: figures[at + RECEIVED_PACKETS] / per, bytes: figures[at + RECEIVED_BYTES] / per } : null,
	};
}

/** Growth of the uplinks: host number -> [sent packets, bytes, received packets, bytes]. */
function uplinks(frames) {
	const sums = new Map();
	for (const frame of frames) {
		for (const row of frame.hosts) {
			let sum = sums.get(row[0]);
			if (!sum)
				sums.set(row[0], sum = [0, 0, 0, 0]);
			for (let k = 0; k < 4; k++)
				sum[k] += row[k + 1];
		}
	}
	return sums;
}

/** What hosts sent beyond the flows that are told one by one. */
function beyond(store, { places, all }, ups, byVtep) {
	const known = new Float64Array(2 * store.lab.hosts.length);
	for (const [id, place] of places) {
		const host = byVtep.get(store.flows.get(id)?.outer_src);
		if (host === undefined)
			continue;
		known[2 * host] += all[place + PACKETS];
		known[2 * host + 1] += all[place + BYTES];
	}
	const list = [];
	for (const [host, [packets, bytes]] of ups) {
		const [own, ownBytes] = [known[2 * host], known[2 * host + 1]];
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
	const later = new Sums(span.frames.reduce((n, { ids }) => n + ids.length, 0));
	for (const frame of span.frames)
		later.addFrame(frame);
	const sums = new Sums(store.flows.size);
	const rest = Float64Array.from(span.end.total);
	for (const [id, flow] of store.flows) {
		const [place, then] = [sums.placeOf(id), later.places.get(id)];
		for (let k = 0; k < FIGURES; k++) {
			sums.all[place + k] = Math.max(0, flow.totals[k] - (then === undefined ? 0 : later.all[then + k]));
			rest[k] -= sums.all[place + k];
		}
	}
	return { sums, rest: rest.map((value) => Math.max(0, value)) };
}

function growth(store, span) {
	const sums = new Sums(span.frames.reduce((n, { ids }) => n + ids.length, 0));
	const rest = new Float64Array(FIGURES);
	for (const frame of span.frames) {
		sums.addFrame(frame);
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
	for (const [id, place] of sums.places) {
		const flow = store.flows.get(id);
		if (flow)
			list.push(amount(flow, sums.all, place, per, seesBoth));
		for (let k = 0; !flow && k < FIGURES; k++)
			rest[k] += sums.all[place + k];
	}
	const left = amount(null, rest, 0, per, seesBoth);
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
		list, rest: some ? left : null, uplinks: ups, per, untold: amount(null, rest, 0, per, seesBoth),
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
