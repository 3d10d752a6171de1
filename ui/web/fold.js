// SPDX-License-Identifier: Apache-2.0
// A picture of more than can be drawn, folded: who matters stays, and all others stand together by the numbers of their hosts
// ("host0-99"), each such group a filter one can look into. Pure.

import { rangeName, rangeOf } from './names.js';

/** Beyond this many ribbons (directions) or nodes a picture is folded. Measured: without a GPU a browser animates 200 ribbons at 60
 *  frames a second, 300 at 50; beyond that pictures change at once. */
export const RIBBON_LIMIT = 360;
const NODE_LIMIT = 240;

/** Groups made at most, and what a node must have of the whole to stand by itself. */
const GROUPS = 12;
const NOTABLE = 0.02;
/** How many may stand by themselves; fewer where that is still too much to draw. */
const KEPT = [24, 12, 6, 0];

const SIZES = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000];

/** The hosts looked at, by place: those of the one range that is asked for, or all. */
function outlook(filters, hosts) {
	const own = (filters ?? []).filter(({ field, not }) => field === 'host' && !not);
	const range = own.length === 1 ? rangeOf(own[0].value) : null;
	return range ? { first: range.first, last: Math.min(range.last, hosts - 1) } : { first: 0, last: hosts - 1 };
}

/** What each node is drawn as: Map key -> itself or a group's node (`make(kind, how)` makes those, and the rest). */
function homes(nodes, kept, { first, last }, make) {
	const size = SIZES.find((one) => (last - first + 1) / one <= GROUPS) ?? SIZES.at(-1);
	const groups = new Map();
	const map = new Map();
	for (const node of nodes) {
		const known = node.place >= first && node.place <= last;
		if (kept.has(node.key) || node.kind === 'flood' || (known && size === 1 && node.kind === 'host')) {
			map.set(node.key, { ...node, sent: 0, got: 0 });
			continue;
		}
		const from = known ? node.place - (node.place - first) % size : 0;
		const name = known ? rangeName(from, Math.min(last, from + size - 1)) : 'rest';
		if (!groups.has(name))
			groups.set(name, { ...make(known ? 'group' : 'rest', { name, from, place: (from - first) / size }), members: 0 });
		groups.get(name).members++;
		map.set(node.key, groups.get(name));
	}
	return { map, drawn: [...new Set(map.values())].sort((a, b) => a.order[0] - b.order[0] || a.order[1] - b.order[1] || a.order[2] - b.order[2] || 0) };
}

/**
 * { drawn, cells, folded }: nodes and cells to draw, and how many cells went into others. `cellOf(cells, from, to)` and `addSum(into,
 * part)` are those that cells are made with. `keep(node)`: stays whatever it has.
 */
export function fold(nodes, cells, { unit, filters, hosts, keep, make, cellOf, addSum }) {
	if (cells.length <= RIBBON_LIMIT && nodes.length <= NODE_LIMIT)
		return { drawn: nodes, cells, folded: 0 };
	const lit = new Set();
	for (const cell of cells) {
		if (cell.lit)
			lit.add(cell.from.key).add(cell.to.key);
	}
	const whole = nodes.reduce((sum, { sent, got }) => sum + sent + got, 0);
	const weight = ({ key, sent, got }) => sent + got + (lit.has(key) ? whole : 0);
	const notable = nodes.filter((node) => node.kind !== 'rest' && node.kind !== 'flood' && (keep(node) || weight(node) > NOTABLE * whole))
		.sort((a, b) => weight(b) - weight(a) || (a.key < b.key ? -1 : 1));
	for (const most of KEPT) {
		const kept = new Set(notable.slice(0, most).map(({ key }) => key));
		const { map, drawn } = homes(nodes, kept, outlook(filters, hosts), make);
		const folded = new Map();
		for (const cell of cells)
			addSum(cellOf(folded, map.get(cell.from.key), map.get(cell.to.key)), cell);
		if (folded.size > RIBBON_LIMIT && most > 0)
			continue;
		for (const cell of folded.values()) {
			cell.from.sent += cell[unit];
			cell.to.got += cell[unit];
		}
		return { drawn, cells: [...folded.values()], folded: cells.length - folded.size };
	}
	return null; // the last of KEPT has returned
}
