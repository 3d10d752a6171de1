// SPDX-License-Identifier: Apache-2.0
// The page: ties store, choices and views together (README.md has the way of the data). Draws at most once per animation frame.

import { createOrders, keptToken } from './orders.js';
import { createActPanel } from './draw/act.js';
import { createChoice } from './draw/choice.js';
import { createChord } from './draw/chord.js';
import { byId, make, setAttribute, setText, watchSizes } from './draw/dom.js';
import { createFilters } from './draw/filters.js';
import { createTable } from './draw/table.js';
import { createTaking } from './draw/taking.js';
import { createTalkers } from './draw/talkers.js';
import { createTheme } from './draw/theme.js';
import { createTimeline } from './draw/timeline.js';
import { createTooltip } from './draw/tooltip.js';
import { createTopology } from './draw/topology.js';
import { eventAt, eventsOf } from './events.js';
import { connectFeed } from './feed.js';
import { LEVELS, lossOf, overheadOf, vnisOf } from './figures.js';
import { amount, count, share } from './format.js';
import { healthFacts, healthWarning } from './health.js';
import { isLab } from './names.js';
import { paint } from './paint.js';
import { SPANS } from './span.js';
import * as model from './state.js';
import { indexOf, learn, newStore, newest } from './store.js';
import { STACKS, timeline as timelineOf } from './timeline.js';
import { readToken, readView, writeView } from './url.js';
import * as words from './words.js';

const store = newStore();
let view = readView(location.search);
let heard = 0; // when the newest frame came
let picture = null; // what is on the screen (paint.js)
let pointed = null; // what the pointer or the focus is on in a picture
let lit = null; // what stands out: that, or the pair of the table's row that is pointed at

const token = keptToken(readToken(location.hash), sessionStorage);
if (location.hash)
	history.replaceState(null, '', location.pathname + location.search);

// -- choices ----------------------------------------------------------------------------------------------

/** Every choice of the user comes through here. `step`: worth a step of the browser's Back. */
function choose(next, step = true) {
	view = next;
	const address = location.pathname + writeView(view, { ...model.newView(), over: model.firstSpan(store.lab) });
	if (address !== location.pathname + location.search) {
		if (step)
			history.pushState(null, '', address);
		else
			history.replaceState(null, '', address);
	}
	redraw();
}

const look = (seq) => choose({ ...view, at: seq }, false);
const chooseName = (name) => choose(model.select(view, name));

function drill(node, group) {
	const focused = chord.hasFocus();
	point(null);
	// The bracket round an opened host closes it; a band's name selects.
	if (group && view.level === 'outer')
		choose(model.toggleOpen(view, node.host));
	else if (group)
		choose(view.level === 'inner' ? model.chooseVni(view, String(node.vni)) : model.select(view, node.host));
	else
		choose(model.drillIn(view, node));
	draw();
	if (focused)
		chord.focusHost(node.host);
}

function back() {
	const next = model.drillOut(view);
	if (!next)
		return;
	const focused = chord.hasFocus();
	const host = view.open.at(-1);
	choose(next);
	draw();
	if (focused && host)
		chord.focusHost(host);
}

const orders = createOrders(token, sessionStorage);
const act = createActPanel(orders, { onFound: (client) => view.select !== client && chooseName(client) });
const tooltip = createTooltip();
const sizeOf = watchSizes(redraw);
const chord = createChord(byId('chord'), { onDrill: drill, onSelect: chooseName, onPoint: point, sizeOf });
const topology = createTopology(byId('topology'), {
	onSelect: chooseName, onVni: (vni) => choose(model.chooseVni(view, model.chosenVni(view) === vni ? 'all' : vni)), onPoint: point, sizeOf,
});
const table = createTable({
	sizeOf,
	onSort: (by) => choose(model.sortBy(view, by), false),
	onPoint: (cell) => light(cell && pairOf(cell)),
	onSelect: (cell) => cell.from.key !== 'rest' && cell.to.key !== 'rest' && chooseName(`${cell.from.key}~${cell.to.key}`),
});
const talkers = createTalkers({ onSelect: chooseName });
const filters = createFilters({
	onAdd: (filter) => choose(model.addFilter(view, filter)),
	onDrop: (filter) => choose(model.dropFilter(view, filter)),
	onSearch: (search) => choose({ ...view, search }, false),
});
const timeline = createTimeline(byId('time'), { onLook: look, sizeOf });
createTheme(byId('theme'), () => redraw());
createTaking({ picture: () => picture, rows: () => table.rows(), view: () => view, lab: () => store.lab });

