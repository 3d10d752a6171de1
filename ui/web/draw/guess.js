// SPDX-License-Identifier: Apache-2.0
// The riddle of a lab where somebody is noisy in secret: who is it? Shown only where the lab says that it has one.

import { guessWords } from '../words.js';
import { byId } from './dom.js';

/** `say(text, failed)` and `fail(error)` tell the user, `open()` shows the panel, `onFound(client)` is called with who it was. */
export function createGuess(orders, { say, fail, open, onFound }) {
	const form = byId('act-guess');
	const button = byId('riddle');

	form.addEventListener('submit', async (event) => {
		event.preventDefault();
		try {
			const answer = await orders.guess(form.elements.who.value.trim());
			say(guessWords(answer), !answer.right);
			if (answer.right)
				onFound(answer.client);
		} catch (error) {
			fail(error);
		}
	});
	button.addEventListener('click', () => {
		open();
		if (orders.token)
			form.elements.who.focus();
	});

	return {
		/** `selected`: a client that is offered as the answer. */
		render(lab, selected) {
			button.hidden = form.hidden = !lab.secret;
			if (lab.clients.some(({ name }) => name === selected) && form.dataset.selected !== selected)
				form.elements.who.value = form.dataset.selected = selected;
		},
	};
}
