// SPDX-License-Identifier: Apache-2.0
// Draws the time in memory: stacked rates, the span that the views show, marks where something happened. Dragging looks back.

import { amount, duration } from '../format.js';
import { hostColour, vniColour } from '../palette.js';
import { niceMost, timeStep } from '../timeline.js';
import { clock } from '../words.js';
import { eventAt } from '../events.js';
import { askSize, byId, make, setAttribute, setText, zoomOf } from './dom.js';
import { createMoments } from './moments.js';

const SVG = 'http://www.w3.org/2000/svg';
const [LEFT, RIGHT, TOP, BOTTOM] = [66, 10, 8, 18];
/** Shown at least, so that a young lab's first seconds do not race. */
const LEAST_SECONDS = 60;

function shape(tag, attributes) {
	const element = document.createElementNS(SVG, tag);
	for (const [name, value] of Object.entries(attributes))
		element.setAttribute(name, value);
	return element;
}

/** Children of `parent` made to be `n` of `tag`. */
function keep(parent, tag, n, attributes = {}) {
	while (parent.childElementCount > n)
		parent.lastChild.remove();
	while (parent.childElementCount < n)
		parent.append(shape(tag, attributes));
	return [...parent.children];
}

export function layerColour(key, stack, lab) {
	if (key === 'other')
		return hostColour(null, 0);
	if (stack === 'vni')
		return vniColour(lab.vnis.findIndex(({ vni }) => String(vni) === key));
	const host = stack === 'host' ? key : lab.clients.find(({ name }) => name === key)?.host ?? null;
	return hostColour(host, lab.hosts.length);
}

