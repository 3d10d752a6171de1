// SPDX-License-Identifier: Apache-2.0
// Draws the picture of the lab: hosts with their clients, a bridge and a tunnel for each VNI, uplinks with gauges, the fabric below.
// What things carry and where they stand comes from topology.js; it decides nothing about figures.

import { select } from 'd3-selection';
import { amount } from '../format.js';
import { hostColour, vniColour } from '../palette.js';
import { linkBits, placeHosts, thickness } from '../topology.js';
import { linkWords } from '../words.js';
import { make, setAttribute, setText } from './dom.js';
import { createRover } from './rove.js';

const SVG = 'http://www.w3.org/2000/svg';
const MARGIN = 16;
const WIRE = 8;
const GAUGE = 25;

function shape(tag, attributes = {}, ...children) {
	const element = document.createElementNS(SVG, tag);
	for (const [name, value] of Object.entries(attributes))
		element.setAttribute(name, value);
	element.append(...children);
	return element;
}

function set(element, attributes) {
	for (const [name, value] of Object.entries(attributes))
		setAttribute(element, name, typeof value === 'number' ? Math.round(value * 10) / 10 : value);
}

/** Keeps `parent`'s children in step with `list`, by key. */
function join(parent, selector, list, key, create, update) {
	select(parent).selectAll(selector).data(list, key).join((enter) => enter.append(create)).each(function each(item, i) {
		update(this, item, i);
	});
}

const loud = (part) => part.sent + part.got;

// -- a host with its insides ------------------------------------------------------------------------------

function makeHost(host) {
	const group = shape('g', { class: 'host', 'data-host': host.name });
	group.append(shape('rect', { class: 'box', rx: 9, tabindex: -1, role: 'button', 'data-key': `host ${host.name}` }),
		shape('circle', { class: 'host-dot', r: 4.5 }), shape('text', { class: 'name' }), shape('text', { class: 'vtep' }),
		shape('g', { class: 'tunnels' }), shape('g', { class: 'clients' }), shape('g', { class: 'uplink' }));
	return group;
}

function makeClient(client) {
	const group = shape('g', { class: 'client', 'data-client': client.name, tabindex: -1, role: 'button', 'data-key': `client ${client.name}` });
	group.append(shape('line', { class: 'wire' }), shape('rect', { class: 'chip', rx: 5 }), shape('text', { 'text-anchor': 'middle' }),
		shape('text', { class: 'warn', 'text-anchor': 'middle' }));
	return group;
}

function makeTunnel({ vni }) {
	const group = shape('g', { class: 'tunnel', 'data-vni': vni });
	group.append(shape('path', { class: 'pipe' }), shape('rect', { class: 'bridge', rx: 2.5 }), shape('text', { 'text-anchor': 'middle' }));
	return group;
}

function makeUplink(group) {
	group.append(shape('line', { class: 'out' }), shape('line', { class: 'in' }));
	for (const side of ['sent', 'got'])
		group.append(shape('rect', { class: 'track', rx: 3 }), shape('rect', { class: `fill ${side}`, rx: 3 }));
	group.append(shape('text', { class: 'rate', 'text-anchor': 'middle' }), shape('text', { class: 'rate', 'text-anchor': 'middle' }),
		shape('rect', { class: 'port', rx: 2 }), shape('g', { class: 'badge' }, shape('rect', { rx: 6 }), shape('text', { 'text-anchor': 'middle' })));
}

/** Share of an uplink in use: of its own rate where it is limited, of the lab's busiest otherwise. */
function load(value, host, most, unit) {
	const bits = unit === 'bytes' ? linkBits(host.link) : null;
	return bits ? Math.min(1, value * 8 / bits) : most > 0 ? value / most : 0;
}

