// SPDX-License-Identifier: Apache-2.0
// Draws the chord diagram into an SVG element and tells what was pointed at, focused and chosen. What to draw
// comes from figures() and layout(); it decides nothing about figures.

import { select } from 'd3-selection';
import { arc as arcShape } from 'd3-shape';
import { setAttribute, setText } from './dom.js';
import { layout, placeLabels, ribbonPath } from './layout.js';

const RING = 15;
const BRACKET = 4;
const GLIDE_MS = 550;
/** Measured: above this many ribbons a browser without a GPU falls below 50 frames a second. */
const GLIDE_LIMIT = 300;

const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)');

const easeInOut = (t) => (t < 0.5 ? 4 * t * t * t : 1 - (2 - 2 * t) ** 3 / 2);

/** Numbers on their way from where they are to where they belong, and how to draw them. */
class Glider {
	constructor(start, draw) {
		this.now = start;
		this.goal = null;
		this.draw = draw;
	}

	/** Sets out for `goal`; what is nearer than `near` is reached at once. */
	aim(goal, near) {
		const fresh = this.goal === null;
		if (!fresh && goal.every((value, i) => value === this.goal[i]))
			return;
		this.from = this.now;
		this.goal = goal;
		if (goal.every((value, i) => Math.abs(value - this.now[i]) < near))
			this.now = goal;
		if (fresh || this.now === goal)
			this.draw(this.now);
	}

	get moving() {
		return this.now !== this.goal;
	}

	step(t) {
		if (!this.moving)
			return;
		this.now = t >= 1 ? this.goal : this.from.map((from, i) => from + (this.goal[i] - from) * t);
		this.draw(this.now);
	}
}

/** A ribbon narrower than this many pixels has no outline: it would be nothing but outline. */
const THIN = 5;

/** Rough widths of the labels' letters in pixels; measuring each would cost a layout per label. */
const NAME_LETTER = 8;
const SMALL_LETTER = 6.8;

/** An address that fits beside the ring; the tooltip and the table have all of it. */
function shortened(address) {
	return address.length > 19 ? `${address.slice(0, 9)}…${address.slice(-9)}` : address;
}

/** Angles a host's nodes take up together, by host name. */
function hostSpans(nodes, spanOf) {
	const spans = new Map();
	for (const node of nodes) {
		const own = spanOf(node.key);
		if (!own)
			continue;
		const host = node.host ?? node.key;
		const span = spans.get(host);
		spans.set(host, span
			? { start: Math.min(span.start, own.start), end: Math.max(span.end, own.end) } : { ...own });
	}
	return spans;
}

/** Maps an angle of the new picture to where the same host was in the old one. */
function birthplace(angle, host, spans, before) {
	const to = before.get(host);
	const from = spans.get(host);
	if (!to || !from)
		return angle;
	return to.start + (angle - from.start) / (from.end - from.start || 1) * (to.end - to.start);
}

