// SPDX-License-Identifier: Apache-2.0
// Cells as the table's rows, in the order the user wants, and as CSV. Pure.

import { lossOf, overheadOf } from './figures.js';

/** The part of `names` that fits in a table cell: one, or how many. */
function some(names, noun) {
	const list = [...names];
	return list.length === 1 ? String(list[0] ?? 'none') : list.length ? `${list.length} ${noun}` : '';
}

export const vniText = ({ vnis }) => some(vnis, 'VNIs');
export const protoText = ({ protos }) => some(new Set([...protos].map((proto) => proto.replace(/^ipv4\//, ''))), 'protocols');

/** What a row is sorted by, column by column. */
const KEYS = {
	__proto__: null, // "constructor" is no column
	from: ({ from }) => from.name,
	to: ({ to }) => to.name,
	vni: vniText,
	proto: protoText,
	sent: (cell, { unit }) => cell[unit],
	share: (cell, { unit }) => cell[unit],
	received: (cell, { unit }) => cell.received?.[unit] ?? -1,
	loss: (cell, { seconds }) => lossOf(cell, seconds) ?? -1,
	overhead: (cell) => overheadOf(cell) ?? -1,
};

export const COLUMNS = Object.keys(KEYS);

/** Rows in order; equal ones keep the order they came in, biggest first. `how`: { unit, seconds }, seconds 0 for totals. */
export function sortRows(cells, { by, down }, how) {
	const key = KEYS[by] ?? KEYS.sent;
	const sign = down ? -1 : 1;
	const keyed = cells.map((cell, i) => ({ cell, i, key: key(cell, how) }));
	const compare = (a, b) => (typeof a === 'number' ? a - b : a.localeCompare(b, 'en', { numeric: true }));
	keyed.sort((a, b) => sign * compare(a.key, b.key) || a.i - b.i);
	return keyed.map(({ cell }) => cell);
}

/** The window of a long list that is worth drawing: { first, count }, some more than fits above and below. */
export function visibleRows(n, rowHeight, scroll, height) {
	const spare = 6;
	const first = Math.max(0, Math.min(n, Math.floor(scroll / rowHeight) - spare));
	return { first, count: Math.max(0, Math.min(n - first, Math.ceil(height / rowHeight) + 2 * spare)) };
}

/** A value as CSV wants it; what a spreadsheet would take for a formula is made text. */
function quoted(value) {
	const text = value === null || value === undefined ? '' : String(value);
	const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
	return /[",\n\r]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

/** The rows as CSV with figures unrounded; `mode` tells rates from totals. */
export function csv(cells, { mode, seconds }) {
	const per = mode === 'rate' ? '_per_s' : '';
	const head = ['from', 'from_host', 'from_address', 'to', 'to_host', 'to_address', 'vni', 'protocol', `packets${per}`, `bytes${per}`,
		`inner_bytes${per}`, `received_packets${per}`, `received_bytes${per}`, 'loss', 'planned'];
	const lines = cells.map((cell) => [cell.from.name, cell.from.host, cell.from.address, cell.to.name, cell.to.host, cell.to.address,
		[...cell.vnis].join(' '), [...cell.protos].join(' '), cell.packets, cell.bytes, cell.inner_bytes, cell.received?.packets,
		cell.received?.bytes, lossOf(cell, mode === 'rate' ? seconds : 0),
		cell.unplanned ? 'no' : cell.silent === cell.flows ? 'silent' : 'yes']);
	return [head, ...lines].map((line) => line.map(quoted).join(',')).join('\r\n') + '\r\n';
}
