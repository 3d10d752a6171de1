// SPDX-License-Identifier: Apache-2.0
// Draws the chord diagram into an SVG element and tells what was pointed at, focused and chosen. What to draw comes from figures()
// and layout(); it decides nothing about figures.

import { select } from 'd3-selection';
import { arc as arcShape } from 'd3-shape';
import { cut } from '../format.js';
import { layout, placeLabels, ribbonPath } from '../layout.js';
import { askSize, setAttribute, setText } from './dom.js';
import { createGliders } from './glide.js';
import { createRover } from './rove.js';

const RING = 15;
/** A group's bracket: thin where arcs say their group themselves, a band with its name where they do not. */
const BRACKET = 4;
const BAND = 15;
/** Measured: above this many ribbons a browser without a GPU falls below 50 frames a second. */
const GLIDE_LIMIT = 300;
/** A ribbon narrower than this many pixels has no outline: it would be nothing but outline. */
const THIN = 5;
const MARKS_MAX = 24;

/** Rough widths of a label's letters as parts of its size; measuring each would cost a layout per label. */
const NAME_LETTER = 0.62;
const SMALL_LETTER = 0.53;
/** So wide that a name of these surely fits. */
const WIDE_LETTER = 0.68;
/** Below this width of the picture labels are names alone. */
const NARROW = 560;

const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)');

/** An address that fits beside the ring; the tooltip and the table have all of it. */
function shortened(address) {
	return address.length > 19 ? `${address.slice(0, 9)}…${address.slice(-9)}` : address;
}

/** A name as a label has room for it: a group of hosts goes by its numbers where that is little. */
const labelOf = ({ kind, name }, narrow) => (kind === 'group' && narrow ? name.replace(/^host/, '') : name);

/** Angles a group's nodes take up together: Map group -> { start, end }. */
function spansOf(nodes, groupOf, spanOf) {
	const spans = new Map();
	for (const node of nodes) {
		const own = spanOf(node.key);
		const group = groupOf(node);
		if (!own || group === null)
			continue;
		const span = spans.get(group);
		spans.set(group, span
			? { start: Math.min(span.start, own.start), end: Math.max(span.end, own.end) } : { ...own });
	}
	return spans;
}

const hostOf = (node) => node.host ?? node.key;

/** Maps an angle of the new picture to where the same host was in the old one. */
function birthplace(angle, host, spans, before) {
	const to = before.get(host);
	const from = spans.get(host);
	if (!to || !from)
		return angle;
	return to.start + (angle - from.start) / (from.end - from.start || 1) * (to.end - to.start);
}

