// SPDX-License-Identifier: Apache-2.0
// The busiest clients: who, how much, since when. Pure.

import { namesOf } from './names.js';
import { BYTES, FIGURES, PACKETS, indexOf } from './store.js';

/** Who sent a flow, as near to a person as it is known. */
function senderOf(flow, { hostOf }) {
	const host = hostOf(flow.outer_src);
	const name = flow.src_client ?? flow.inner_src ?? flow.inner_proto;
	return { key: flow.src_client ?? `${host}/${flow.vni ?? '-'}/${name}`, name, host, vni: flow.vni };
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
		if (!amount.flow)
			continue;
		const sender = senderOf(amount.flow, names);
		const talker = all.get(sender.key) ?? { ...sender, value: 0 };
		talker.value += amount[unit];
		all.set(sender.key, talker);
	}
	return [...all.values()].sort((a, b) => b.value - a.value || (a.key < b.key ? -1 : 1)).slice(0, n)
		.map((talker) => ({ ...talker, share: talker.value / total }));
}

/**
 * Since when a sender has been about as loud as now: the seconds before the span's end during which it never fell below half of
 * its rate for longer than one sample (`value`, per second). `open`: as far back as memory goes, `start`: which is all of the lab's life.
 */
export function since(store, span, key, lab, unit, value) {
	const names = namesOf(lab);
	const k = unit === 'bytes' ? BYTES : PACKETS;
	const mine = new Set();
	for (const [id, flow] of store.flows) {
		if (senderOf(flow, names).key === key)
			mine.add(id);
	}
	const last = indexOf(store, span.end.seq);
	let seconds = 0;
	let quiet = 0;
	for (let i = last; i >= 0; i--) {
		const frame = store.frames[i];
		let sum = 0;
		frame.ids.forEach((id, at) => {
			if (mine.has(id))
				sum += frame.counts[FIGURES * at + k];
		});
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
