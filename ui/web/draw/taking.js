// SPDX-License-Identifier: Apache-2.0
// The menu of what can be taken away, and what each of its files says.

import { formatFilter } from '../filter.js';
import { lossOf } from '../figures.js';
import { amount, count, share } from '../format.js';
import { isLab } from '../names.js';
import { vniColour } from '../palette.js';
import { csv } from '../rows.js';
import { intervalWords } from '../words.js';
import { byId, setAttribute, setText } from './dom.js';
import { pictureOf, pictureOfTable, pngOf, save } from './export.js';

const LEGEND_MAX = 24;
const ROWS_MAX = 40;
const NOTES = {
	chord: 'ribbons have their sender’s colour and point at the receiver', topology: 'lines are as thick as their traffic',
	table: 'the loss is that between the two hosts',
};
/** Columns of the table's picture: what they say, where they stand, how they are set. */
const COLUMNS = [['From', 0, 'start'], ['To', 0.27, 'start'], ['Sent', 0.68, 'end'], ['Share', 0.78, 'end'], ['Received', 0.9, 'end'], ['Loss', 1, 'end']];

/** What the timeline's colours mean, where the picture's own legend does not say so. */
function layersBeside(legend) {
	const said = new Set(legend.map(({ text }) => text));
	return [...document.querySelectorAll('#layers .key')].map((key) => ({ text: key.textContent, colour: getComputedStyle(key.firstChild).backgroundColor }))
		.filter(({ text }) => !said.has(text));
}

function tableOf(cells, { figures, unit, mode, seconds }, width) {
	const end = ({ name, address, colour }) => ({ text: [name, address].filter(Boolean).join('  '), colour });
	const rows = cells.slice(0, ROWS_MAX).map((cell) => {
		const loss = lossOf(cell, mode === 'rate' ? seconds : 0);
		return [end(cell.from), end(cell.to), { text: amount(cell[unit], unit, mode) }, { text: share(cell[unit], figures.total[unit]) },
			{ text: cell.received ? amount(cell.received[unit], unit, mode) : '–' }, { text: loss === null ? '–' : share(loss, 1) }];
	});
	const more = cells.length - rows.length;
	return pictureOfTable(COLUMNS, rows, more > 0 ? `and ${count(more, 'more row')}: the CSV has all` : '', width);
}

function aboutOf({ figures, span, unit, mode }, view, lab) {
	const nodes = view.view === 'topology' ? lab.vnis.map(({ vni }, i) => ({ colour: vniColour(i), name: `VNI ${vni}` }))
		: view.view === 'chord' ? figures.drawn.filter(({ sent, got }) => sent + got > 0) : [];
	const legend = nodes.slice(0, LEGEND_MAX).map(({ colour, name }) => ({ colour, text: name }));
	return {
		title: `${lab.name}: who sends to whom`,
		time: new Date(span.end.time * 1000).toISOString().replace('T', ' ').slice(0, 19) + ' UTC',
		interval: `${isLab(lab) ? 'sent' : 'seen'} ${intervalWords(span, view.at)}`,
		total: amount(figures.total[unit], unit, mode),
		filters: [[...view.filters.map(formatFilter), view.search.trim()].filter(Boolean).join(', ').replace(/^(?=.)/, 'Filters: '),
			view.select && `Selected: ${view.select.replace('~', ' ⇄ ')}`].filter(Boolean).join(' · '),
		legend: [...legend, ...layersBeside(legend)],
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
		const drawing = pictureOf([view().view === 'table' ? tableOf(rows(), shown, byId('figures').clientWidth) : byId(view().view), byId('timeline')],
			aboutOf(shown, view(), lab()));
		return what === 'svg' ? save(drawing.text, 'image/svg+xml', `${name}.svg`) : save(await pngOf(drawing), 'image/png', `${name}.png`);
	}

	button.addEventListener('click', () => open(menu.hidden));
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
