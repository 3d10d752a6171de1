// SPDX-License-Identifier: Apache-2.0
// The strip that names the busiest clients: who, where, how much, since when. A click selects one in all views.

import { amount, share } from '../format.js';
import { hostColour } from '../palette.js';
import { sinceWords } from '../words.js';
import { byId, make, setAttribute, setText, writeStyle } from './dom.js';

/** A name of more letters may be cut off. */
const LONG = 12;

function makeItem(onSelect) {
	const button = make('button', { type: 'button' },
		make('i', { class: 'dot' }), make('b'), make('span', { class: 'where' }), make('span', { class: 'share' }),
		make('span', { class: 'rate' }), make('span', { class: 'since' }));
	button.addEventListener('click', () => onSelect(button.dataset.talker));
	return make('li', {}, button);
}

export function createTalkers({ onSelect }) {
	const list = byId('talkers');

	/** `talkers`: as from talkers.js, each with { since: { seconds, open } }. */
	function render(talkers, { unit, mode, select, lab }) {
		byId('nobody').hidden = talkers.length > 0;
		while (list.childElementCount > talkers.length)
			list.lastChild.remove();
		while (list.childElementCount < talkers.length)
			list.append(makeItem(onSelect));
		talkers.forEach(({ key, name, host, vni, value, share: part, since }, i) => {
			const button = list.children[i].firstChild;
			const [dot, who, where, portion, rate, when] = button.children;
			setAttribute(button, 'data-talker', key);
			setAttribute(button, 'aria-pressed', String(select === key));
			writeStyle(dot, 'background-color', hostColour(host, lab.hosts.length));
			writeStyle(button, '--colour', hostColour(host, lab.hosts.length));
			writeStyle(button, '--part', `${(100 * part).toFixed(1)}%`);
			setText(who, name);
			setAttribute(who, 'title', name.length > LONG ? name : null);
			setText(where, `${host}${vni === null ? '' : ` · VNI ${vni}`}`);
			setText(portion, share(part, 1));
			setText(rate, amount(value, unit, mode));
			setText(when, since ? sinceWords(since) : '');
		});
	}

	return { render };
}
