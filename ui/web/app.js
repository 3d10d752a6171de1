// SPDX-License-Identifier: Apache-2.0
// The page: one state, changed by samples and by the user, drawn at most once per animation frame.

import { createChord } from './chord.js';
import { byId, make, setAttribute, setText } from './dom.js';
import { connectFeed } from './feed.js';
import { amount, count, duration, encapName, grouped, share } from './format.js';
import { NOTHING, clear, period, remember } from './history.js';
import { amounts, figures, vnisOf } from './matrix.js';
import { hostColour, shade } from './palette.js';
import { createTable } from './table.js';
import { createTooltip } from './tooltip.js';

/** Without a sample for this long, or three intervals, what is shown is old. */
const STALE_S = 3;

const state = {
	link: 'connecting',
	lab: null,
	history: NOTHING,
	frozen: null, // the history as it was when the user paused
	heard: 0, // when the newest sample came, performance.now()
	view: { vni: 'all', unit: 'bytes', mode: 'rate', open: new Set() },
	pointed: null,
};
let picture = null; // what is on the screen: { figures, unit, mode, seconds }

// -- what comes in ----------------------------------------------------------------------------------------

function onMessage(message) {
	if (message.type === 'lab')
		learnLab(message.lab);
	else if (message.type === 'link')
		state.link = message.state;
	else
		learnSample(message.sample);
	redraw();
}

function learnLab(answer) {
	const lab = { name: '', hosts: [], vnis: [], clients: [], ...answer };
	if (state.lab && state.lab.name !== lab.name)
		startOver();
	state.lab = lab;
}

function learnSample(sample) {
	const history = remember(state.history, sample);
	const restarted = state.history.samples.length > 0 && history.samples.length === 1;
	if (restarted)
		startOver();
	state.history = history;
	state.heard = performance.now();
}

/** Another lab: nothing of the old one may mix with it. */
function startOver() {
	state.history = NOTHING;
	state.frozen = null;
	state.view.open.clear();
	state.view.vni = 'all';
}

function sampleAge() {
	return state.history.samples.length ? (performance.now() - state.heard) / 1000 : 0;
}

/** What the user has to know first: the connection's state, or that the figures are old or held. */
function condition() {
	if (state.link !== 'live')
		return state.link;
	const interval = state.history.samples.at(-1)?.interval_s ?? 1;
	if (sampleAge() > Math.max(STALE_S, 3 * interval))
		return 'stale';
	return state.frozen ? 'paused' : 'live';
}

// -- words ------------------------------------------------------------------------------------------------

const LINK_WORDS = {
	connecting: 'Connecting', live: 'Live', paused: 'Paused', stale: 'Stale', lost: 'Disconnected',
	full: 'Waiting for a place', ended: 'Lab ended',
};

function notice(now) {
	const age = duration(sampleAge());
	const shown = state.history.samples.length ? ` What you see is ${age} old.` : '';
	switch (now) {
	case 'stale': return `No sample for ${age}. The lab is connected but silent.`;
	case 'lost': return `The lab does not answer; trying again.${shown}`;
	case 'full': return `The lab serves as many pages as it can; trying again.${shown}`;
	case 'ended': return 'The lab has ended. These are its last figures.';
	default: return '';
	}
}

function labFacts(lab) {
	const encap = lab.encap ? `${encapName(lab.encap)} over ${lab.underlay}` : '';
	return [count(lab.hosts.length, 'host'), count(lab.clients.length, 'client'), count(lab.vnis.length, 'VNI'), encap]
		.filter(Boolean).join(' · ');
}

/** Gives each node its colour, its second line and its sentence for who cannot see it. */
function decorate(figures, lab, { unit, mode }) {
	for (const node of figures.nodes) {
		const vnis = lab.vnis.length || 1;
		const place = lab.vnis.findIndex(({ vni }) => vni === node.vni);
		node.hostColour = hostColour(node.host, lab.hosts.length);
		node.colour = node.kind === 'inner' ? shade(node.hostColour, Math.max(0, place) / vnis) : node.hostColour;
		node.tag = node.kind === 'inner' && node.vni !== null ? `VNI ${node.vni}` : '';
		node.label = [node.address, node.tag].filter(Boolean).join(' · ');
		const sends = `sends ${amount(node.sent, unit, mode)}, ${share(node.sent, figures.total[unit])} of all`;
		const does = node.kind === 'host' ? '. Enter shows its inner addresses.'
			: node.kind === 'inner' ? `. Enter closes ${node.host}.` : '.';
		node.says = `${node.name}, ${node.label || node.kind}: ${sends}; is sent ${amount(node.got, unit, mode)}${does}`;
	}
	return figures;
}

