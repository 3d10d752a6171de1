// SPDX-License-Identifier: Apache-2.0
// The menu of what can be taken away, and what each of its files says.

import { formatFilter } from '../filter.js';
import { amount } from '../format.js';
import { vniColour } from '../palette.js';
import { csv } from '../rows.js';
import { intervalWords } from '../words.js';
import { byId, setAttribute, setText } from './dom.js';
import { pictureOf, pngOf, save } from './export.js';

const LEGEND_MAX = 24;
const NOTES = {
	chord: 'ribbons have their sender’s colour and point at the receiver', topology: 'lines are as thick as their traffic',
};

function aboutOf({ figures, span, unit, mode }, view, lab) {
	const nodes = view.view === 'topology' ? lab.vnis.map(({ vni }, i) => ({ colour: vniColour(i), name: `VNI ${vni}` }))
		: figures.drawn.filter(({ sent, got }) => sent + got > 0);
	return {
		title: `${lab.name}: who sends to whom`,
		time: new Date(span.end.time * 1000).toISOString().replace('T', ' ').slice(0, 19) + ' UTC',
		interval: `sent ${intervalWords(span, view.at)}`,
		total: amount(figures.total[unit], unit, mode),
		filters: [...view.filters.map(formatFilter), view.search.trim()].filter(Boolean).join(', ').replace(/^(?=.)/, 'Filters: '),
		legend: nodes.slice(0, LEGEND_MAX).map(({ colour, name }) => ({ colour, text: name })),
		note: `tunlab · ${NOTES[view.view]}`,
	};
}

/** Each argument is asked when something is taken. */
export function createTaking({ picture, rows, view, lab }) {
	const button = byId('take');
	const menu = byId('take-menu');

	function open(yes) {
		menu.hidden = !yes;
		button.setAttribute('aria-expanded', String(yes));
	}

	function say(what) {
		setAttribute(button, 'data-said', what);
		setAttribute(button, 'aria-label', what || 'Take away');
		setText(button.lastElementChild, what || 'Take away');
	}

	async function take(what) {
		const shown = picture();
		if (what === 'link')
			return navigator.clipboard.writeText(location.href);
		if (!shown)
			return undefined;
		const name = `${lab().name}-${view().view}-${Math.round(shown.span.end.elapsed_s)}s`;
		if (what === 'csv')
			return save(csv(rows(), shown), 'text/csv;charset=utf-8', `${name}.csv`);
		const drawing = pictureOf(byId(view().view === 'topology' ? 'topology' : 'chord'), aboutOf(shown, view(), lab()));
		return what === 'svg' ? save(drawing.text, 'image/svg+xml', `${name}.svg`) : save(await pngOf(drawing), 'image/png', `${name}.png`);
	}

	button.addEventListener('click', () => {
		const pictured = view().view !== 'table';
		for (const item of menu.querySelectorAll('[data-take=svg], [data-take=png]'))
			item.disabled = !pictured;
		open(menu.hidden);
	});
	menu.addEventListener('click', async (event) => {
		const what = event.target.closest('[data-take]')?.dataset.take;
		if (!what)
			return;
		open(false);
		button.focus();
		try {
			await take(what);
			say(what === 'link' ? 'Copied' : 'Saved');
		} catch {
			say('Not possible here');
		}
		setTimeout(() => say(''), 1500);
	});
	menu.parentElement.addEventListener('keydown', (event) => {
		if (event.key === 'Escape' && !menu.hidden) {
			event.preventDefault();
			open(false);
			button.focus();
		}
	});
	document.addEventListener('click', (event) => {
		if (!menu.parentElement.contains(event.target))
			open(false);
	});
}
