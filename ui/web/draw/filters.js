// SPDX-License-Identifier: Apache-2.0
// The search box and the chips of filters, each of which can be turned round (only, all but) and removed.

import { FIELDS, formatFilter, guessFilter, parseFilter } from '../filter.js';
import { byId, make, setAttribute } from './dom.js';

const NAMES = { host: 'Host', vni: 'VNI', client: 'Client', proto: 'Protocol', addr: 'Address', encap: 'Encapsulation' };

/** A host's name says what it is. */
const words = ({ field, value, not }) => `${not ? 'not ' : ''}${field === 'host' ? value : `${NAMES[field]} ${value}`}`;

/** `onAdd(filter)`, `onDrop(filter)`, `onSearch(text)`. */
export function createFilters({ onAdd, onDrop, onSearch }) {
	const input = byId('search');
	const chips = byId('chips');
	const offers = byId('offers');
	let lab = null;
	let drawn = '';

	function makeChip(filter) {
		const turn = make('button', { type: 'button', class: 'turn', title: filter.not ? 'Show only this' : 'Leave this out' }, words(filter));
		turn.addEventListener('click', () => onAdd({ ...filter, not: !filter.not }));
		const drop = make('button', { type: 'button', class: 'drop', 'aria-label': `Remove filter ${words(filter)}` }, '×');
		drop.addEventListener('click', () => {
			onDrop(filter);
			input.focus();
		});
		return make('li', { class: filter.not ? 'chip not' : 'chip' }, turn, drop);
	}

	function offer() {
		const values = [...lab.vnis.map(({ vni }) => `vni:${vni}`), ...lab.hosts.slice(0, 100).map(({ name }) => `host:${name}`),
			...lab.clients.slice(0, 200).map(({ name }) => `client:${name}`), ...['udp', 'ping', 'tcp', 'arp'].map((proto) => `proto:${proto}`)];
		offers.replaceChildren(...values.map((value) => make('option', { value })));
	}

	function take() {
		const filter = lab && (parseFilter(input.value) ?? guessFilter(input.value.trim(), lab));
		if (!filter)
			return;
		input.value = '';
		onSearch('');
		onAdd(filter);
	}

	input.addEventListener('keydown', (event) => {
		if (event.key === 'Enter')
			take();
		else if (event.key === 'Escape' && input.value) {
			event.stopPropagation();
			input.value = '';
			onSearch('');
		} else if (event.key === 'Backspace' && !input.value && chips.lastChild)
			chips.lastChild.querySelector('.drop').click();
	});
	input.addEventListener('input', () => {
		// Half a filter ("vni:") is no word to look for.
		onSearch(new RegExp(`^[-!]?(${FIELDS.join('|')}):`, 'i').test(input.value.trim()) ? '' : input.value);
		// Picked from the list of offers: the whole value comes at once.
		if ([...offers.children].some(({ value }) => value === input.value) && parseFilter(input.value))
			take();
	});

	return {
		render(view, newLab) {
			if (newLab !== lab) {
				lab = newLab;
				offer();
			}
			if (document.activeElement !== input && input.value !== view.search && !/:/.test(input.value))
				input.value = view.search;
			const key = view.filters.map(formatFilter).join(' ');
			if (key === drawn)
				return;
			drawn = key;
			chips.replaceChildren(...view.filters.map(makeChip));
			setAttribute(input, 'placeholder', view.filters.length ? '' : 'Filter: c3, -arp …');
		},
	};
}