/** `onLook(seq)`: the moment the user wants to see; null: now. */
export function createTimeline(box, { onLook, leastSeconds = LEAST_SECONDS, sizeOf = askSize }) {
	const svg = box.querySelector('svg');
	const moments = createMoments(svg, { onLook });
	const parts = {};
	for (const name of ['grid', 'layers', 'marks', 'window', 'labels'])
		parts[name] = svg.appendChild(shape('g', { class: name, 'aria-hidden': 'true' }));
	const [band, handle] = [shape('rect', { class: 'band' }), shape('line', { class: 'handle' })];
	parts.window.append(band, handle);
	let drawn = null; // { times, seqs, x0, perSecond }

	function drawLayers(model, x, y, stack, lab) {
		const { times, layers } = model;
		const base = new Float64Array(times.length);
		keep(parts.layers, 'path', layers.length).forEach((path, i) => {
			const below = base.slice();
			layers[i].values.forEach((value, k) => base[k] += value);
			const up = times.map((time, k) => `${x(time).toFixed(1)},${y(base[k]).toFixed(1)}`).join('L');
			const back = times.map((time, k) => `${x(time).toFixed(1)},${y(below[k]).toFixed(1)}`).reverse().join('L');
			setAttribute(path, 'd', `M${up}L${back}Z`);
			// One client or VNI of a host beside another: the same colour, told apart by its edge.
			setAttribute(path, 'fill', layerColour(layers[i].key, stack, lab));
			setAttribute(path, 'data-layer', layers[i].key);
		});
	}

	function drawGrid(most, silent, [from, to], x, y, width, height, unit) {
		const step = timeStep(to - from, Math.max(3, width / 75));
		const ticks = [];
		for (let time = Math.max(0, Math.ceil(from / step) * step); time <= to; time += step)
			ticks.push(time);
		const lines = keep(parts.grid, 'line', 2 + ticks.length);
		const labels = keep(parts.labels, 'text', 2 + ticks.length);
		[most, most / 2].forEach((value, i) => {
			for (const [name, number] of Object.entries({ x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }))
				setAttribute(lines[i], name, Math.round(number));
			setAttribute(labels[i], 'x', LEFT - 6);
			setAttribute(labels[i], 'y', Math.round(y(value) + 4));
			setAttribute(labels[i], 'text-anchor', 'end');
			setText(labels[i], silent ? '' : amount(value, unit, 'rate'));
		});
		ticks.forEach((time, i) => {
			for (const [name, number] of Object.entries({ x1: x(time), x2: x(time), y1: height - BOTTOM, y2: height - BOTTOM + 4 }))
				setAttribute(lines[i + 2], name, Math.round(number));
			const label = labels[i + 2];
			setAttribute(label, 'x', Math.round(x(time)));
			setAttribute(label, 'y', height - 4);
			setAttribute(label, 'text-anchor', 'middle');
			setText(label, x(time) > width - 16 ? '' : clock(time));
		});
	}

	function drawMarks(marks, { times, seqs }, [from, to], x, height) {
		const seen = marks.filter(({ time }) => time >= from && time <= to);
		while (parts.marks.childElementCount > seen.length)
			parts.marks.lastChild.remove();
		while (parts.marks.childElementCount < seen.length) {
			const mark = shape('g', { class: 'event' });
			mark.append(shape('line', {}), shape('path', { d: 'M0,-5L5,0L0,5L-5,0Z' }));
			parts.marks.append(mark);
		}
		[...parts.marks.children].forEach((mark, i) => {
			const [line, diamond] = mark.children;
			const at = Math.round(x(seen[i].time)) + 0.5;
			setAttribute(mark, 'class', seen[i].failed ? 'event failed' : 'event');
			setAttribute(mark, 'data-event', seen[i].text);
			for (const [name, value] of Object.entries({ x1: at, x2: at, y1: TOP, y2: height - BOTTOM }))
				setAttribute(line, name, value);
			setAttribute(diamond, 'transform', `translate(${at},${TOP + 3})`);
		});
		moments.render(seen.map(({ time, text, failed }) => ({
			time, x: Math.round(x(time)), seq: seqs[Math.max(0, times.findIndex((one) => one >= time))],
			says: `${clock(time)} ${text}${failed ? ': failed' : ''}`,
		})));
	}

	function drawLegend(model, stack, lab) {
		const list = byId('layers');
		const key = `${stack} ${model.layers.map((layer) => layer.key).join()}`;
		if (list.dataset.key === key)
			return;
		list.dataset.key = key;
		list.replaceChildren(...model.layers.map((layer) => {
			const dot = make('i', { class: 'dot' });
			dot.style.backgroundColor = layerColour(layer.key, stack, lab);
			return make('span', { class: 'key' }, dot, stack === 'vni' && layer.key !== 'other' ? `VNI ${layer.key}` : layer.key);
		}));
	}

	/** `shown`: the span of the views; `at`: null when it follows the present. */
	function render(model, { shown, at, stack, unit, lab, marks }) {
		const { width, height } = sizeOf(svg);
		if (!model || !(width > LEFT + RIGHT))
			return;
		const to = model.times.at(-1);
		const from = Math.min(model.times[0], to - (lab.kind === 'capture' ? 1 : leastSeconds)); // a capture is all there
		const perSecond = (width - LEFT - RIGHT) / (to - from);
		const x = (time) => LEFT + (time - from) * perSecond;
		const most = niceMost(model.most);
		const y = (value) => height - BOTTOM - (height - BOTTOM - TOP) * value / most;
		drawn = { ...model, from, perSecond, at };
		setAttribute(svg, 'viewBox', `0 0 ${width} ${height}`);
		drawGrid(most, !(model.most > 0), [from, to], x, y, width, height, unit);
		drawLayers(model, x, y, stack, lab);
		drawMarks(marks, model, [from, to], x, height);
		const end = shown.end.elapsed_s;
		const start = shown.mode === 'total' ? from : end - shown.seconds;
		for (const [name, value] of Object.entries({ x: x(start), y: TOP, width: Math.max(2, x(end) - x(start)), height: height - TOP - BOTTOM }))
			setAttribute(band, name, value.toFixed(1));
		for (const [name, value] of Object.entries({ x1: x(end), x2: x(end), y1: TOP - 4, y2: height - BOTTOM }))
			setAttribute(handle, name, value.toFixed(1));
		box.classList.toggle('past', at !== null);
		box.classList.toggle('whole', shown.mode === 'total');
		setAttribute(svg, 'aria-valuemin', Math.floor(model.times[0]));
		setAttribute(svg, 'aria-valuemax', Math.floor(to));
		setAttribute(svg, 'aria-valuenow', Math.floor(end));
		const happened = eventAt(marks, shown.end);
		setAttribute(svg, 'aria-valuetext', `${at === null ? 'now' : `${clock(end)} of ${clock(to)}`}${happened && `, ${happened}`}`);
		setText(byId('memory'), lab.kind === 'capture' ? `${duration(model.seconds)} in steps of ${duration(lab.interval_s)}`
			: `${duration(model.seconds)} in memory, at most 10\u00a0min`);
		drawLegend(model, stack, lab);
	}

	/** The seq at a place; null at the very end, which is now. */
	function seqAt(clientX) {
		const time = drawn.from + ((clientX - svg.getBoundingClientRect().left) / zoomOf(svg) - LEFT) / drawn.perSecond;
		const i = drawn.times.findIndex((one) => one >= time);
		return i < 0 || i === drawn.times.length - 1 ? null : drawn.seqs[i];
	}

	function step(by) {
		const last = drawn.seqs.length - 1;
		const here = drawn.at === null ? last : drawn.seqs.findLastIndex((seq) => seq <= drawn.at);
		const i = Math.max(0, Math.min(last, here + by));
		onLook(i === last ? null : drawn.seqs[i]);
	}

	svg.addEventListener('pointerdown', (event) => {
		if (!drawn || event.button !== 0)
			return;
		svg.setPointerCapture(event.pointerId);
		onLook(seqAt(event.clientX));
	});
	svg.addEventListener('pointermove', (event) => {
		if (drawn && svg.hasPointerCapture(event.pointerId))
			onLook(seqAt(event.clientX));
	});
	svg.addEventListener('keydown', (event) => {
		const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 10, PageDown: -10, Home: -Infinity, End: Infinity };
		if (!drawn || !(event.key in steps))
			return;
		event.preventDefault();
		step(steps[event.key]);
	});

	return { render };
}