function drawUplink(group, host, box, { most, unit }, mode) {
	if (!group.firstChild)
		makeUplink(group);
	const [out, into, sentTrack, sentFill, gotTrack, gotFill, sent, got, port, badge] = group.childNodes;
	const [x, top, bottom] = [box.width / 2, box.height, box.rail - box.y];
	const wide = [thickness(host.sent, most, WIRE), thickness(host.got, most, WIRE)];
	set(out, { x1: x + wide[0] / 2 + 1, x2: x + wide[0] / 2 + 1, y1: top, y2: bottom, 'stroke-width': wide[0] });
	set(into, { x1: x - wide[1] / 2 - 1, x2: x - wide[1] / 2 - 1, y1: top, y2: bottom, 'stroke-width': wide[1] });
	const at = top + 17;
	for (const [track, fill, value, left] of [[sentTrack, sentFill, host.sent, x + 16], [gotTrack, gotFill, host.got, x - 22]]) {
		const height = GAUGE * load(value, host, most, unit);
		set(track, { x: left, y: at, width: 6, height: GAUGE });
		set(fill, { x: left, y: at + GAUGE - height, width: 6, height });
	}
	set(sent, { x, y: bottom - 18 });
	set(got, { x, y: bottom - 7 });
	setText(sent, `↑ ${amount(host.sent, unit, mode)}`);
	setText(got, `↓ ${amount(host.got, unit, mode)}`);
	set(port, { x: x - 7, y: top - 3, width: 14, height: 6 });
	const { rate, delay, loss, down } = host.link ?? {};
	const words = [down && 'down', rate, delay, loss].filter(Boolean).join(' ');
	const size = Math.min(10, (box.width - 4) / (0.6 * (words.length || 1)));
	const width = Math.min(box.width + 6, 0.6 * size * words.length + 12);
	badge.lastChild.style.fontSize = `${size.toFixed(1)}px`;
	set(badge.firstChild, { x: x - width / 2, y: top + 1, width, height: 15 });
	set(badge.lastChild, { x, y: top + 12 });
	setText(badge.lastChild, words);
	setAttribute(badge, 'display', words ? null : 'none');
	group.classList.toggle('down', Boolean(host.link?.down));
	group.classList.toggle('lit', host.lit);
}

function drawInsides(group, host, box, { parts, unit }, lab, mode) {
	const n = host.clients.length || 1;
	const slot = (box.width - 12) / n;
	const chip = Math.min(36, slot - 3);
	const centre = (i) => 6 + slot * (i + 0.5);
	const [chips, bridges] = [40, box.height - 36];
	const place = new Map(host.vnis.map(({ vni }) => [vni, []]));
	host.clients.forEach((client, i) => place.get(client.vni)?.push(centre(i)));
	join(group.querySelector('.tunnels'), 'g.tunnel', host.vnis, ({ vni }) => vni, makeTunnel, (element, tunnel) => {
		const xs = place.get(tunnel.vni);
		const [left, right] = xs.length ? [Math.min(...xs) - chip / 2, Math.max(...xs) + chip / 2] : [box.width / 2 - 4, box.width / 2 + 4];
		const middle = (left + right) / 2;
		const [from, port] = [middle.toFixed(1), (box.width / 2).toFixed(1)];
		const [pipe, bar, text] = element.childNodes;
		const colour = vniColour(lab.vnis.findIndex(({ vni }) => vni === tunnel.vni));
		set(pipe, {
			d: `M${from},${bridges + 5}C${from},${bridges + 24} ${port},${bridges + 14} ${port},${box.height}`,
			stroke: colour, 'stroke-width': thickness(loud(tunnel), parts, WIRE),
		});
		set(bar, { x: left, y: bridges, width: right - left, height: 6, fill: colour });
		set(text, { x: middle, y: bridges - 4 });
		setText(text, box.width / host.vnis.length > 40 ? String(tunnel.vni ?? '') : '');
		element.classList.toggle('lit', tunnel.lit);
	});
	join(group.querySelector('.clients'), 'g.client', host.clients, ({ name }) => name, makeClient, (element, client, i) => {
		const [wire, rect, name, warn] = element.childNodes;
		const x = centre(i);
		const colour = vniColour(lab.vnis.findIndex(({ vni }) => vni === client.vni));
		set(wire, { x1: x, x2: x, y1: chips + 18, y2: bridges, stroke: colour, 'stroke-width': thickness(loud(client), parts, WIRE) });
		set(rect, { x: x - chip / 2, y: chips, width: chip, height: 18, stroke: colour });
		set(name, { x, y: chips + 13 });
		setText(name, chip > 5 * client.name.length ? client.name : '');
		name.style.fontSize = `${Math.min(11, (chip - 3) / (0.64 * client.name.length)).toFixed(1)}px`;
		set(warn, { x: x + chip / 2, y: chips + 4 });
		setText(warn, client.unplanned ? '!' : '');
		element.classList.toggle('lit', client.lit);
		element.classList.toggle('hollow', client.silent > 0);
		element.classList.toggle('quiet', loud(client) === 0);
		setAttribute(element, 'aria-label', `${client.name} on ${host.name}, VNI ${client.vni}, ${client.address}: sends `
			+ `${amount(client.sent, unit, mode)}, is sent ${amount(client.got, unit, mode)}${client.unplanned ? ', not planned' : ''}`
			+ `${client.silent ? ', planned but silent' : ''}`);
	});
}

