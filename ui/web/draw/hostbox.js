// SPDX-License-Identifier: Apache-2.0
// A host of the lab's picture with its insides: clients, a bridge and a tunnel for each VNI, the uplink with its gauges.

import { amount, cut } from '../format.js';
import { hostColour, vniColour } from '../palette.js';
import { clientsShown, slotsIn } from '../places.js';
import { linkBits, thickness } from '../topology.js';
import { linkWords } from '../words.js';
import { setAttribute, setText } from './dom.js';
import { join, set, shape } from './shapes.js';

const WIRE = 8;
/** Width of a letter of a host's name. */
const NAME_LETTER = 8;
const GAUGE = 25;

const loud = (part) => part.sent + part.got;

export function hostWords(host, { unit }, mode) {
	return `${host.name}, ${host.vtep}: its uplink sends ${amount(host.sent, unit, mode)} and receives ${amount(host.got, unit, mode)}; `
		+ `link ${linkWords(host.link)}`;
}

export function makeHost(host) {
	const group = shape('g', { class: 'host', 'data-host': host.name });
	group.append(shape('rect', { class: 'box', rx: 9, tabindex: -1, role: 'button', 'data-key': `box ${host.name}` }),
		shape('circle', { class: 'host-dot', r: 4.5 }), shape('text', { class: 'name' }), shape('text', { class: 'vtep' }),
		shape('g', { class: 'tunnels' }), shape('g', { class: 'clients' }), shape('g', { class: 'uplink' }),
		shape('text', { class: 'more', 'text-anchor': 'end' }));
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
	group.append(shape('line', { class: 'out' }), shape('line', { class: 'in' }), shape('rect', { class: 'back' }));
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
	const [out, into, back, sentTrack, sentFill, gotTrack, gotFill, sent, got, port, badge] = group.childNodes;
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
	set(sent, { x, y: bottom - 20 });
	set(got, { x, y: bottom - 9 });
	const rates = [`↑ ${amount(host.sent, unit, mode)}`, `↓ ${amount(host.got, unit, mode)}`];
	setText(sent, rates[0]);
	setText(got, rates[1]);
	const room = 6.2 * Math.max(...rates.map(({ length }) => length)) + 4;
	set(back, { x: x - room / 2, y: bottom - 30, width: room, height: 24 });
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
	const { clients, more } = clientsShown(host.clients, box.width);
	// Where clients are not known, as on another's network, tunnels stand by themselves.
	const spots = clients.length ? clients : host.vnis.slice(0, slotsIn(box.width));
	const slot = (box.width - 12 - (more ? 26 : 0)) / (spots.length || 1);
	const chip = Math.min(36, slot - 3);
	const centre = (i) => 6 + slot * (i + 0.5);
	const [chips, bridges] = [40, box.height - 36];
	const place = new Map();
	spots.forEach(({ vni }, i) => place.set(vni, [...place.get(vni) ?? [], centre(i)]));
	const tunnels = more || !clients.length ? host.vnis.filter(({ vni }) => place.has(vni)) : host.vnis;
	join(group.querySelector('.tunnels'), 'g.tunnel', tunnels, ({ vni }) => vni, makeTunnel, (element, tunnel) => {
		const xs = place.get(tunnel.vni) ?? [];
		const [left, right] = xs.length ? [Math.min(...xs) - chip / 2, Math.max(...xs) + chip / 2] : [box.width / 2 - 4, box.width / 2 + 4];
		const middle = (left + right) / 2;
		const [from, port] = [middle.toFixed(1), (box.width / 2).toFixed(1)];
		const [pipe, bar, text] = element.childNodes;
		const colour = vniColour(lab.vnis.findIndex(({ vni }) => vni === tunnel.vni));
		set(pipe, {
			d: `M${from},${bridges + 7}C${from},${bridges + 24} ${port},${bridges + 14} ${port},${box.height}`,
			stroke: colour, 'stroke-width': thickness(loud(tunnel), parts, WIRE),
		});
		set(bar, { x: left, y: bridges - 3, width: right - left, height: 11, fill: colour });
		set(text, { x: middle, y: bridges + 5.5 });
		const name = String(tunnel.vni ?? '');
		setText(text, right - left > 5.6 * name.length ? name : '');
		element.classList.toggle('lit', tunnel.lit);
	});
	join(group.querySelector('.clients'), 'g.client', clients, ({ name }) => name, makeClient, (element, client, i) => {
		const [wire, rect, name, warn] = element.childNodes;
		const x = centre(i);
		const colour = vniColour(lab.vnis.findIndex(({ vni }) => vni === client.vni));
		set(wire, { x1: x, x2: x, y1: chips + 18, y2: bridges - 3, stroke: colour, 'stroke-width': thickness(loud(client), parts, WIRE) });
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
	set(group.lastChild, { x: box.width - 7, y: chips + 13 });
	setText(group.lastChild, more ? `+${more}` : '');
}

/** `box`: where it stands (places.js); `model`: of topology(). */
export function drawHost(group, host, box, model, lab, mode) {
	const [rect, dot, name, vtep, , , uplink] = group.childNodes;
	set(group, { transform: `translate(${box.x.toFixed(1)},${box.y.toFixed(1)})` });
	set(rect, { width: box.width, height: box.height, 'aria-label': hostWords(host, model, mode) });
	set(dot, { cx: 13, cy: 14, fill: hostColour(host.name, lab.hosts.length) });
	set(name, { x: 23, y: 18.5 });
	setText(name, cut(host.name, Math.floor((box.width - 29) / NAME_LETTER)));
	set(vtep, { x: 9, y: 33 });
	setText(vtep, host.vtep !== host.name && box.width > 6.2 * host.vtep.length + 12 ? host.vtep : '');
	drawInsides(group, host, box, model, lab, mode);
	drawUplink(uplink, host, box, model, mode);
	group.classList.toggle('lit', host.lit);
}