// -- drawing ----------------------------------------------------------------------------------------------

const tooltip = createTooltip();
const chord = createChord(byId('chord'), { onToggle: toggleHost, onPoint: point });
const table = createTable({ onPoint: (cell) => light(cell && pairOf(cell)) });

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
	const now = condition();
	drawLink(now);
	if (state.lab)
		drawLab();
	const { lab, view } = state;
	const history = state.frozen ?? state.history;
	const span = lab && period(history, view.mode);
	drawHealth(history.samples.at(-1));
	if (span) {
		const drawn = decorate(figures(amounts(span), lab, view), lab, view);
		picture = { figures: drawn, unit: view.unit, mode: view.mode, seconds: span.seconds };
		chord.render(drawn);
		table.render(picture);
		light(state.pointed);
	} else {
		picture = null;
	}
	drawHeadline(history);
	drawMiddle(now);
}

function drawLink(now) {
	setAttribute(document.body, 'data-link', now);
	setText(byId('link-text'), LINK_WORDS[now]);
	const text = notice(now);
	byId('notice').hidden = text === '';
	setText(byId('notice'), text);
	setText(byId('pause'), state.frozen ? 'Resume' : 'Pause');
	setAttribute(byId('pause'), 'aria-pressed', String(state.frozen !== null));
}

function drawLab() {
	const { lab, history, view } = state;
	setText(byId('lab-name'), lab.name);
	setText(byId('lab-facts'), labFacts(lab));
	const title = `${lab.name} – tunlab`;
	if (document.title !== title)
		document.title = title;
	const vnis = vnisOf(lab, history.samples.at(-1));
	vni.offer([['all', 'all'], ...vnis.map((value) => [value, value === null ? 'none' : String(value)])], view.vni);
	unit.offer([['bytes', 'bytes'], ['packets', 'packets']], view.unit);
	mode.offer([['rate', 'rate'], ['total', 'total']], view.mode);
	drawOpened();
}

function drawOpened() {
	const opened = [...state.view.open];
	const key = opened.join();
	const box = byId('opened');
	if (box.dataset.key === key)
		return;
	box.dataset.key = key;
	box.replaceChildren(...opened.map((host) => {
		const button = make('button', { type: 'button', class: 'chip', 'aria-label': `Close ${host}` }, host, ' ×');
		button.addEventListener('click', () => toggleHost(host));
		return button;
	}));
}

function drawHeadline(history) {
	const total = picture ? picture.figures.total[picture.unit] : 0;
	setText(byId('total'), picture ? amount(total, picture.unit, picture.mode) : '–');
	setText(byId('total-words'), !picture ? '' : picture.mode === 'rate'
		? `sent, over the last ${picture.seconds.toFixed(1)}\u00a0s`
		: `sent since ${history.base ? 'cleared' : 'the lab began'}, ${duration(
			history.samples.at(-1).elapsed_s - (history.base?.elapsed_s ?? 0))} ago`);
	const talker = total > 0 ? picture.figures.talker : null;
	byId('talker').replaceChildren(...(talker ? talkerWords(talker, total) : []));
}

function talkerWords(talker, total) {
	const dot = make('i', { class: 'dot' });
	dot.style.backgroundColor = hostColour(talker.host, state.lab.hosts.length);
	const who = make('b', {}, talker.name);
	const vniWords = talker.vni === null ? '' : ` in VNI ${talker.vni}`;
	return [dot, who, ` on ${talker.host}${vniWords} sends `, make('b', {}, share(talker.value, total)), ' of it'];
}

/** The words inside the ring while there is nothing to draw. */
function drawMiddle(now) {
	const [strong, p, code] = byId('middle').children;
	const say = (title, text = '', command = '') => {
		byId('middle').hidden = title === '';
		setText(strong, title);
		setText(p, text);
		setText(code, command);
		code.hidden = command === '';
	};
	byId('picture').classList.toggle('idle', !picture || picture.figures.total.packets === 0);
	if (!picture && now === 'lost')
		say('No lab', 'Nothing answers at this address. Start one:', 'sudo tunlab run');
	else if (!picture)
		say(now === 'ended' ? 'The lab has ended' : 'Measuring…');
	else if (picture.figures.total.packets > 0 || now === 'ended')
		say('');
	else if (state.view.mode === 'total' && (state.frozen ?? state.history).base)
		say('Nothing since cleared');
	else
		sayIdle(say);
}

