// SPDX-License-Identifier: Apache-2.0
// The busiest clients: who, how much, since when. Pure.

import { namesOf } from './names.js';
import { BYTES, FIGURES, PACKETS, indexOf } from './store.js';

/** Who sent a flow, as near to a person as it is known. */
function senderOf(flow, { hostOf, innerOf }) {
	const host = hostOf(flow.outer_src);
	const name = flow.src_client ?? flow.inner_src ?? flow.inner_proto;
	return { key: flow.src_client ?? `${host}/${flow.vni ?? '-'}/${name}`, name: innerOf(name), host, vni: flow.vni };
}

/** The `n` senders of most in a list of amounts, biggest first: [{ key, name, host, vni, value, share }]. */
export function talkers(list, lab, unit, filter, n) {
	const names = namesOf(lab);
	const all = new Map();
	let total = 0;
	for (const amount of list) {
		if (!(amount[unit] > 0) || (filter && !(amount.flow && filter(amount.flow))))
			continue;
		total += amount[unit];
		if (!amount.flow || !(amount.flow.src_client ?? amount.flow.inner_src))
			continue; // nobody in particular: a sum, or a frame without an inner address
		const sender = senderOf(amount.flow, names);
		const talker = all.get(sender.key) ?? { ...sender, value: 0 };
		talker.value += amount[unit];
		all.set(sender.key, talker);
	}
	return [...all.values()].sort((a, b) => b.value - a.value || (a.key < b.key ? -1 : 1)).slice(0, n)
		.map((talker) => ({ ...talker, share: talker.value / total }));
}

const cache = new WeakMap();

/** What each sender sent in a frame: Map key -> [packets, bytes]. Asked for each frame of ten minutes every second, so it is kept. */
function senders(frame, store, names) {
	let sums = cache.get(frame);
	if (sums)
		return sums;
	cache.set(frame, sums = new Map());
	frame.ids.forEach((id, i) => {
		const flow = store.flows.get(id);
		if (!flow)
			return;
		const { key } = senderOf(flow, names);
		const sum = sums.get(key) ?? [0, 0];
		sums.set(key, [sum[0] + frame.counts[FIGURES * i + PACKETS], sum[1] + frame.counts[FIGURES * i + BYTES]]);
	});
	return sums;
}

/**
 * Since when a sender has been about as loud as now: the seconds before the span's end during which it never fell below half of
 * its rate for longer than two samples (`value`, per second). `open`: as far back as memory goes, `start`: which is all of the lab's
 * life.
 */
export function since(store, span, key, lab, unit, value) {
	const names = namesOf(lab);
	const k = unit === 'bytes' ? 1 : 0;
	let seconds = 0;
	let quiet = 0;
	for (let i = indexOf(store, span.end.seq); i >= 0; i--) {
		const frame = store.frames[i];
		const sum = senders(frame, store, names).get(key)?.[k] ?? 0;
		if (sum / frame.interval_s < value / 2) {
			quiet += frame.interval_s;
			if (quiet > 2.5)
				return { seconds, open: false };
		} else {
			seconds += quiet + frame.interval_s;
			quiet = 0;
		}
	}
	return { seconds, open: quiet === 0, start: store.frames[0].seq <= 2 };
}
