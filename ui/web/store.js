// SPDX-License-Identifier: Apache-2.0
// What the server has told: the lab, flows by number, and a ring of frames, one per sampling interval (the feed's shapes are
// described in monitor/view_feed.c). Plain data, so that the shared worker can hand a copy to a new tab.

/** Frames kept: ten minutes at one a second. The server keeps as many. */
export const FRAMES_MAX = 600;

/** Figures of a count in the order the feed sends them. */
export const PACKETS = 0, BYTES = 1, INNER = 2, RECEIVED_PACKETS = 3, RECEIVED_BYTES = 4, FIGURES = 5;

export function newStore() {
	return {
		link: 'connecting', // as told by the stream: connecting, live, lost, full, ended
		lab: null,
		run: null, // tells one run of a lab from the next
		base: 0, // frames up to this seq are in the flows' totals already
		flows: new Map(), // by number
		frames: [],
		total: null, // of all flows since the start, at the newest frame
	};
}

/** Another run of a lab: nothing of the old one may mix with it. */
function startOver(store, run) {
	store.run = run;
	store.base = 0;
	store.flows = new Map();
	store.frames = [];
	store.total = null;
}

function nameOf(client) {
	return client < 0 ? null : `c${client}`;
}

function flowOf([id, encap, vni, outer_src, outer_dst, inner_src, inner_dst, inner_proto, bum, src, dst, ...totals]) {
	return {
		id, encap, vni, outer_src, outer_dst, inner_src, inner_dst, inner_proto, bum,
		src_client: nameOf(src), dst_client: nameOf(dst), totals,
	};
}

function learnBase(store, base) {
	const run = `${base.source} ${base.run}`;
	if (store.run !== run)
		startOver(store, run);
	store.base = base.seq;
	store.total = base.total;
	for (const definition of base.define)
		store.flows.set(definition[0], flowOf(definition));
}

/** The feed's rows as parallel arrays: a frame is read much more often than it comes. */
function frameOf(message) {
	const { seq, time, elapsed_s, interval_s, grown, rest, hosts, vnis, total, other, monitor } = message;
	const counts = new Float64Array(FIGURES * grown.length);
	grown.forEach((row, i) => {
		for (let k = 0; k < FIGURES; k++)
			counts[FIGURES * i + k] = row[k + 1];
	});
	return {
		seq, time, elapsed_s, interval_s, ids: Uint32Array.from(grown, ([id]) => id), counts, rest, hosts, vnis, total, other,
		monitor,
	};
}

function grow(store, frame, defined) {
	frame.ids.forEach((id, i) => {
		const flow = store.flows.get(id);
		for (let k = 0; flow && !defined.has(id) && k < FIGURES; k++)
			flow.totals[k] += frame.counts[FIGURES * i + k];
	});
}

function learnFrame(store, message) {
	if (message.seq <= (store.frames.at(-1)?.seq ?? 0))
		return;
	const frame = frameOf(message);
	const newer = frame.seq > store.base;
	const defined = new Set();
	for (const definition of message.define) {
		if (!newer && store.flows.has(definition[0]))
			continue;
		store.flows.set(definition[0], flowOf(definition));
		defined.add(definition[0]);
	}
	if (newer) {
		grow(store, frame, defined);
		store.total = frame.total;
	}
	store.frames.push(frame);
	if (store.frames.length > FRAMES_MAX)
		store.frames.shift();
}

/** Takes in a message of the stream (see openStream()), or a copy of another's store. */
export function learn(store, message) {
	switch (message.type) {
	case 'lab':
		store.lab = { name: '', kind: 'lab', hosts: [], vnis: [], clients: [], names: [], traffic: [], ...message.lab };
		break;
	case 'link': store.link = message.state; break;
	case 'base': learnBase(store, message.base); break;
	case 'frame': learnFrame(store, message.frame); break;
	case 'store': Object.assign(store, message.store); break;
	}
}

export function newest(store) {
	return store.frames.at(-1) ?? null;
}

/** Place in the ring of the newest frame that is not newer than `seq`; -1: it has left. */
export function indexOf(store, seq) {
	const { frames } = store;
	let [low, high] = [0, frames.length];
	while (low < high) {
		const middle = (low + high) >> 1;
		if (frames[middle].seq <= seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low - 1;
}

/** Seconds of history in memory. */
export function memory(store) {
	const { frames } = store;
	return frames.length ? frames.at(-1).elapsed_s - frames[0].elapsed_s + frames[0].interval_s : 0;
}
