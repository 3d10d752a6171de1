// SPDX-License-Identifier: Apache-2.0
// The table: the cells of the picture, all of them, in the order the user wants, and their sum. Only rows near the window exist.

import { cell as cellText, share } from '../format.js';
import { lossOf, overheadOf } from '../figures.js';
import { isLab } from '../names.js';
import { protoText, sortRows, visibleRows, vniText } from '../rows.js';
import { askSize, byId, make, setAttribute, setText, writeStyle } from './dom.js';

const HEADS = {
	from: 'From', to: 'To', vni: 'VNI', proto: 'Protocol', sent: 'Sent', share: 'Share', received: 'Received', loss: 'Loss',
	overhead: 'Overhead',
};
const HINTS = {
	received: 'Flooded frames are received by several hosts', loss: 'Sent and not received between the two hosts, flooded frames left out',
	overhead: 'Share of bytes that is encapsulation', share: 'Of all that is shown',
};
/** A name of more letters may be cut off. */
const LONG = 12;
const NUMBERS = new Set(['sent', 'share', 'received', 'loss', 'overhead']);

function makeEnd(name) {
	return make('td', { class: `end ${name}` },
		make('i', { class: 'dot' }), make('b'), make('span', { class: 'tag' }), make('small'));
}

function makeRow() {
	return make('tr', { 'aria-selected': 'false', tabindex: -1 }, makeEnd('from'), makeEnd('to'), make('td', { class: 'vni' }), make('td', { class: 'proto' }),
		make('td', { class: 'number sent' }, make('span'), make('small')), make('td', { class: 'number share' }),
		make('td', { class: 'number received' }), make('td', { class: 'number loss' }), make('td', { class: 'number overhead' }));
}

/** `brief`: where there is no room for the word VNI. */
function writeEnd(element, node, brief) {
	const [dot, name, tag, address] = element.childNodes;
	writeStyle(dot, 'background-color', node.colour);
	setText(name, node.name);
	setAttribute(name, 'title', node.name.length > LONG ? node.name : null);
	setText(tag, node.tag && ` ${brief ? node.vni : node.tag}`);
	setText(address, node.address ?? '');
	setAttribute(address, 'title', node.address);
}

function writeNumber(element, value, text) {
	setAttribute(element, 'data-value', value);
	setText(element, text);
}

function receivedText({ received }, unit, mode) {
	return received ? cellText(received[unit], unit, mode) : '–';
}

function writeLoss(element, loss) {
	setAttribute(element, 'data-value', loss);
	setText(element, loss === null ? '–' : share(loss, 1));
	element.classList.toggle('lossy', loss > 0);
}

function mark(cell) {
	return cell.silent && cell.silent === cell.flows ? 'silent' : cell.unplanned ? '! not planned' : '';
}

