// SPDX-License-Identifier: Apache-2.0
// Figures to geometry: angles of arcs and ribbons, places of labels. Pure; draws nothing.
//
// d3-chord lays out dense matrices by position, drops silent pairs and swaps ends. Here everything keeps its
// name, silent nodes keep an arc that can be clicked, and the work grows with the pairs, not with nodes².

const TAU = 2 * Math.PI;

/** Lengths in proportion to `values`, none below `least`, filling `room` exactly. */
function proportion(values, room, least) {
	const small = new Set();
	for (;;) {
		const rest = values.reduce((sum, value, i) => (small.has(i) ? sum : sum + value), 0);
		const scale = rest > 0 ? (room - small.size * least) / rest : 0;
		const found = values.findIndex((value, i) => !small.has(i) && value * scale < least);
		if (found < 0)
			return { scale, lengths: values.map((value, i) => (small.has(i) ? least : value * scale)) };
		values.forEach((value, i) => {
			if (value * scale < least)
				small.add(i);
		});
		if (small.size === values.length)
			return { scale: 0, lengths: values.map(() => room / values.length) };
	}
}

/** Where an end belongs within the arc of node `i` so that ribbons cross least: from the nearest node before it,
 *  backwards round the circle, to the nearest after it. */
function turn(i, other, n) {
	return (i - other + n) % n || n / 2;
}

/**
 * An arc is as long as what its node sends and is sent; each direction of a pair is a ribbon of even width, and
 * the two lie side by side. Returns { arcs: Map key -> { start, end },
 * ribbons: [{ key, pair, from, to, value, cell, hollow, source: { start, end }, target: { start, end } }] }; angles in radians
 * clockwise from twelve o'clock. The circle begins at nine o'clock: where two nodes have nearly all the traffic,
 * the small ones then crowd at the sides, where labels have room.
 */
export function layout(nodes, pairs) {
	const n = nodes.length;
	if (n === 0)
		return { arcs: new Map(), ribbons: [] };
	const gap = Math.min(0.028, 0.2 * TAU / n);
	const room = TAU - n * gap;
	const least = Math.min(0.085, 0.3 * room / n);
	const { lengths, scale } = proportion(nodes.map((node) => node.sent + node.got), room, least);

	const arcs = new Map();
	const rank = new Map();
	const ends = new Map();
	let angle = (gap - Math.PI) / 2;
	nodes.forEach((node, i) => {
		arcs.set(node.key, { start: angle, end: angle + lengths[i] });
		rank.set(node.key, i);
		ends.set(node.key, []);
		angle += lengths[i] + gap;
	});

	const ribbons = [];
	const addRibbon = (pair, from, to, value, cell, lane) => {
		// Planned and silent: a ribbon without width, to be drawn as a line.
		const hollow = !(value > 0) && cell?.silent > 0;
		if (!(value > 0) && !hollow)
			return;
		const [i, j] = [rank.get(from.key), rank.get(to.key)];
		// The lanes of a pair keep their order as seen along the ribbon, so it is reversed at the other end.
		const source = { value, turn: turn(i, j, n), lane };
		const target = { value, turn: turn(j, i, n), lane: -lane };
		ends.get(from.key).push(source);
		ends.get(to.key).push(target);
		ribbons.push({ key: `${from.key}>${to.key}`, pair, from, to, value, cell, hollow, source, target });
	};
	for (const pair of pairs) {
		addRibbon(pair, pair.a, pair.b, pair.ab, pair.forth, 1);
		if (pair.a !== pair.b)
			addRibbon(pair, pair.b, pair.a, pair.ba, pair.back, 2);
	}
	for (const [key, list] of ends) {
		const { start, end } = arcs.get(key);
		const used = list.reduce((sum, { value }) => sum + value * scale, 0);
		// An arc kept at the least length has room to spare: its ends share it, so that nothing is a hair.
		const spare = Math.max(0, end - start - used) / (list.length || 1);
		let at = start;
		for (const one of list.sort((p, q) => p.turn - q.turn || p.lane - q.lane)) {
			one.start = at;
			one.end = at += one.value * scale + spare;
		}
	}
	for (const ribbon of ribbons.filter(({ hollow }) => hollow)) {
		for (const end of [ribbon.source, ribbon.target]) {
			const [middle, half] = [(end.start + end.end) / 2, Math.min(0.008, (end.end - end.start) / 2)];
			Object.assign(end, { start: middle - half, end: middle + half });
		}
	}
	return { arcs, ribbons };
}

