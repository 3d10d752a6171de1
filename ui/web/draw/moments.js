// SPDX-License-Identifier: Apache-2.0
// What happened, as buttons over the timeline's marks: a slider's own parts are nothing to who cannot see them. One stop of the Tab
// key; arrow keys lead from one to the next, Enter looks at that moment.

import { make, setAttribute, writeStyle } from './dom.js';

/** `beside`: the timeline's picture. `onLook(seq)`: the moment the user wants to see. */
export function createMoments(beside, { onLook }) {
	const box = make('div', { class: 'moments', role: 'group', 'aria-label': 'What happened' });
	beside.before(box);

	let last = null; // that had the focus

	/** Tab reaches where the focus was last, else the newest. */
	function settle() {
		const stop = last?.isConnected ? last : box.lastElementChild;
		for (const button of box.children)
			setAttribute(button, 'tabindex', button === stop ? 0 : -1);
	}

	/** Those that left memory go, which are the oldest, so that the others keep their buttons. */
	function drop(moments) {
		while (box.firstChild && !(box.firstChild.time >= moments[0]?.time))
			box.firstChild.remove();
		while (box.childElementCount > moments.length)
			box.lastChild.remove();
	}

	/** `moments`: [{ time, x, seq, says }] in order of time, x in the picture's pixels. */
	function render(moments) {
		const focused = box.contains(document.activeElement);
		drop(moments);
		while (box.childElementCount < moments.length)
			box.append(make('button', { type: 'button', tabindex: -1 }));
		moments.forEach(({ time, x, seq, says }, i) => {
			const button = box.children[i];
			button.time = time;
			button.seq = seq;
			setAttribute(button, 'aria-label', says);
			setAttribute(button, 'title', says);
			writeStyle(button, 'left', `${x}px`);
		});
		box.hidden = moments.length === 0;
		settle();
		if (focused && !box.contains(document.activeElement))
			(box.firstChild ?? beside).focus({ preventScroll: true });
	}

	box.addEventListener('click', ({ target }) => target.seq !== undefined && onLook(target.seq));
	box.addEventListener('focusin', ({ target }) => {
		last = target;
		settle();
	});
	box.addEventListener('keydown', (event) => {
		const all = [...box.children];
		const here = all.indexOf(event.target);
		const to = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: all.length - 1 }[event.key];
		if (to === undefined || here < 0)
			return;
		event.preventDefault();
		all[Math.max(0, Math.min(all.length - 1, to))].focus();
	});

	return { render };
}