const OPTIONS = {
	view: [['chord', 'Chord'], ['topology', 'Topology'], ['table', 'Table']],
	level: LEVELS.map((level) => [level, { outer: 'host', inner: 'address', client: 'client' }[level]]),
	unit: [['bytes', 'bytes'], ['packets', 'packets']],
	over: SPANS.map((span) => [span, { 3: '3\u00a0s', 10: '10\u00a0s', 60: '1\u00a0min', all: 'total' }[span]]),
	stack: STACKS.map((stack) => [stack, stack === 'vni' ? 'VNI' : stack]),
};
const narrow = matchMedia('(max-width: 560px)');
const choices = Object.fromEntries(Object.keys(OPTIONS).map((name) =>
	[name, createChoice(byId(name), (value) => choose({ ...view, [name]: value }, name === 'view'), {
		list: () => narrow.matches && ['level', 'unit', 'over'].includes(name),
	})]));
const vniChoice = createChoice(byId('vni'), (value) => choose(model.chooseVni(view, value)), { list: () => true });

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

const age = () => (heard ? (performance.now() - heard) / 1000 : 0);

function draw() {
	const condition = model.condition(store, view, age());
	picture = paint(store, view);
	drawCondition(condition);
	for (const name of Object.keys(OPTIONS))
		choices[name].offer(OPTIONS[name].filter(([value]) => value !== 'client' || !store.lab || isLab(store.lab)), view[name]);
	setAttribute(document.body, 'data-view', view.view);
	if (store.lab)
		drawLab();
	if (picture)
		drawPicture();
	drawMiddle(condition);
	measure();
}

const DRAWN = 'tunlab: sample to drawn';
let measured = 0;

/** For who looks into the browser's tools: from the moment a sample was taken to its being drawn. Needs both clocks to agree. */
function measure() {
	const frame = newest(store);
	if (!frame || frame.seq === measured || view.at !== null)
		return;
	measured = frame.seq;
	performance.clearMeasures(DRAWN);
	performance.measure(DRAWN, { start: Math.max(0, frame.time * 1000 - performance.timeOrigin), end: performance.now() });
}

function drawPicture() {
	const isChord = view.view === 'chord';
	byId('picture').hidden = view.view === 'table';
	byId('chord').style.display = isChord ? '' : 'none'; // an SVG element knows no `hidden`
	byId('lab-picture').hidden = view.view !== 'topology';
	if (isChord)
		chord.render(picture.figures, view.level);
	else if (view.view === 'topology')
		topology.render(picture.topology, store.lab, picture.mode);
	table.render(picture, view.sort, view.view === 'table');
	talkers.render(picture.talkers, { ...picture, select: view.select, lab: store.lab });
	timeline.render(timelineOf(store, { ...view, filter: picture.filter, asked: picture.asked }), {
		shown: picture.span, at: view.at, stack: view.stack, unit: view.unit, lab: store.lab, marks: eventsOf(store.lab),
	});
	light(lit);
	tooltip.show(pointed, picture);
	drawHeadline();
	drawLegend();
	drawHealth(picture.span.end);
}