/**
 * The outline of a ribbon as an SVG path: flush with the ring at its sender, a head at its receiver. The head
 * follows the ring, so that also a ribbon half round the circle points at all of its arc.
 */
export function ribbonPath(radius, [s0, s1, t0, t1]) {
	const at = (angle, r) => `${(Math.sin(angle) * r).toFixed(2)},${(-Math.cos(angle) * r).toFixed(2)}`;
	const width = t1 - t0;
	const depth = Math.min(Math.max(radius * width * 0.55, 3), 11) + 0.12 * radius * Math.min(1, width / Math.PI);
	const steps = 2 * Math.max(1, Math.ceil(width / 0.16));
	let path = `M${at(s0, radius)}A${radius},${radius} 0 ${s1 - s0 > Math.PI ? 1 : 0} 1 ${at(s1, radius)}`;
	path += `Q0,0 ${at(t0, radius - depth)}`;
	for (let i = 1; i <= steps; i++)
		path += `L${at(t0 + width * i / steps, radius - depth * Math.abs(2 * i / steps - 1))}`;
	return `${path}Q0,0 ${at(s0, radius)}Z`;
}

/** Positions nearest to `wanted` (ascending) that keep `step` apart, within ±`limit`. */
export function spread(wanted, step, limit) {
	// Pool adjacent violators on wanted[i] - i * step: the least squares answer in one pass.
	const pools = [];
	wanted.forEach((y, i) => {
		let pool = { sum: y - i * step, count: 1 };
		while (pools.length && pools.at(-1).sum / pools.at(-1).count > pool.sum / pool.count) {
			const before = pools.pop();
			pool = { sum: before.sum + pool.sum, count: before.count + pool.count };
		}
		pools.push(pool);
	});
	const last = wanted.length - 1;
	const offsets = pools.flatMap(({ sum, count }) => Array(count).fill(sum / count));
	return offsets.map((offset, i) => Math.max(-limit, Math.min(limit - last * step, offset)) + i * step);
}

/** The places of one column's labels, from top to bottom. Those of light items give way until no label is
 *  farther than `stray` from its arc. */
function placeColumn(items, { radius, limit, step }) {
	const stray = 4 * step;
	const room = Math.floor(2 * limit / step) + 1;
	const byWeight = items.map((item) => ({ ...item, wanted: -Math.cos(item.angle) * radius }))
		.sort((p, q) => q.weight - p.weight || p.wanted - q.wanted);
	for (let keep = Math.min(room, byWeight.length); ; keep = Math.floor(keep * 0.9)) {
		const column = byWeight.slice(0, keep).sort((p, q) => p.wanted - q.wanted);
		const ys = spread(column.map(({ wanted }) => wanted), step, limit);
		if (keep < 8 || column.every(({ wanted }, i) => Math.abs(ys[i] - wanted) <= stray))
			return column.map((item, i) => ({ ...item, y: ys[i] }));
	}
}

/**
 * Labels in two columns that hug a circle of `radius`, each level with its arc where there is room.
 * `items`: [{ key, angle, weight }]. Where not all find room the heaviest do. Near the top and the bottom a label
 * stays on the side it had in `before`, an earlier answer. Returns
 * Map key -> { side: -1 | 1, angle, x, y }, x and y being where the text begins.
 */
export function placeLabels(items, { radius, limit, step }, before = new Map()) {
	const sideOf = ({ key, angle }) => {
		const sin = Math.sin(angle);
		return Math.abs(sin) < 0.2 && before.has(key) ? before.get(key).side : sin >= 0 ? 1 : -1;
	};
	const places = new Map();
	for (const side of [1, -1]) {
		const column = items.filter((item) => sideOf(item) === side);
		for (const { key, angle, y } of placeColumn(column, { radius, limit, step })) {
			const inner = Math.max(0, Math.abs(y) - 0.45 * step); // its line nearest to the middle
			const bulge = Math.sqrt(Math.max(0, radius * radius - inner * inner));
			const own = Math.abs(Math.sin(angle)) * radius;
			places.set(key, { side, angle, x: side * Math.max(bulge, own), y });
		}
	}
	return places;
}