function drawHost(group, host, i, { boxes }, model, lab, mode) {
	const box = boxes[i];
	const [rect, dot, name, vtep, , , uplink] = group.childNodes;
	set(group, { transform: `translate(${box.x.toFixed(1)},${box.y.toFixed(1)})` });
	set(rect, { width: box.width, height: box.height, 'aria-label': hostWords(host, model, mode) });
	set(dot, { cx: 13, cy: 14, fill: hostColour(host.name, lab.hosts.length) });
	set(name, { x: 23, y: 18.5 });
	setText(name, host.name);
	set(vtep, { x: 9, y: 33 });
	setText(vtep, box.width > 6.2 * host.vtep.length + 12 ? host.vtep : '');
	drawInsides(group, host, box, model, lab, mode);
	drawUplink(uplink, host, box, model, mode);
	group.classList.toggle('lit', host.lit);
}

function hostWords(host, { unit }, mode) {
	return `${host.name}, ${host.vtep}: its uplink sends ${amount(host.sent, unit, mode)} and receives ${amount(host.got, unit, mode)}; `
		+ `link ${linkWords(host.link)}`;
}

// -- many hosts: tiles ------------------------------------------------------------------------------------

function makeTile(host) {
	const group = shape('g', { class: 'tile', 'data-host': host.name, tabindex: -1, role: 'button', 'data-key': `host ${host.name}` });
	group.append(shape('rect', { class: 'box' }), shape('rect', { class: 'heat' }), shape('text', { 'text-anchor': 'middle' }));
	return group;
}

function drawTile(group, host, i, { boxes }, model, lab, mode) {
	const box = boxes[i];
	const [rect, heat, text] = group.childNodes;
	const share = model.most > 0 ? Math.sqrt(Math.max(host.sent, host.got) / model.most) : 0;
	set(group, { transform: `translate(${box.x.toFixed(1)},${box.y.toFixed(1)})`, 'aria-label': hostWords(host, model, mode) });
	set(rect, { width: box.width, height: box.height, rx: box.width > 24 ? 6 : 2 });
	set(heat, {
		width: box.width, height: box.height * share, y: box.height * (1 - share), rx: box.width > 24 ? 6 : 2,
		fill: hostColour(host.name, lab.hosts.length),
	});
	set(text, { x: box.width / 2, y: box.height / 2 + 4 });
	setText(text, box.width > 33 ? String(host.name.replace(/^host/, '')) : '');
	group.classList.toggle('lit', host.lit);
	group.classList.toggle('down', Boolean(host.link?.down));
	group.classList.toggle('impaired', Boolean(host.link) && !host.link.down);
}

// -- the picture ------------------------------------------------------------------------------------------