function drawCondition(condition) {
	setAttribute(document.body, 'data-link', condition);
	setText(byId('link-text'), words.linkText(condition, store.lab));
	const [what, since] = words.notice(condition, age(), newest(store) !== null, !store.lab || isLab(store.lab) ? 'lab' : 'monitor');
	byId('notice').hidden = what === '';
	setText(byId('notice-what'), what);
	setText(byId('notice-since'), since);
	const live = view.at === null;
	setText(byId('live'), live ? 'Pause' : store.lab?.kind === 'capture' ? 'To the end' : 'Back to live');
	byId('live').hidden = condition === 'capture';
	setAttribute(byId('live'), 'aria-pressed', String(!live));
	const gone = !live && store.frames.length > 0 && indexOf(store, view.at) < 0;
	const happened = live || !picture ? '' : eventAt(eventsOf(store.lab), picture.span.end);
	setText(byId('moment'), !picture || live ? '' : `Looking at ${words.clock(picture.span.end.elapsed_s)}${gone ? ', the oldest in memory' : ''}`
		+ `${happened && `: ${happened}`}`);
}

function drawLab() {
	const { lab } = store;
	const title = `${lab.name} – tunlab`;
	if (document.title !== title)
		document.title = title;
	setText(byId('lab-name'), lab.name);
	setAttribute(byId('lab-name'), 'title', lab.name);
	setAttribute(byId('lab-facts'), 'title', words.labFacts(lab));
	setAttribute(document.body, 'data-kind', lab.kind);
	setText(byId('busiest-title'), isLab(lab) ? 'Busiest clients' : 'Busiest senders');
	setText(byId('lab-facts'), words.labFacts(lab));
	const vnis = vnisOf(lab, store.flows.values()).map((vni) => [String(vni ?? 'none'), String(vni ?? 'none')]);
	const chosen = model.chosenVni(view);
	vniChoice.offer(chosen === null ? [['all', 'some'], ...vnis] : [['all', 'all'], ...vnis], chosen ?? 'all');
	filters.render(view, lab);
	act.render(lab, view.select);
	drawPath();
}

/** Where the drill stands, as buttons that lead back. */
function drawPath() {
	const box = byId('path');
	const selected = view.select?.replace('~', ' ⇄ ');
	const opened = view.level === 'outer' ? view.open : [];
	const steps = opened.map((host) => [host, () => choose(model.toggleOpen(view, host)), `${host}: close`]);
	if (selected)
		steps.push([selected, () => chooseName(view.select), `${selected}: clear the selection`]);
	const key = steps.map(([text, , label]) => text + label).join();
	if (box.dataset.key === key)
		return;
	box.dataset.key = key;
	box.replaceChildren(...steps.map(([text, go, label]) => {
		const button = make('button', { type: 'button', class: 'chip step', 'aria-label': label }, text, make('span', { 'aria-hidden': 'true' }, '\u00a0×'));
		button.addEventListener('click', go);
		return button;
	}));
}

function drawHeadline() {
	const { figures, unit, mode, span } = picture;
	const { total } = figures;
	setText(byId('total'), amount(total[unit], unit, mode));
	setText(byId('total-words'), `${isLab(store.lab) ? 'sent' : 'seen'} ${words.intervalWords(span, view.at)}${span.partial ? ', with a gap' : ''}`);
	const [loss, extra] = [lossOf(total, mode === 'rate' ? span.seconds : 0), overheadOf(total)];
	setText(byId('figures-words'), [loss !== null && `${share(loss, 1)} lost`, extra !== null && `${share(extra, 1)} encapsulation`,
		picture.silent > 0 && `${picture.silent} silent`, picture.unplanned > 0 && `${picture.unplanned} not planned`,
		picture.untold > 0 && `${count(picture.untold, 'flow')} too small to be asked`].filter(Boolean).join(' · '));
}

