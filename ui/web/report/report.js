// SPDX-License-Identifier: Apache-2.0
// The report's picture and timeline: the page's own modules over what the page would have been told, which stands in the file. The
// whole run is shown until a moment is chosen. Verdict, checks and tables are HTML already and need none of this.

import { createChoice } from '../draw/choice.js';
import { createChord } from '../draw/chord.js';
import { byId, make, setText } from '../draw/dom.js';
import { createTheme } from '../draw/theme.js';
import { createTimeline } from '../draw/timeline.js';
import { createTooltip } from '../draw/tooltip.js';
import { eventsOf } from '../events.js';
import { LEVELS } from '../figures.js';
import { amount, duration, grouped } from '../format.js';
import { paint } from '../paint.js';
import * as model from '../state.js';
import { learn, memory, newStore, newest } from '../store.js';
import { STACKS, timeline as timelineOf } from '../timeline.js';
import { intervalWords } from '../words.js';

/** Seconds around a chosen moment. */
const MOMENT = 3;

const data = JSON.parse(byId('data').textContent);
const store = newStore();
store.link = 'ended';
if (data) {
	learn(store, { type: 'lab', lab: data.lab });
	learn(store, { type: 'base', base: data.base });
	for (const frame of data.frames)
		learn(store, { type: 'frame', frame });
}

let view = { ...model.newView(), over: 'all' };
let picture = null;
let pointed = null;
let scheduled = false;

function redraw() {
	if (scheduled)
		return;
	scheduled = true;
	requestAnimationFrame(() => {
		scheduled = false;
		draw();
	});
}

function choose(next) {
	view = next;
	redraw();
}

function point(what, x, y) {
	if (x !== undefined)
		tooltip.moveTo(x, y);
	pointed = what;
	tooltip.show(what, picture);
	chord.light(what);
}

function drill(node, group) {
	point(null);
	if (group)
		choose(view.level === 'outer' ? model.toggleOpen(view, node.host) : view);
	else
		choose(model.drillIn(view, node));
}

function back() {
	const next = model.drillOut(view);
	if (next)
		choose(next);
}

const look = (seq) => choose({ ...view, at: seq ?? newest(store).seq, over: MOMENT });
const lookAtAll = () => choose({ ...view, at: null, over: 'all' });

const tooltip = createTooltip();
const chord = createChord(byId('chord'), { onDrill: drill, onSelect: (name) => choose(model.select(view, name)), onPoint: point });
const timeline = createTimeline(byId('time'), { onLook: look, leastSeconds: 1 });
const OPTIONS = {
	level: LEVELS.map((level) => [level, { outer: 'host', inner: 'address', client: 'client' }[level]]),
	unit: [['bytes', 'bytes'], ['packets', 'packets']],
	stack: STACKS.map((stack) => [stack, stack === 'vni' ? 'VNI' : stack]),
};
const choices = Object.fromEntries(Object.keys(OPTIONS).map((name) =>
	[name, createChoice(byId(name), (value) => choose({ ...view, [name]: value }))]));

/** What was opened or chosen, as buttons that lead back. */
function drawPath() {
	const steps = [...(view.level === 'outer' ? view.open : []), ...view.filters.map(({ field, value }) => `${field} ${value}`),
		view.select?.replace('~', ' ⇄ ')].filter(Boolean);
	const box = byId('path');
	if (box.dataset.key === steps.join())
		return;
	box.dataset.key = steps.join();
	const last = steps.at(-1);
	box.replaceChildren(...last ? [make('button', { type: 'button', class: 'chip step', 'aria-label': `${last}: back` }, last,
		make('span', { 'aria-hidden': 'true' }, '\u00a0×'))] : []);
	box.firstChild?.addEventListener('click', back);
}

function draw() {
	picture = paint(store, view);
	for (const name of Object.keys(OPTIONS))
		choices[name].offer(OPTIONS[name], view[name]);
	chord.render(picture.figures, view.level);
	timeline.render(timelineOf(store, { ...view, filter: picture.filter, asked: picture.asked }), {
		shown: picture.span, at: view.at, stack: view.stack, unit: view.unit, lab: store.lab, marks: eventsOf(store.lab),
	});
	chord.light(pointed);
	drawPath();
	setText(byId('total'), amount(picture.figures.total[view.unit], view.unit, picture.mode));
	setText(byId('total-words'), `sent ${view.at === null ? 'in the whole run' : intervalWords(picture.span, view.at)}`);
	setText(byId('moment'), view.at === null ? '' : intervalWords(picture.span, view.at));
	byId('live').hidden = view.at === null;
	const [kept, all] = [memory(store), newest(store).elapsed_s];
	setText(byId('memory'), kept < all - 1.5 ? `the last ${duration(kept)} of ${duration(all)}` : `${all.toFixed(1)}\u00a0s`);
}

/** On paper all is light, and nothing moves. */
function print(printing) {
	document.documentElement.classList.toggle('printing', printing);
	draw();
}

createTheme(byId('theme'), redraw);
byId('theme').hidden = false;
const silent = store.lab && newest(store) && !(newest(store).total[0] > 0);
if (!store.lab || !newest(store)) {
	setText(byId('middle').firstElementChild, 'There are no figures of this run.');
} else {
	byId('middle').hidden = !silent;
	setText(byId('middle').firstElementChild, 'No tunnelled traffic.');
	for (const element of document.querySelectorAll('#time, .how'))
		element.hidden = silent;
	byId('live').addEventListener('click', lookAtAll);
	addEventListener('keydown', (event) => event.key === 'Escape' && !event.defaultPrevented && back());
	addEventListener('beforeprint', () => print(true));
	addEventListener('afterprint', () => print(false));
	if (data.flows > store.flows.size)
		setText(byId('folded'), `Of ${grouped(data.flows)} flows the ${grouped(store.flows.size)} largest are told apart; the others are “rest”.`);
	new ResizeObserver(redraw).observe(byId('stage'));
	draw();
}
