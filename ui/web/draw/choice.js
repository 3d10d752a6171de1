// SPDX-License-Identifier: Apache-2.0
// A choice of one: buttons side by side where there are few, a list where there are many.

import { make } from './dom.js';

const BUTTONS_LIMIT = 8;

/** Fills the fieldset `box`; `onChoose` is called with the value of what the user picked. `list()`: whether it is a list in any case. */
export function createChoice(box, onChoose, { list: wanted = () => false } = {}) {
	const group = make('div', { class: 'options' });
	let offered = '';
	let values = [];
	box.append(group);
	group.addEventListener('change', (event) => onChoose(values[Number(event.target.value)]));

	function build(options) {
		values = options.map(([value]) => value);
		group.replaceChildren(...(wanted() || options.length > BUTTONS_LIMIT ? [list(options)] : buttons(options)));
	}

	function list(options) {
		return make('select', { 'aria-label': box.firstElementChild.textContent },
			...options.map(([, text], i) => make('option', { value: i }, text)));
	}

	function buttons(options) {
		return options.map(([, text], i) => make('label', {},
			make('input', { type: 'radio', name: box.id, value: i }), make('span', {}, text)));
	}

	/** Shows `options` ([[value, text]]) with `chosen` picked; does nothing where that is so. */
	function offer(options, chosen) {
		const key = `${wanted()} ${options.map(([, text]) => text).join()}`;
		if (key !== offered)
			build(options);
		offered = key;
		const i = values.indexOf(chosen);
		const select = group.querySelector('select');
		if (select)
			select.selectedIndex = i;
		else if (i >= 0)
			group.querySelectorAll('input')[i].checked = true;
	}

	return { offer };
}