function sayIdle(say) {
	const { clients } = state.lab;
	const where = state.view.vni === 'all' ? '' : ` in VNI ${state.view.vni ?? 'none'}`;
	const client = clients.find(({ vni }) => vni === state.view.vni) ?? clients[3] ?? clients.at(-1);
	if (client)
		say(`No traffic${where}`, 'Make some from another terminal:', `tunlab traffic --client ${client.id} --rate 500pps`);
	else
		say(`No tunnelled traffic${where}`);
}

function drawHealth(sample) {
	if (!sample)
		return;
	const { monitor, other } = sample;
	const figures = [
		['seen', grouped(monitor.seen), 'frames the monitor was given'],
		['flows', `${grouped(monitor.flows)} of ${grouped(monitor.capacity)}`, 'flow table in use'],
		['not tunnelled', grouped(other?.packets ?? 0), 'frames that were no tunnel packets'],
		['lost', grouped(monitor.lost), 'frames not counted because the flow table was full'],
		['truncated', grouped(monitor.truncated), 'frames too short to read'],
		['unknown', grouped(monitor.unknown), 'tunnel packets of a kind not understood'],
	];
	const box = byId('health');
	if (box.childElementCount === 0) {
		box.append(make('b', {}, 'Monitor'), ...figures.map(([name, , title]) =>
			make('span', { title, 'data-health': name }, `${name} `, make('b'))), make('em'));
	}
	figures.forEach(([, value], i) => setText(box.children[i + 1].lastChild, value));
	box.classList.toggle('amber', monitor.lost > 0);
	setText(box.lastChild, monitor.lost > 0
		? 'Some frames were not counted: the flow table is full. Figures are too low.' : '');
}

// -- pointing and choosing --------------------------------------------------------------------------------

function pairOf(cell) {
	const pair = picture?.figures.pairs.find(({ a, b }) =>
		(a === cell.from && b === cell.to) || (a === cell.to && b === cell.from));
	return pair ? { pair: pair.key } : null;
}

function light(what) {
	chord.light(what);
	table.light(what);
}

function point(what, x, y) {
	if (x !== undefined)
		tooltip.moveTo(x, y);
	state.pointed = what;
	tooltip.show(what, picture);
	light(what);
}

function toggleHost(host) {
	const { open } = state.view;
	const focused = chord.hasFocus();
	if (!open.delete(host))
		open.add(host);
	point(null);
	draw();
	if (focused)
		chord.focusHost(host);
}

/** A choice of one among few (buttons) or many (a list); writes `state.view[name]`. */
function createChoice(name) {
	const box = byId(name);
	const group = make('div', { class: 'options' });
	let offered = '';
	let values = [];
	box.append(group);
	group.addEventListener('change', (event) => {
		state.view[name] = values[Number(event.target.value)];
		redraw();
	});

	function build(options) {
		values = options.map(([value]) => value);
		if (options.length > 8) {
			group.replaceChildren(make('select', { 'aria-label': box.firstElementChild.textContent },
				...options.map(([, text], i) => make('option', { value: i }, text))));
			return;
		}
		group.replaceChildren(...options.map(([, text], i) => make('label', {},
			make('input', { type: 'radio', name, value: i }), make('span', {}, text))));
	}

	return {
		offer(options, chosen) {
			const key = options.map(([, text]) => text).join();
			if (key !== offered)
				build(options);
			offered = key;
			const i = values.indexOf(chosen);
			const select = group.querySelector('select');
			if (select)
				select.selectedIndex = i;
			else
				group.querySelectorAll('input')[i].checked = true;
		},
	};
}

const vni = createChoice('vni');
const unit = createChoice('unit');
const mode = createChoice('mode');

byId('pause').addEventListener('click', () => {
	state.frozen = state.frozen ? null : state.history;
	redraw();
});
byId('clear').addEventListener('click', () => {
	state.history = clear(state.history);
	if (state.frozen)
		state.frozen = clear(state.frozen);
	redraw();
});
addEventListener('keydown', (event) => {
	if (event.key === 'Escape' && state.view.open.size > 0)
		toggleHost([...state.view.open].at(-1));
});
document.addEventListener('visibilitychange', redraw);
new ResizeObserver(redraw).observe(byId('stage'));
// The age of the newest sample grows without any message.
setInterval(() => {
	if (condition() !== 'live')
		redraw();
}, 1000);

connectFeed(onMessage);
