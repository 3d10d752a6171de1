// SPDX-License-Identifier: Apache-2.0
// The page: ties the stream, the state and the views together. Draws at most once per animation frame.

import { createChoice } from './choice.js';
import { createChord } from './chord.js';
import { byId, make, setAttribute, setText } from './dom.js';
import { connectFeed } from './feed.js';
import { amount, share } from './format.js';
import { amounts, figures, vnisOf } from './matrix.js';
import { hostColour, shade } from './palette.js';
import * as model from './state.js';
import { createTable } from './table.js';
import { createTooltip } from './tooltip.js';
import * as words from './words.js';

const state = model.newState();
let picture = null; // what is on the screen: { figures, unit, mode, seconds }
let pointed = null; // what the pointer or the focus is on: { pair }, { arc } or null

const tooltip = createTooltip();
const chord = createChord(byId('chord'), { onToggle: toggleHost, onPoint: point });
const table = createTable({ onPoint: (cell) => light(cell && pairOf(cell)) });
const choices = Object.fromEntries(['vni', 'unit', 'mode'].map((name) =>
	[name, createChoice(byId(name), (value) => {
		state.view[name] = value;
		redraw();
	})]));

// -- drawing ----------------------------------------------------------------------------------------------

let scheduled = false;

/** Asks for a drawing in the next frame; a hidden tab gets none until it is looked at again. */
function redraw() {
	if (scheduled || document.hidden)
		return;
	scheduled = true;
	requestAnimationFrame(() => {
		scheduled = false;
		draw();
	});
}

function draw() {
	const condition = model.condition(state, performance.now());
	const history = model.shownHistory(state);
	picture = paint();
	drawCondition(condition);
	if (state.lab)
		drawLab();
	drawHealth(history.samples.at(-1));
	if (picture) {
		chord.render(picture.figures);
		table.render(picture);
		light(pointed);
		tooltip.show(pointed, picture);
	}
	drawHeadline(history);
	drawMiddle(condition, history);
}

/** The figures to be shown, with all that views need to know of each node. */
function paint() {
	const { lab, view } = state;
	const period = model.shownPeriod(state);
	if (!period)
		return null;
	const painted = {
		figures: figures(amounts(period), lab, view), unit: view.unit, mode: view.mode, seconds: period.seconds,
	};
	for (const node of painted.figures.nodes) {
		const place = lab.vnis.findIndex(({ vni }) => vni === node.vni);
		node.hostColour = hostColour(node.host, lab.hosts.length);
		node.colour = place < 0 ? node.hostColour : shade(node.hostColour, place / lab.vnis.length);
		node.tag = node.kind === 'inner' && node.vni !== null ? `VNI ${node.vni}` : '';
		node.says = words.nodeWords(node, painted);
	}
	return painted;
}

function drawCondition(condition) {
	setAttribute(document.body, 'data-link', condition);
	setText(byId('link-text'), words.LINK_WORDS[condition]);
	const age = model.sampleAge(state, performance.now());
	const [what, since] = words.notice(condition, age, state.history.samples.length > 0);
	byId('notice').hidden = what === '';
	setText(byId('notice-what'), what);
	setText(byId('notice-since'), since);
	setText(byId('pause'), state.frozen ? 'Resume' : 'Pause');
	setAttribute(byId('pause'), 'aria-pressed', String(state.frozen !== null));
}

function drawLab() {
	const { lab, history, view } = state;
	const title = `${lab.name} – tunlab`;
	if (document.title !== title)
		document.title = title;
	setText(byId('lab-name'), lab.name);
	setText(byId('lab-facts'), words.labFacts(lab));
	const vnis = vnisOf(lab, history.samples.at(-1)).map((vni) => [vni, vni === null ? 'none' : String(vni)]);
	choices.vni.offer([['all', 'all'], ...vnis], view.vni);
	choices.unit.offer([['bytes', 'bytes'], ['packets', 'packets']], view.unit);
	choices.mode.offer([['rate', 'rate'], ['total', 'total']], view.mode);
	drawOpened([...view.open]);
}

function drawOpened(hosts) {
	const box = byId('opened');
	const key = hosts.join();
	if (box.dataset.key === key)
		return;
	box.dataset.key = key;
	box.replaceChildren(...hosts.map((host) => {
		const button = make('button', { type: 'button', class: 'chip', 'aria-label': `Close ${host}` }, host, ' ×');
		button.addEventListener('click', () => toggleHost(host));
		return button;
	}));
}

function drawHeadline(history) {
	const total = picture?.figures.total[picture.unit] ?? 0;
	setText(byId('total'), picture ? amount(total, picture.unit, picture.mode) : '–');
	setText(byId('total-words'), picture ? words.totalWords(picture, history) : '');
	const talker = picture?.figures.talker;
	const box = byId('talker');
	box.hidden = !talker;
	if (!talker)
		return;
	const [dot, who, where, part] = box.children;
	dot.style.backgroundColor = hostColour(talker.host, state.lab.hosts.length);
	setText(who, talker.name);
	setText(where, ` on ${talker.host}${talker.vni === null ? '' : ` in VNI ${talker.vni}`} sends `);
	setText(part, share(talker.value, total));
}

function drawMiddle(condition, history) {
	const { lab, view } = state;
	const text = words.middleWords({ condition, picture, lab, view, cleared: history.base !== null });
	byId('middle').hidden = text[0] === '';
	[...byId('middle').children].forEach((element, i) => {
		setText(element, text[i]);
		element.hidden = text[i] === '';
	});
}

function drawHealth(sample) {
	if (!sample)
		return;
	const box = byId('health');
	const facts = words.healthWords(sample);
	if (box.childElementCount === 0) {
		box.append(make('b', {}, 'Monitor'), ...facts.map(([name, , title]) =>
			make('span', { title, 'data-health': name }, `${name} `, make('b'))), make('em'));
	}
	facts.forEach(([, value], i) => setText(box.children[i + 1].lastChild, value));
	const warning = words.healthWarning(sample);
	box.classList.toggle('amber', warning !== '');
	setText(box.lastChild, warning);
}

// -- what the user does -----------------------------------------------------------------------------------

function pairOf({ from, to }) {
	const pair = picture?.figures.pairs.find(({ a, b }) => (a === from && b === to) || (a === to && b === from));
	return pair ? { pair: pair.key } : null;
}

function light(what) {
	chord.light(what);
	table.light(what);
}

function point(what, x, y) {
	if (x !== undefined)
		tooltip.moveTo(x, y);
	pointed = what;
	tooltip.show(what, picture);
	light(what);
}

function toggleHost(host) {
	const focused = chord.hasFocus();
	model.toggleHost(state, host);
	point(null);
	draw();
	if (focused)
		chord.focusHost(host);
}

byId('pause').addEventListener('click', () => {
	model.togglePause(state);
	redraw();
});
byId('clear').addEventListener('click', ({ target }) => {
	model.clearTotals(state);
	redraw();
	// Rates do not show that anything happened.
	setText(target, 'Cleared');
	setTimeout(() => setText(target, 'Clear'), 1200);
});
addEventListener('keydown', (event) => {
	const last = [...state.view.open].at(-1);
	if (event.key === 'Escape' && last)
		toggleHost(last);
});
document.addEventListener('visibilitychange', redraw);
new ResizeObserver(redraw).observe(byId('stage'));
// Age grows without any message: this is what turns the page stale.
setInterval(() => {
	if (model.condition(state, performance.now()) !== 'live')
		redraw();
}, 1000);

connectFeed((message) => {
	model.learn(state, message, performance.now());
	redraw();
});
