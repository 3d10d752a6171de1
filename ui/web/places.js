// SPDX-License-Identifier: Apache-2.0
// Where hosts stand in the picture of the lab. Pure.
//
// Up to WHOLE_HOSTS are drawn whole, each on a rail of the fabric. More would be a smear: then a few are drawn whole, those that
// matter now, and below them stands every host as a tile.

/** Above this many not all hosts are drawn whole. */
const WHOLE_HOSTS = 32;

const GAP = 10;
/** A host with its uplink down to the rail. */
const ROW = 204;
const RAIL = 16;
const UPLINK = 74;
/** A client's place: what it takes at least, and at ease. */
const SLOT = 17;
const EASE = 34;
/** Room for the numbers before rows of tiles, and for the line above them. */
const MARGIN = 34;
const HEADING = 30;
/** Beyond this a picture only gets coarse. */
const LARGEST = 1.7;

/** How many clients or tunnels stand side by side in a box of that width. */
export const slotsIn = (width) => Math.max(1, Math.floor((width - 12) / SLOT));

/** The clients a box of that width shows, and how many it leaves out: { clients, more }. What is lit comes first, then what is loud. */
export function clientsShown(clients, width) {
	const fit = slotsIn(width);
	if (clients.length <= fit)
		return { clients, more: 0 };
	const weight = ({ lit, sent, got }) => (lit ? 1e18 : 0) + sent + got;
	const kept = new Set([...clients].sort((a, b) => weight(b) - weight(a) || a.id - b.id).slice(0, Math.max(1, fit - 2)));
	return { clients: clients.filter((client) => kept.has(client)), more: clients.length - kept.size };
}

/** Columns and the scale for `n` whole boxes so that they are as large as can be: { cols, scale }. */
function arrange(n, width, height, { least, ease }) {
	let best = { cols: 1, scale: 0 };
	for (let cols = 1; cols <= n; cols++) {
		const scale = Math.min(width / (cols * (ease + GAP) - GAP), height / (Math.ceil(n / cols) * ROW));
		if (scale > best.scale)
			best = { cols, scale };
	}
	const { cols, scale } = best;
	if (scale >= 1 || (cols * (least + GAP) - GAP <= width && Math.ceil(n / cols) * ROW <= height))
		return { cols, scale: Math.min(LARGEST, Math.max(1, scale)) };
	// It does not fit: letters keep their size, and who looks scrolls.
	const fit = Math.max(1, Math.floor((width + GAP) / (least + GAP)));
	return { cols: Math.ceil(n / Math.ceil(n / fit)), scale: 1 };
}

/** Rows of whole boxes: { whole, rails, bottom }. */
function wholeRows(indices, cols, width, height, widest) {
	const rows = Math.ceil(indices.length / cols);
	const boxWidth = Math.min(widest, (width + GAP) / cols - GAP);
	const left = (width - cols * (boxWidth + GAP) + GAP) / 2;
	const tall = Math.min(Math.max(ROW, height / rows), 1.2 * ROW);
	const top = Math.max(0, (height - rows * tall) / 2);
	const railOf = (row) => top + (row + 1) * tall - RAIL - 4;
	const whole = indices.map((host, i) => {
		const [row, col] = [Math.floor(i / cols), i % cols];
		return { host, x: left + col * (boxWidth + GAP), y: top + row * tall, width: boxWidth, height: tall - UPLINK - RAIL, rail: railOf(row) };
	});
	const rails = Array.from({ length: rows }, (_, row) => ({ x0: left, x1: left + cols * (boxWidth + GAP) - GAP, y: railOf(row) }));
	return { whole, rails, bottom: top + rows * tall };
}

/** Tiles for `n` hosts, as large as `height` lets them be, tens to a row where there are many: { side, step, cols }. */
function tileGrid(n, width, height) {
	for (let side = 40; ; side--) {
		const step = side + (side > 24 ? 5 : side > 13 ? 3 : 2);
		const fit = Math.max(1, Math.floor((width + step - side) / step));
		const cols = fit > 20 ? fit - fit % 10 : fit;
		if (side === 9 || Math.ceil(n / cols) * step <= height)
			return { side, step, cols };
	}
}

/**
 * The hosts to draw whole where there is room for `k`: what is chosen, and what is lit or else loud. Who stands there already (`before`,
 * an earlier answer) stays until another is clearly louder. Indices, ascending.
 */
export function featured(hosts, k, before = []) {
	const held = new Set(before);
	const weight = ({ chosen, lit, sent, got }, i) => (chosen ? 4e18 : lit ? 2e18 : 0) + (sent + got) * (held.has(i) ? 1.5 : 1);
	return hosts.map((host, i) => [i, weight(host, i)]).sort((a, b) => b[1] - a[1] || held.has(b[0]) - held.has(a[0]) || a[0] - b[0])
		.slice(0, k).map(([i]) => i).sort((a, b) => a - b);
}

/**
 * Places in a picture of `width` x `height` pixels, in units of which `scale` pixels make one: { scale, width, height, whole:
 * [{ host, x, y, width, height, rail }], rails: [{ x0, x1, y }], tiles: null or { side, step, cols, x, y } }, `host` being an index.
 * `tiles` has place i at column i % cols. The picture may need more height than there is. `before`: an earlier answer.
 */
export function placeHosts(hosts, width, height, before = null) {
	const n = hosts.length;
	const most = Math.max(1, ...hosts.map(({ clients, vnis }) => clients.length || vnis?.length || 0));
	const least = Math.max(72, SLOT * Math.min(most, 10) + 12);
	const ease = Math.max(120, Math.min(EASE * most + 12, 260));
	if (n <= WHOLE_HOSTS) {
		const { cols, scale } = arrange(n, width, height, { least, ease });
		const { whole, rails, bottom } = wholeRows(hosts.map((_, i) => i), cols, width / scale, height / scale, 1.15 * ease);
		return { scale, width: width / scale, height: Math.max(height / scale, bottom), whole, rails, tiles: null };
	}
	const scale = Math.min(LARGEST, Math.max(1, Math.min(width / 900, height / 460)));
	const [wide, high] = [width / scale, height / scale];
	const k = Math.max(1, Math.floor((wide + GAP) / (Math.min(ease, wide) + GAP)));
	const { whole, rails, bottom } = wholeRows(featured(hosts, k, before?.whole.map(({ host }) => host)), k, wide, ROW, 1.6 * ease);
	const { side, step, cols } = tileGrid(n, wide - MARGIN, high - bottom - HEADING);
	const y = bottom + HEADING;
	const x = MARGIN + (wide - MARGIN - cols * step + step - side) / 2;
	return { scale, width: wide, height: Math.max(high, y + Math.ceil(n / cols) * step), whole, rails, tiles: { side, step, cols, x, y } };
}
