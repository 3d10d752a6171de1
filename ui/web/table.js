// SPDX-License-Identifier: Apache-2.0
// The table beside the chord: the same cells, biggest first, and their sum. Draws; computes nothing.

import { select } from 'd3-selection';
import { byId, make, setAttribute, setText } from './dom.js';
import { cell as cellText, share } from './format.js';
import { lossOf } from './matrix.js';

function makeEnd(className) {
	return make('td', { class: `end ${className}` },
		make('i', { class: 'dot' }), make('b'), make('span', { class: 'tag' }), make('small'));
}

function makeRow(cell) {
	return make('tr', { 'data-row': cell.key },
		makeEnd('from'), makeEnd('to'),
		make('td', { class: 'number sent' }, make('span'), make('small')),
		make('td', { class: 'number received' }), make('td', { class: 'number loss' }));
}

function writeEnd(element, node) {
	const [dot, name, tag, address] = element.childNodes;
	writeStyle(dot, 'background-color', node.colour);
	setText(name, node.name);
	setText(tag, node.tag && ` ${node.tag}`);
	setText(address, node.address ?? '');
	setAttribute(address, 'title', node.address);
}

/** Sets a style property unless it is what was set last; the browser's own text of a colour differs. */
function writeStyle(element, property, value) {
	const key = `style-${property}`;
	if (element.getAttribute(`data-${key}`) === value)
		return;
	element.setAttribute(`data-${key}`, value);
	element.style.setProperty(property, value);
}

function writeNumber(element, value, text) {
	setAttribute(element, 'data-value', value);
	setText(element, text);
}

function receivedText({ received }, unit, mode) {
	return received ? cellText(received[unit], unit, mode) : '–';
}

function writeLoss(element, loss) {
	const lossy = loss > 0;
	setAttribute(element, 'data-value', loss);
	setText(element, loss === null ? '–' : share(loss, 1));
	element.classList.toggle('lossy', lossy);
}

export function createTable({ onPoint }) {
	const body = byId('rows');
	const total = { sent: byId('total-sent'), received: byId('total-received'), loss: byId('total-loss') };

	function writeRow(row, cell, { figures, unit, mode, seconds }) {
		const [from, to, sent, received, loss] = row.children;
		const whole = figures.total[unit];
		writeEnd(from, cell.from);
		writeEnd(to, cell.to);
		setAttribute(sent, 'data-value', cell[unit]);
		setText(sent.firstChild, cellText(cell[unit], unit, mode));
		setText(sent.lastChild, share(cell[unit], whole));
		writeStyle(row, '--colour', cell.from.colour);
		writeStyle(row, '--part', `${(100 * cell[unit] / (whole || 1)).toFixed(1)}%`);
		writeNumber(received, cell.received?.[unit], receivedText(cell, unit, mode));
		writeLoss(loss, lossOf(cell, mode === 'rate' ? seconds : 0));
	}

	/** `picture`: { figures, unit, mode, seconds }. */
	function render(picture) {
		const { figures, unit, mode, seconds } = picture;
		select(body).selectAll('tr').data(figures.cells, (cell) => cell.key)
			.join((enter) => enter.append(makeRow))
			.each(function each(cell) {
				writeRow(this, cell, picture);
			})
			.order();
		const { total: sum } = figures;
		writeNumber(total.sent, sum[unit], cellText(sum[unit], unit, mode));
		writeNumber(total.received, sum.received?.[unit], receivedText(sum, unit, mode));
		writeLoss(total.loss, lossOf(sum, mode === 'rate' ? seconds : 0));
	}

	/** Marks the rows of a pair or a node. */
	function light(what) {
		select(body).selectAll('tr').classed('lit', ({ from, to }) => Boolean(what)
			&& (what.arc ? from.key === what.arc || to.key === what.arc
				: what.pair === `${from.key}~${to.key}` || what.pair === `${to.key}~${from.key}`));
	}

	body.addEventListener('pointerover', (event) => {
		const row = event.target.closest('tr');
		onPoint(row ? select(row).datum() : null);
	});
	body.addEventListener('pointerleave', () => onPoint(null));

	return { render, light };
}