/** `onSort(column)`, `onPoint(cell or null)`, `onSelect(cell)`. */
export function createTable({ onSort, onPoint, onSelect, sizeOf = askSize }) {
	const frame = byId('figures');
	const table = frame.querySelector('table');
	const body = byId('rows');
	const total = Object.fromEntries(['sent', 'received', 'loss', 'overhead'].map((name) => [name, byId(`total-${name}`)]));
	const spare = { above: make('tr', { class: 'spare', 'aria-hidden': 'true' }, make('td')),
		below: make('tr', { class: 'spare', 'aria-hidden': 'true' }, make('td')) };
	const none = make('p', { class: 'why' }, make('strong'), make('span'), ' ', make('code'));
	const heads = new Map();
	let shown = null; // { rows, picture }
	let lit = null;
	let current = null; // key of the row that has, or had, the focus
	let pointed = null; // row that the pointer or the focus is on
	let scrolled = 0; // asked for when it changes, not in the middle of a drawing

	for (const [name, text] of Object.entries(HEADS)) {
		const button = make('button', { type: 'button' }, text);
		const head = make('th', { scope: 'col', class: `${name}${NUMBERS.has(name) ? ' number' : ''}` }, button);
		if (HINTS[name])
			head.title = HINTS[name];
		button.addEventListener('click', () => onSort(name));
		heads.set(name, head);
	}
	byId('heads').append(...heads.values());
	body.append(spare.above, spare.below);
	none.hidden = true;
	frame.append(none);

	const rowHeight = () => (frame.classList.contains('wide') ? 30 : 45);
	const isLit = ({ from, to }) => Boolean(lit) && (lit.arc ? from.key === lit.arc || to.key === lit.arc
		: lit.pair === `${from.key}~${to.key}` || lit.pair === `${to.key}~${from.key}`);

	function writeRow(row, cell, i, { figures, unit, mode, seconds }) {
		const [from, to, vni, proto, sent, part, received, loss, overhead] = row.children;
		const whole = figures.total[unit];
		row.cell = cell;
		setAttribute(row, 'data-row', cell.key);
		setAttribute(row, 'aria-rowindex', i + 2);
		setAttribute(row, 'aria-selected', String(Boolean(cell.lit)));
		const brief = !frame.classList.contains('wide');
		writeEnd(from, cell.from, brief);
		writeEnd(to, cell.to, brief);
		setText(vni, vniText(cell));
		setText(proto, mark(cell) || protoText(cell));
		proto.classList.toggle('marked', cell.unplanned > 0);
		setAttribute(sent, 'data-value', cell[unit]);
		setText(sent.firstChild, cellText(cell[unit], unit, mode));
		setText(sent.lastChild, mark(cell) || share(cell[unit], whole));
		sent.classList.toggle('marked', cell.unplanned > 0);
		writeNumber(part, cell[unit] / (whole || 1), share(cell[unit], whole));
		writeStyle(row, '--colour', cell.from.colour);
		writeStyle(row, '--part', `${(100 * cell[unit] / (whole || 1)).toFixed(1)}%`);
		writeNumber(received, cell.received?.[unit], receivedText(cell, unit, mode));
		writeLoss(loss, lossOf(cell, mode === 'rate' ? seconds : 0));
		const extra = overheadOf(cell);
		writeNumber(overhead, extra, extra === null ? '–' : share(extra, 1));
		row.classList.toggle('hollow', cell.silent > 0 && cell.silent === cell.flows);
		row.classList.toggle('lit', isLit(cell));
		row.classList.toggle('chosen', Boolean(cell.lit));
	}

	function drawRows() {
		const { rows, picture } = shown;
		const focused = body.contains(document.activeElement);
		const height = rowHeight();
		const { first, count } = visibleRows(rows.length, height, scrolled, sizeOf(frame).height);
		const existing = [...body.children].slice(1, -1);
		while (existing.length > count)
			existing.pop().remove();
		while (existing.length < count) {
			existing.push(makeRow());
			body.insertBefore(existing.at(-1), spare.below);
		}
		existing.forEach((row, i) => writeRow(row, rows[first + i], first + i, picture));
		writeStyle(spare.above.firstChild, 'height', `${first * height}px`);
		writeStyle(spare.below.firstChild, 'height', `${(rows.length - first - count) * height}px`);
		spare.above.hidden = first === 0;
		spare.below.hidden = first + count === rows.length;
		if (pointed)
			point(pointed); // it may show another cell now, or be gone
		if (focused)
			focusRow(); // rows change their places, and what they show
	}

	function point(row) {
		pointed = row?.isConnected ? row : null;
		onPoint(pointed?.cell ?? null);
	}

	/** The current row; where it is gone or out of sight, the table, from which arrow keys go on. */
	function focusRow() {
		([...body.children].find(({ cell }) => cell?.key === current) ?? frame).focus({ preventScroll: true });
	}

	/** The row `by` further down becomes the current one, and is brought into sight between head and foot. */
	function move(by) {
		const { rows } = shown;
		const here = rows.findIndex(({ key }) => key === current);
		const i = Math.max(0, Math.min(rows.length - 1, here < 0 && Number.isFinite(by) ? Math.floor(scrolled / rowHeight()) : here + by));
		if (!rows[i])
			return;
		current = rows[i].key;
		const [head, foot] = [table.tHead.offsetHeight, table.tFoot.offsetHeight];
		const [top, room] = [i * rowHeight(), frame.clientHeight - head - foot - rowHeight()];
		frame.scrollTop = scrolled = Math.max(Math.min(frame.scrollTop, top), top - room);
		drawRows();
		focusRow();
	}

	/** `picture`: { figures, unit, mode, seconds, lab }. */
	function render(picture, sort, wide) {
		const { figures, unit, mode, seconds } = picture;
		frame.classList.toggle('wide', wide);
		setText(heads.get('sent').firstChild, isLab(picture.lab) ? HEADS.sent : 'Seen');
		shown = { rows: sortRows(figures.cells, sort, { unit, seconds: mode === 'rate' ? seconds : 0 }), picture };
		setAttribute(table, 'aria-rowcount', shown.rows.length + 2);
		for (const [name, head] of heads)
			setAttribute(head, 'aria-sort', sort.by === name ? (sort.down ? 'descending' : 'ascending') : null);
		drawRows();
		const { total: sum } = figures;
		writeNumber(total.sent, sum[unit], cellText(sum[unit], unit, mode));
		writeNumber(total.received, sum.received?.[unit], receivedText(sum, unit, mode));
		writeLoss(total.loss, lossOf(sum, mode === 'rate' ? seconds : 0));
		const extra = overheadOf(sum);
		writeNumber(total.overhead, extra, extra === null ? '–' : share(extra, 1));
	}

	/** Why there are no rows: [title, text, command]; where the table stands beside a picture, that says the rest. */
	function explain(words) {
		none.hidden = words[0] === '' || !shown || shown.rows.length > 0;
		[...none.children].forEach((element, i) => {
			setText(element, words[i]);
			element.hidden = words[i] === '' || (i > 0 && !frame.classList.contains('wide'));
		});
	}

	/** Marks the rows of a pair or a node. */
	function light(what) {
		lit = what;
		for (const row of body.children) {
			if (row.cell)
				row.classList.toggle('lit', isLit(row.cell));
		}
	}

	const cellAt = (event) => event.target.closest('tr')?.cell ?? null;
	let scrolling = false;
	frame.addEventListener('scroll', () => {
		if (scrolling || !shown)
			return;
		scrolling = true;
		requestAnimationFrame(() => {
			scrolling = false;
			scrolled = frame.scrollTop;
			drawRows();
		});
	});
	body.addEventListener('pointerover', ({ target }) => point(target.closest('tr')));
	body.addEventListener('pointerleave', () => point(null));
	body.addEventListener('click', (event) => {
		const cell = cellAt(event);
		if (cell)
			onSelect(cell);
	});

	body.addEventListener('focusin', ({ target }) => {
		current = target.cell?.key ?? current;
		if (target.matches(':focus-visible'))
			point(target);
	});
	body.addEventListener('focusout', () => point(null));
	frame.addEventListener('keydown', (event) => {
		if (!shown || (event.target !== frame && !event.target.cell) || event.altKey || event.ctrlKey || event.metaKey)
			return;
		const page = Math.max(1, Math.floor(frame.clientHeight / rowHeight()) - 2);
		const by = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[event.key];
		if (by)
			move(by);
		else if (event.target.cell && ['Enter', ' '].includes(event.key))
			onSelect(event.target.cell);
		else
			return;
		event.preventDefault();
	});

	return { render, explain, light, rows: () => shown?.rows ?? [] };
}