export function createChord(svg, { onDrill, onSelect, onPoint, sizeOf = askSize }) {
	const root = select(svg);
	const layers = {};
	for (const name of ['ribbons', 'marks', 'brackets', 'arcs', 'labels'])
		layers[name] = root.append('g').attr('class', name);
	const shapes = { arc: arcShape().cornerRadius(2.5), bracket: arcShape().cornerRadius(2) };
	const gliders = createGliders();
	let size = { width: 0, height: 0, band: null, letters: 0 };
	let radius = 0;
	let drawn = { nodes: [], ribbons: [] };
	let places = new Map();

	// -- geometry -----------------------------------------------------------------------------------------

	/** `letters`: of the longest name. */
	function measure(band, letters) {
		const { width, height } = sizeOf(svg);
		const changed = width !== size.width || height !== size.height || band !== size.band || letters !== size.letters;
		if (changed && width > 0 && height > 0) {
			const letter = parseFloat(getComputedStyle(svg).getPropertyValue('--letter'));
			size = { width, height, band, letters, letter };
			const margin = width < NARROW ? Math.min(0.33 * width, NAME_LETTER * letter * letters + 28) : 10.6 * letter;
			const over = band ? BAND + 8 : BRACKET + 8;
			radius = Math.max(60, Math.min(width / 2 - margin, height / 2 - 16 - over));
			shapes.arc.innerRadius(radius - RING).outerRadius(radius);
			shapes.bracket.innerRadius(radius + 5).outerRadius(radius + 5 + (band ? BAND : BRACKET));
			setAttribute(svg, 'viewBox', `${-width / 2} ${-height / 2} ${width} ${height}`);
		}
		return changed;
	}

	const drawArc = (element) => ([startAngle, endAngle]) =>
		setAttribute(element, 'd', shapes.arc({ startAngle, endAngle }));
	const drawBracket = (element) => ([startAngle, endAngle]) =>
		setAttribute(element.firstChild, 'd', shapes.bracket({ startAngle, endAngle }));
	const drawRibbon = (element) => (angles) => setAttribute(element, 'd', ribbonPath(radius - RING - 2.5, angles));
	const drawMark = (element) => ([angle]) => setAttribute(element, 'transform',
		`translate(${Math.sin(angle) * (radius - RING - 16)},${-Math.cos(angle) * (radius - RING - 16)})`);
	const drawLabel = (element) => ([angle, x, y, inset]) => {
		const side = Math.sign(x) || 1;
		const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
		const [near, far] = [radius + 3 + inset, radius + 12 + inset];
		setAttribute(element.firstChild, 'd',
			`M${sin * near},${-cos * near}L${sin * far},${-cos * far}L${x - side * 5},${y}`);
		setAttribute(element.lastChild, 'transform', `translate(${x},${y})`);
	};

	/** Half a pixel is no way to go, in the unit of what glides: radians, or pixels for labels. */
	const glide = (id, element, start, goal, draw, { near = 0.5 / radius, far = Infinity } = {}) =>
		gliders.aim(id, element, { start, goal, near, far, draw });

	// -- joins --------------------------------------------------------------------------------------------

	function joinArcs(nodes, plan, born) {
		layers.arcs.selectAll('path').data(nodes, (node) => node.key)
			.join((enter) => enter.append('path').attr('class', 'arc').attr('tabindex', -1)
				.attr('data-arc', (node) => node.key).attr('data-key', (node) => `arc ${node.key}`))
			.each(function each(node) {
				const { start, end } = plan.arcs.get(node.key);
				glide(`arc ${node.key}`, this, () => [born(start, node), born(end, node)], [start, end], drawArc(this));
				setAttribute(this, 'fill', node.colour);
				setAttribute(this, 'data-value', node.sent);
				this.classList.toggle('silent', !(node.sent > 0 || node.got > 0));
				const acts = node.host !== null || node.kind === 'group';
				setAttribute(this, 'role', acts ? 'button' : 'img');
				setAttribute(this, 'aria-expanded', ['host', 'group'].includes(node.kind) && acts ? 'false' : null);
				setAttribute(this, 'aria-label', node.says);
			})
			.order();
	}

	function joinRibbons(ribbons, born) {
		layers.ribbons.selectAll('path').data(ribbons, ({ key }) => key)
			.join((enter) => enter.append('path').attr('class', 'ribbon').attr('tabindex', -1).attr('role', 'button')
				.attr('data-key', ({ key }) => `ribbon ${key}`)
				.attr('data-ribbon', ({ key }) => key).attr('data-pair', ({ pair }) => pair.key))
			.each(function each({ key, from, to, value, cell, hollow, source, target }) {
				const goal = [source.start, source.end, target.start, target.end];
				glide(`ribbon ${key}`, this, () => [born(goal[0], from), born(goal[1], from),
					born(goal[2], to), born(goal[3], to)], goal, drawRibbon(this));
				setAttribute(this, 'fill', from.colour);
				setAttribute(this, 'stroke', hollow ? from.colour : null);
				setAttribute(this, 'data-value', value);
				setAttribute(this, 'aria-label', cell.says);
				setAttribute(this, 'aria-pressed', String(Boolean(cell.lit)));
				this.classList.toggle('hollow', hollow);
				this.classList.toggle('chosen', Boolean(cell.lit));
				this.classList.toggle('thin', (source.end - source.start) * radius < THIN);
			})
			.order();
	}

	/** Warning marks where ribbons leave that nobody planned. */
	function joinMarks(ribbons) {
		const marked = ribbons.filter(({ cell }) => cell.unplanned > 0).slice(0, MARKS_MAX);
		layers.marks.selectAll('g').data(marked, ({ key }) => key)
			.join((enter) => {
				const mark = enter.append('g').attr('class', 'mark').attr('aria-hidden', 'true');
				mark.append('circle').attr('r', 8);
				mark.append('text').attr('text-anchor', 'middle').attr('dy', '0.35em').text('!');
				return mark;
			})
			.each(function each({ key, source }) {
				const goal = [(source.start + source.end) / 2];
				glide(`mark ${key}`, this, () => goal, goal, drawMark(this));
			});
	}

	/** The path a band's name is written along; below the middle it runs backwards, so that no name stands on its head. */
	function writeBand(element, { start, end }, band) {
		const [path, text] = [element.childNodes[1], element.childNodes[2]];
		const middle = (start + end) / 2;
		const low = Math.cos(middle) < 0;
		const r = radius + 5 + (low ? BAND - 4.5 : 4.5);
		const at = (angle) => `${Math.sin(angle) * r},${-Math.cos(angle) * r}`;
		const [from, to] = low ? [end, start] : [start, end];
		setAttribute(path, 'd', `M${at(from)}A${r},${r} 0 ${end - start > Math.PI ? 1 : 0} ${low ? 0 : 1} ${at(to)}`);
		const fits = band && (end - start) * r > 7 * element.dataset.bracket.length + 6;
		setText(text.firstChild, fits ? element.dataset.bracket : '');
	}

	function joinBrackets(nodes, plan, born, band) {
		const grouped = nodes.filter((node) => node.group !== null);
		const spans = spansOf(grouped, ({ group }) => group, (key) => plan.arcs.get(key));
		const groups = [...new Map(grouped.map((node) => [node.group, node])).values()];
		layers.brackets.selectAll('g').data(groups, (node) => node.group)
			.join((enter) => {
				const one = enter.append('g').attr('class', 'bracket').attr('aria-hidden', 'true')
					.attr('data-bracket', (node) => node.group);
				one.append('path');
				one.append('path').attr('class', 'guide').attr('id', (node, i) => `guide-${i}-${node.group.replace(/\W/g, '-')}`);
				one.append('text').append('textPath').attr('startOffset', '50%').attr('text-anchor', 'middle');
				return one;
			})
			.each(function each(node) {
				const span = spans.get(node.group);
				glide(`bracket ${node.group}`, this, () => [born(span.start, node), born(span.end, node)], [span.start, span.end],
					drawBracket(this));
				setAttribute(this.firstChild, 'fill', node.groupColour);
				setAttribute(this.lastChild.firstChild, 'href', `#${this.childNodes[1].id}`);
				writeBand(this, span, band);
			});
	}

	function joinLabels(nodes, plan, band) {
		const items = nodes.map((node) => {
			const { start, end } = plan.arcs.get(node.key);
			return { key: node.key, angle: (start + end) / 2, weight: node.sent + node.got };
		});
		const sides = [0, 0];
		for (const { angle } of items)
			sides[Math.sin(angle) >= 0 ? 1 : 0]++;
		const { letter } = size;
		const limit = size.height / 2 - 1.45 * letter;
		const narrow = size.width < NARROW;
		const twins = (name) => nodes.filter((node) => node.name === name).length > 1;
		const twoLines = !narrow && Math.max(...sides) * 2.5 * letter <= 2 * limit;
		places = placeLabels(items, { radius: radius + (band ? 31 : 20), limit, step: (twoLines ? 2.45 : 1.2) * letter }, places);
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
				// A bracket round arcs pushes their leaders outwards.
				const goal = [angle, x, y, node.group === null ? 0 : (band ? BAND : BRACKET) + 3];
				glide(`label ${node.key}`, this, () => goal, goal, drawLabel(this), { near: 0.5, far: 0.4 * radius }); // a long way would lead across the picture
				const text = this.lastChild;
				const [name, tag, address] = text.childNodes;
				// Where there is no room for the tag, the VNI alone tells apart what has the same name.
				const short = node.tag && twins(node.name) ? ` ${node.vni}` : '';
				const tagText = node.tag && !narrow ? ` ${node.tag}` : short;
				const shown = cut(labelOf(node, narrow), Math.floor((size.width / 2 - Math.abs(x) - 4) / (WIDE_LETTER * letter)));
				const room = size.width / 2 - Math.abs(x) - NAME_LETTER * letter * shown.length
					- SMALL_LETTER * letter * tagText.length;
				const whole = narrow ? '' : shortened(node.address ?? '');
				const second = twoLines || SMALL_LETTER * letter * (whole.length + 1) < room ? whole : '';
				setAttribute(text, 'text-anchor', side > 0 ? 'start' : 'end');
				setText(name, shown);
				setText(tag, tagText);
				setText(address, twoLines || !second ? second : ` ${second}`);
				setAttribute(name, 'dy', twoLines && second ? '-0.15em' : '0.35em');
				setAttribute(address, 'x', twoLines ? 0 : null);
				setAttribute(address, 'dy', twoLines ? '1.2em' : null);
				this.classList.toggle('quiet', !(node.sent > 0 || node.got > 0));
			});
	}

	/** Draws figures; glides there unless it is the first picture, too much or unwanted. */
	function render({ drawn: nodes, pairs, selecting }, level) {
		const band = level !== 'outer';
		const narrow = sizeOf(svg).width < NARROW;
		const resized = measure(band, Math.max(5, ...nodes.map((node) => labelOf(node, narrow).length)));
		if (radius === 0)
			return;
		const before = spansOf(drawn.nodes, hostOf, (key) => {
			const now = gliders.now(`arc ${key}`);
			return now && { start: now[0], end: now[1] };
		});
		const plan = layout(nodes, pairs);
		const spans = spansOf(nodes, hostOf, (key) => plan.arcs.get(key));
		const born = (angle, node) => birthplace(angle, hostOf(node), spans, before);
		const still = drawn.nodes.length === 0 || resized || reducedMotion.matches || document.hidden
			|| plan.ribbons.length > GLIDE_LIMIT;
		const had = rover.hasFocus();
		drawn = { nodes, ribbons: plan.ribbons };
		gliders.begin();
		joinRibbons(plan.ribbons, born);
		joinMarks(plan.ribbons);
		joinBrackets(nodes, plan, born, band);
		joinArcs(nodes, plan, born);
		joinLabels(nodes, plan, band);
		gliders.end({ redraw: resized, still });
		svg.classList.toggle('selecting', selecting);
		rover.update(had);
	}

	// -- pointing -----------------------------------------------------------------------------------------

	/** Emphasises one pair or one node ({ pair } or { arc }), or nothing. */
	function light(what) {
		svg.classList.toggle('pointing', Boolean(what?.pair || what?.arc));
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

	const nodeOf = (what) => drawn.nodes.find((node) => (what?.bracket ? node.group === what.bracket : node.key === what?.arc));

	function act(what) {
		if (what?.pair)
			return /(^|~)rest(~|$)/.test(what.pair) ? undefined : onSelect(what.pair);
		const node = nodeOf(what);
		if (node)
			onDrill(node, Boolean(what.bracket));
		return undefined;
	}

	const whatOf = (key) => (key.startsWith('arc ') ? { arc: key.slice(4) }
		: { pair: drawn.ribbons.find((ribbon) => `ribbon ${ribbon.key}` === key)?.pair.key });

	const rover = createRover(svg, {
		rows: () => drawn.nodes.map(({ key }) => ({
			key: `arc ${key}`,
			// By name: by size they would change places under the user's fingers.
			parts: drawn.ribbons.filter(({ from, to }) => from.key === key || to.key === key).map((ribbon) => `ribbon ${ribbon.key}`)
				.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })),
		})),
		activate: (key) => act(whatOf(key)),
		point: (key, x, y) => onPoint(key === null ? null : whatOf(key), x, y),
	});

	/** Moves the focus to what replaced a host's arcs, when one of them had it. */
	function focusHost(host) {
		const node = drawn.nodes.find((one) => one.host === host);
		if (node)
			rover.focus(`arc ${node.key}`);
	}

	svg.addEventListener('pointermove', (event) => onPoint(under(event.target), event.clientX, event.clientY));
	svg.addEventListener('pointerleave', () => onPoint(null));
	svg.addEventListener('click', (event) => act(under(event.target)));

	return { render, light, focusHost, hasFocus: rover.hasFocus };
}
