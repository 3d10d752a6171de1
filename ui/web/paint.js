// SPDX-License-Identifier: Apache-2.0
// Store and choices to one picture: everything that views need to draw, with names and colours. Pure.

import { figures, lossOf } from './figures.js';
import { filterOf, formatFilter, selectionOf } from './filter.js';
import { namesOf } from './names.js';
import { groupColour, hostColour, shade, vniColour } from './palette.js';
import { compare } from './plan.js';
import { amounts, seenIn, spanOf } from './span.js';
import { since, talkers } from './talkers.js';
import { topology } from './topology.js';
import { cellWords, nodeWords } from './words.js';

const TALKERS = 5;

const known = new WeakMap();

/** A lab's hosts' colours, each made once: a thousand are asked for each second. */
function colourOf(host, lab) {
	if (!known.has(lab))
		known.set(lab, new Map());
	const colours = known.get(lab);
	if (!colours.has(host))
		colours.set(host, hostColour(host, lab.hosts.length));
	return colours.get(host);
}

function colour(node, lab, level, { vniOrder }) {
	const place = vniOrder.get(node.vni) ?? -1;
	const own = node.kind === 'group' ? groupColour(node.place) : colourOf(node.host, lab);
	node.groupColour = level === 'inner' ? vniColour(place) : own;
	node.colour = place < 0 || node.kind === 'host' || node.kind === 'group' ? own : shade(own, place / lab.vnis.length);
	node.tag = node.kind === 'inner' && node.vni !== null && level === 'outer' ? `VNI ${node.vni}` : '';
}

/** Who was the busiest, since when; in totals there is no "since". */
function busiest(store, span, list, view, filter) {
	return talkers(list, store.lab, view.unit, filter, TALKERS).map((talker) => ({
		...talker, since: span.mode === 'rate' ? since(store, span, talker.key, store.lab, view.unit, talker.value) : null,
	}));
}

/**
 * { span, mode, seconds, unit, figures, topology, talkers, filter, asked, silent, unplanned, untold }, null while there is nothing to show.
 * `asked` names the filter; `untold` is how many flows it cannot be asked of.
 */
export function paint(store, view) {
	const span = store.lab && spanOf(store, view);
	if (!span)
		return null;
	const { lab } = store;
	const names = namesOf(lab);
	const filter = filterOf(view, names);
	const selection = selectionOf(view.select, names);
	const sums = amounts(store, span);
	if (span.mode === 'rate')
		sums.list = compare(lab, sums.list, (seconds) => seenIn(store, span, seconds));
	const painted = {
		span, mode: span.mode, seconds: span.seconds, unit: view.unit, lab, filter,
		asked: `${view.filters.map(formatFilter).join(' ')} ${view.search}`,
		figures: figures(sums, lab, view, { filter, selection }),
		topology: view.view === 'topology' ? topology(sums, lab, view, { filter, selection }) : null,
		talkers: busiest(store, span, sums.list, view, filter), untold: filter && sums.rest ? sums.restFlows : 0,
	};
	const { nodes, drawn, cells, pairs } = painted.figures;
	for (const node of nodes)
		colour(node, lab, view.level, names);
	for (const node of drawn) {
		colour(node, lab, view.level, names);
		node.says = nodeWords(node, painted);
	}
	for (const { forth, back } of pairs) {
		for (const cell of [forth, back]) {
			if (cell)
				cell.says = cellWords(cell, painted, lossOf(cell, span.mode === 'rate' ? span.seconds : 0));
		}
	}
	painted.silent = cells.filter((cell) => cell.silent > 0 && cell.silent === cell.flows).length;
	painted.unplanned = cells.filter((cell) => cell.unplanned > 0).length;
	return painted;
}