function drawLegend() {
	const { lab } = store;
	const key = `${view.view} ${lab.name} ${lab.vnis.length}`;
	const box = byId('keys');
	if (box.dataset.key !== key) {
		box.dataset.key = key;
		box.replaceChildren(...(view.view === 'topology' ? topology.legend(lab) : []));
	}
	setText(byId('legend'), picture.figures.folded > 0 && view.view === 'chord' ? words.FOLDED : words.LEGENDS[view.view] ?? '');
	setAttribute(byId('legend'), 'title', view.view === 'topology' ? words.GAUGES : null);
}

function drawMiddle(condition) {
	const filtered = view.filters.length > 0 || view.search.trim() !== '';
	const facts = { condition, picture, lab: store.lab, filtered, canAct: act.allowed };
	const text = words.middleWords({ ...facts, view: view.view });
	table.explain(words.middleWords({ ...facts, view: 'table' }));
	byId('middle').hidden = text[0] === '';
	[...byId('middle').children].forEach((element, i) => {
		setText(element, text[i]);
		element.hidden = text[i] === '';
	});
}

/** What is told only where there is something to tell. */
const RARE = new Set(['others\'', 'fragments', 'per frame']);

function drawHealth(frame) {
	const box = byId('health');
	const facts = healthFacts(frame);
	if (box.childElementCount === 0) {
		box.append(make('b', {}, 'Monitor'), ...facts.map(([name]) =>
			make('span', { 'data-health': name }, `${name} `, make('b'))), make('em', { role: 'status' }));
	}
	facts.forEach(([name, value, title], i) => {
		const fact = box.children[i + 1];
		setText(fact.lastChild, value);
		setAttribute(fact, 'title', title);
		fact.hidden = RARE.has(name) && ['0', 'not measured'].includes(value);
	});
	const warning = healthWarning(frame);
	box.classList.toggle('amber', warning !== '');
	setText(box.lastChild, warning);
}

// -- pointing ---------------------------------------------------------------------------------------------

function pairOf({ from, to }) {
	const pair = picture?.figures.pairs.find(({ a, b }) => (a.key === from.key && b.key === to.key) || (a.key === to.key && b.key === from.key));
	return pair ? { pair: pair.key } : null;
}

function light(what) {
	lit = what;
	chord.light(what);
	table.light(what?.host || what?.client ? { arc: what.client ?? what.host } : what);
}

function point(what, x, y) {
	if (x !== undefined)
		tooltip.moveTo(x, y);
	pointed = what;
	tooltip.show(what, picture);
	light(what);
}

byId('live').addEventListener('click', () => look(view.at === null ? newest(store)?.seq ?? null : null));
addEventListener('keydown', (event) => {
	if (event.key === 'Escape' && !event.defaultPrevented && !/^(input|select|textarea)$/i.test(event.target.tagName))
		back();
	else if (event.key === '/' && !/^(input|select|textarea)$/i.test(event.target.tagName)) {
		event.preventDefault();
		byId('search').focus();
	}
});
addEventListener('popstate', () => {
	view = readView(location.search);
	redraw();
});
addEventListener('hashchange', () => {
	const given = readToken(location.hash);
	if (given) {
		history.replaceState(null, '', location.pathname + location.search);
		location.reload();
	}
});
document.addEventListener('visibilitychange', redraw);
// Age grows without any message: this is what turns the page stale.
setInterval(() => {
	if (!['live', 'past'].includes(model.condition(store, view, age())))
		redraw();
}, 1000);

connectFeed((message) => {
	const before = store.run;
	const knewLab = store.lab !== null;
	learn(store, message);
	if (message.type === 'frame' || (message.type === 'store' && newest(store)))
		heard = performance.now();
	if (before !== null && store.run !== before)
		view = { ...view, at: null };
	if (!knewLab && store.lab && !new URLSearchParams(location.search).has('over'))
		view = { ...view, over: model.firstSpan(store.lab) };
	if (message.type === 'lab')
		view = model.fitLab(view, store.lab);
	redraw();
});
redraw();