export function createChord(svg, { onToggle, onPoint }) {
	const root = select(svg);
	const layers = {};
	for (const name of ['ribbons', 'brackets', 'arcs', 'labels'])
		layers[name] = root.append('g').attr('class', name);
	const shapes = { arc: arcShape().cornerRadius(2.5), bracket: arcShape().cornerRadius(2) };
	const gliders = new Map();
	let size = { width: 0, height: 0 };
	let radius = 0;
	let drawn = { nodes: [] };
	let frame = 0;
	let lit = null;
	let places = new Map();

	// -- geometry -----------------------------------------------------------------------------------------

	function measure() {
		const { width, height } = svg.getBoundingClientRect();
		const changed = width !== size.width || height !== size.height;
		if (changed && width > 0 && height > 0) {
			size = { width, height };
			const margin = width < 560 ? 74 : 138;
			radius = Math.max(60, Math.min(width / 2 - margin, height / 2 - 26));
			shapes.arc.innerRadius(radius - RING).outerRadius(radius);
			shapes.bracket.innerRadius(radius + 5).outerRadius(radius + 5 + BRACKET);
			setAttribute(svg, 'viewBox', `${-width / 2} ${-height / 2} ${width} ${height}`);
		}
		return changed;
	}

	const drawArc = (element) => ([startAngle, endAngle]) =>
		setAttribute(element, 'd', shapes.arc({ startAngle, endAngle }));
	const drawBracket = (element) => ([startAngle, endAngle]) =>
		setAttribute(element, 'd', shapes.bracket({ startAngle, endAngle }));
	const drawRibbon = (element) => (angles) => setAttribute(element, 'd', ribbonPath(radius - RING - 2.5, angles));
	const drawLabel = (element) => ([angle, x, y, inset]) => {
		const side = Math.sign(x) || 1;
		const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
		const [near, far] = [radius + 3 + inset, radius + 12 + inset];
		setAttribute(element.firstChild, 'd',
			`M${sin * near},${-cos * near}L${sin * far},${-cos * far}L${x - side * 5},${y}`);
		setAttribute(element.lastChild, 'transform', `translate(${x},${y})`);
	};

	function glide(kind, key, element, start, goal, draw) {
		const id = `${kind} ${key}`;
		let glider = gliders.get(id);
		if (!glider || glider.element !== element) {
			glider = new Glider(start(), draw(element));
			glider.element = element;
			gliders.set(id, glider);
		}
		// Half a pixel, in the unit of what glides: radians, or pixels for labels.
		glider.aim(goal, kind === 'label' ? 0.5 : 0.5 / radius);
		glider.used = true;
	}

	// -- joins --------------------------------------------------------------------------------------------

	function joinArcs(nodes, plan, born) {
		layers.arcs.selectAll('path').data(nodes, (node) => node.key)
			.join((enter) => enter.append('path').attr('class', 'arc').attr('data-arc', (node) => node.key))
			.each(function each(node) {
				const { start, end } = plan.arcs.get(node.key);
				glide('arc', node.key, this, () => [born(start, node), born(end, node)], [start, end], drawArc);
				setAttribute(this, 'fill', node.colour);
				setAttribute(this, 'data-value', node.sent);
				this.classList.toggle('silent', !(node.sent > 0 || node.got > 0));
				const acts = node.host !== null;
				setAttribute(this, 'tabindex', 0);
				setAttribute(this, 'role', acts ? 'button' : 'img');
				setAttribute(this, 'aria-expanded', acts ? String(node.kind === 'inner') : null);
				setAttribute(this, 'aria-label', node.says);
			})
			.order();
	}

	function joinRibbons(ribbons, born) {
		layers.ribbons.selectAll('path').data(ribbons, ({ key }) => key)
			.join((enter) => enter.append('path').attr('class', 'ribbon')
				.attr('data-ribbon', ({ key }) => key).attr('data-pair', ({ pair }) => pair.key))
			.each(function each({ key, from, to, value, source, target }) {
				const goal = [source.start, source.end, target.start, target.end];
				glide('ribbon', key, this, () => [born(goal[0], from), born(goal[1], from),
					born(goal[2], to), born(goal[3], to)], goal, drawRibbon);
				setAttribute(this, 'fill', from.colour);
				setAttribute(this, 'data-value', value);
				this.classList.toggle('thin', (source.end - source.start) * radius < THIN);
			})
			.order();
	}

	function joinBrackets(nodes, plan, born) {
		const inner = nodes.filter((node) => node.kind === 'inner');
		const spans = hostSpans(inner, (key) => plan.arcs.get(key));
		const hosts = [...new Map(inner.map((node) => [node.host, node])).values()];
		layers.brackets.selectAll('path').data(hosts, (node) => node.host)
			.join((enter) => enter.append('path').attr('class', 'bracket').attr('aria-hidden', 'true')
				.attr('data-bracket', (node) => node.host))
			.each(function each(node) {
				const { start, end } = spans.get(node.host);
				glide('bracket', node.host, this, () => [born(start, node), born(end, node)], [start, end],
					drawBracket);
				setAttribute(this, 'fill', node.hostColour);
			});
	}

	function joinLabels(nodes, plan) {
		const items = nodes.map((node) => {
			const { start, end } = plan.arcs.get(node.key);
			return { key: node.key, angle: (start + end) / 2, weight: node.sent + node.got };
		});
		const sides = [0, 0];
		for (const { angle } of items)
			sides[Math.sin(angle) >= 0 ? 1 : 0]++;
		const limit = size.height / 2 - 22;
		const narrow = size.width < 560;
		const twins = (name) => nodes.filter((node) => node.name === name).length > 1;
		const twoLines = !narrow && Math.max(...sides) * 32 <= 2 * limit;
		places = placeLabels(items, { radius: radius + 20, limit, step: twoLines ? 32 : 15 }, places);
		layers.labels.selectAll('g').data(nodes.filter(({ key }) => places.has(key)), (node) => node.key)
			.join((enter) => {
				const label = enter.append('g').attr('class', 'label').attr('aria-hidden', 'true')
					.attr('data-label', (node) => node.key);
				label.append('path').attr('class', 'leader');
				const text = label.append('text');
				text.append('tspan').attr('class', 'name');
				text.append('tspan').attr('class', 'tag');
				text.append('tspan').attr('class', 'address');
				return label;
			})
			.each(function each(node) {
				const { angle, x, y, side } = places.get(node.key);
				// A bracket round an opened host's arcs pushes their leaders outwards.
				const goal = [angle, x, y, node.kind === 'inner' ? BRACKET + 3 : 0];
				glide('label', node.key, this, () => goal, goal, drawLabel);
				const text = this.lastChild;
				const [name, tag, address] = text.childNodes;
				// Where there is no room for the tag, the VNI alone tells apart what has the same name.
				const short = node.tag && twins(node.name) ? ` ${node.vni}` : '';
				const tagText = node.tag && !narrow ? ` ${node.tag}` : short;
				const room = size.width / 2 - Math.abs(x) - NAME_LETTER * node.name.length
					- SMALL_LETTER * tagText.length;
				const whole = narrow ? '' : shortened(node.address ?? '');
				const second = twoLines || SMALL_LETTER * (whole.length + 1) < room ? whole : '';
				setAttribute(text, 'text-anchor', side > 0 ? 'start' : 'end');
				setText(name, node.name);
				setText(tag, tagText);
				setText(address, twoLines || !second ? second : ` ${second}`);
				setAttribute(name, 'dy', twoLines && second ? '-0.15em' : '0.35em');
				setAttribute(address, 'x', twoLines ? 0 : null);
				setAttribute(address, 'dy', twoLines ? '1.2em' : null);
				this.classList.toggle('quiet', !(node.sent > 0 || node.got > 0));
			});
	}

	// -- motion -------------------------------------------------------------------------------------------

	function settle() {
		cancelAnimationFrame(frame);
		for (const glider of gliders.values())
			glider.step(1);
	}

	function play() {
		cancelAnimationFrame(frame);
		const began = performance.now();
		const tick = (time) => {
			const t = Math.max(0, Math.min(1, (time - began) / GLIDE_MS));
			for (const glider of gliders.values())
				glider.step(easeInOut(t));
			if (t < 1)
				frame = requestAnimationFrame(tick);
		};
		frame = requestAnimationFrame(tick);
	}

	/** Draws nodes and pairs; glides there unless it is the first picture, too much or unwanted. */
	function render({ nodes, pairs }) {
		const resized = measure();
		if (radius === 0)
			return;
		const before = hostSpans(drawn.nodes, (key) => {
			const now = gliders.get(`arc ${key}`)?.now;
			return now && { start: now[0], end: now[1] };
		});
		const plan = layout(nodes, pairs);
		const spans = hostSpans(nodes, (key) => plan.arcs.get(key));
		const born = (angle, node) => birthplace(angle, node.host ?? node.key, spans, before);
		for (const glider of gliders.values())
			glider.used = false;
		joinRibbons(plan.ribbons, born);
		joinBrackets(nodes, plan, born);
		joinArcs(nodes, plan, born);
		joinLabels(nodes, plan);
		for (const [id, glider] of gliders) {
			if (!glider.used)
				gliders.delete(id);
			else if (resized)
				glider.draw(glider.now);
		}
		// In a folded picture nodes come and go with their luck: nothing to follow with the eye.
		const still = drawn.nodes.length === 0 || resized || reducedMotion.matches || document.hidden
			|| plan.ribbons.length > GLIDE_LIMIT || nodes.some(({ kind }) => kind === 'rest');
		drawn = { nodes };
		if (still)
			settle();
		else if ([...gliders.values()].some(({ moving }) => moving))
			play();
		light(lit);
	}

	// -- pointing -----------------------------------------------------------------------------------------

	/** Emphasises one pair or one node ({ pair } or { arc }), or nothing. */
	function light(what) {
		lit = what;
		svg.classList.toggle('pointing', Boolean(what));
		layers.ribbons.selectAll('path').classed('lit', ({ pair }) => Boolean(what)
			&& (pair.key === what.pair || pair.a.key === what.arc || pair.b.key === what.arc));
	}

	function under(target) {
		const element = target.closest?.('[data-arc], [data-pair], [data-label], [data-bracket]');
		if (!element)
			return null;
		const { arc, pair, label, bracket } = element.dataset;
		if (pair)
			return { pair };
		return bracket ? { bracket } : { arc: arc ?? label };
	}

	function toggle(what) {
		const node = drawn.nodes.find(({ key }) => key === what?.arc);
		const host = what?.bracket ?? node?.host;
		if (host)
			onToggle(host);
	}

	/** Moves the focus to what replaced a host's arcs, when one of them had it. */
	function focusHost(host) {
		const node = drawn.nodes.find((one) => one.host === host);
		if (node)
			svg.querySelector(`[data-arc="${CSS.escape(node.key)}"]`)?.focus();
	}

	svg.addEventListener('pointermove', (event) => onPoint(under(event.target), event.clientX, event.clientY));
	svg.addEventListener('pointerleave', () => onPoint(null));
	svg.addEventListener('click', (event) => toggle(under(event.target)));
	svg.addEventListener('keydown', (event) => {
		if (event.key !== 'Enter' && event.key !== ' ')
			return;
		event.preventDefault();
		toggle(under(event.target));
	});
	svg.addEventListener('focusin', (event) => {
		const what = under(event.target);
		if (!event.target.matches(':focus-visible'))
			return;
		const box = event.target.getBoundingClientRect();
		onPoint(what, box.x + box.width / 2, box.y + box.height / 2);
	});
	svg.addEventListener('focusout', () => onPoint(null));

	return { render, light, focusHost, hasFocus: () => svg.contains(document.activeElement) };
}