export function createTopology(svg, { onSelect, onVni, onPoint }) {
	const rails = svg.appendChild(shape('g', { class: 'rails' }));
	const hosts = svg.appendChild(shape('g', { class: 'hosts' }));
	let drawn = null;

	function drawRails(place, lab) {
		join(rails, 'path.rail', place.rails, (_, i) => i, () => shape('path', { class: 'rail' }), (element, { x0, x1, y }) =>
			set(element, { d: `M${x0.toFixed(1)},${y}H${x1.toFixed(1)}` }));
		const ys = place.rails.map(({ y }) => y);
		const trunk = ys.length > 1 ? [`M${(place.rails[0].x0 - 7).toFixed(1)},${ys[0]}V${ys.at(-1)}${ys.map((y) =>
			`M${(place.rails[0].x0 - 7).toFixed(1)},${y}h8`).join('')}`] : [];
		join(rails, 'path.trunk', trunk, (_, i) => i, () => shape('path', { class: 'trunk' }), (element, d) => set(element, { d }));
		join(rails, 'text', place.whole ? place.rails.slice(-1) : [], (_, i) => i, () => shape('text'), (element, { x0, y }) => {
			set(element, { x: x0, y: y + 18 });
			setText(element, `fabric br100 · underlay ${lab.underlay ?? ''}`);
		});
	}

	function render(model, lab, mode) {
		const { width, height } = svg.parentElement.getBoundingClientRect();
		if (!(width > 0))
			return;
		const had = rover.hasFocus();
		// A wall is looked at from afar.
		const scale = Math.min(1.7, Math.max(1, width / 900));
		const place = placeHosts(model.hosts, width / scale - 2 * MARGIN, height / scale - 2 * MARGIN - 6);
		const tall = place.height + 2 * MARGIN;
		set(svg, { viewBox: `${-MARGIN} ${-MARGIN} ${width / scale} ${tall}`, height: tall * scale });
		drawRails(place, lab);
		const [make_, draw, other] = place.whole ? [makeHost, drawHost, '.tile'] : [makeTile, drawTile, '.host'];
		hosts.querySelectorAll(`:scope > ${other}`).forEach((element) => element.remove());
		join(hosts, place.whole ? 'g.host' : 'g.tile', model.hosts, ({ name }) => name, make_,
			(element, host, i) => draw(element, host, i, place, model, lab, mode));
		svg.classList.toggle('selecting', model.selecting);
		svg.classList.toggle('tiles', !place.whole);
		drawn = { ...model, whole: place.whole };
		rover.update(had);
	}

	function under(target) {
		const client = target.closest?.('[data-client]')?.dataset.client;
		if (client)
			return { client };
		const vni = target.closest?.('[data-vni]')?.dataset.vni;
		if (vni)
			return { vni, host: target.closest('[data-host]').dataset.host };
		const host = target.closest?.('[data-host]')?.dataset.host;
		return host ? { host } : null;
	}

	function act(what) {
		if (what?.client)
			onSelect(what.client);
		else if (what?.vni)
			onVni(what.vni);
		else if (what?.host)
			onSelect(what.host);
	}

	const whatOf = (key) => (key.startsWith('client ') ? { client: key.slice(7) } : { host: key.slice(5) });

	const rover = createRover(svg, {
		rows: () => (drawn?.hosts ?? []).map(({ name, clients }) => ({
			key: `host ${name}`, parts: drawn.whole ? clients.map((client) => `client ${client.name}`) : [],
		})),
		activate: (key) => act(whatOf(key)),
		point: (key, x, y) => onPoint(key === null ? null : whatOf(key), x, y),
	});

	svg.addEventListener('pointermove', (event) => onPoint(under(event.target), event.clientX, event.clientY));
	svg.addEventListener('pointerleave', () => onPoint(null));
	svg.addEventListener('click', (event) => act(under(event.target)));

	/** The colours of the VNIs, for the legend. */
	function legend(lab) {
		return lab.vnis.slice(0, 8).map(({ vni }, i) => {
			const dot = make('i', { class: 'dot' });
			dot.style.backgroundColor = vniColour(i);
			return make('span', { class: 'key' }, dot, `VNI ${vni}`);
		});
	}

	return { render, legend, model: () => drawn };
}
