// SPDX-License-Identifier: Apache-2.0
// The figures of what is under the pointer or has the focus: a pair with both directions and their shares, a node, a part of the
// topology.

import { lossOf, overheadOf } from '../figures.js';
import { amount, share } from '../format.js';
import { hostColour } from '../palette.js';
import { linkWords } from '../words.js';
import { byId, make, zoomOf } from './dom.js';

function title(...nodes) {
	const heading = make('strong');
	nodes.forEach((node, i) => {
		if (i > 0)
			heading.append(' \u21c4 ');
		heading.append(make('span', {}, node.name), ' ',
			make('small', {}, [node.tag, node.address].filter(Boolean).join(' · ')));
	});
	return heading;
}

function dot(colour) {
	const element = make('i', { class: 'dot' });
	element.style.backgroundColor = colour;
	return element;
}

function line(colour, what, value, { figures, unit, mode }, loss = null) {
	return make('p', {}, dot(colour), make('span', { class: 'what' }, what),
		make('b', {}, amount(value, unit, mode)),
		make('span', { class: 'part' }, `${share(value, figures.total[unit])} of all`),
		make('span', { class: loss > 0 ? 'loss lossy' : 'loss' }, loss > 0 ? `${share(loss, 1)} lost` : ''));
}

function direction(from, to, cell, picture) {
	const { unit, mode, seconds } = picture;
	return line(from.colour, `${from.name} \u2192 ${to.name}`, cell?.[unit] ?? 0, picture,
		cell ? lossOf(cell, mode === 'rate' ? seconds : 0) : null);
}

/** What else is to be said of a pair's directions. */
function remarks(cells) {
	const sum = { bytes: 0, inner_bytes: 0 };
	const notes = [];
	for (const cell of cells.filter(Boolean)) {
		sum.bytes += cell.bytes;
		sum.inner_bytes = sum.inner_bytes === null || cell.inner_bytes === null ? null : sum.inner_bytes + cell.inner_bytes;
		if (cell.unplanned)
			notes.push(`${cell.from.name} \u2192 ${cell.to.name}: no [traffic] section explains it`);
		if (cell.silent && cell.silent === cell.flows)
			notes.push(`${cell.from.name} \u2192 ${cell.to.name}: planned, but silent`);
	}
	const extra = overheadOf(sum);
	return [extra !== null && make('em', {}, `Encapsulation takes ${share(extra, 1)} of the bytes`),
		...notes.map((note) => make('em', { class: 'warning' }, note))].filter(Boolean);
}

function aboutPair(pair, picture) {
	if (pair.a === pair.b)
		return [title(pair.a), direction(pair.a, pair.a, pair.forth, picture), ...remarks([pair.forth])];
	const there = [pair.a, pair.b, pair.forth];
	const back = [pair.b, pair.a, pair.back];
	const [first, second] = pair.ab >= pair.ba ? [there, back] : [back, there];
	return [title(first[0], second[0]), direction(...first, picture), direction(...second, picture), ...remarks([pair.forth, pair.back])];
}

function aboutNode(node, picture) {
	const parts = [title(node), line(node.colour, 'sends', node.sent, picture),
		line('transparent', 'is sent', node.got, picture)];
	const next = { host: node.host && 'Click to see its inner addresses', inner: `Click for the clients of VNI ${node.vni}`,
		client: 'Click to see it alone', group: 'Click to look into these hosts' }[node.kind];
	if (next)
		parts.push(make('em', {}, next));
	return parts;
}

function aboutPart({ host, client, vni }, { topology, lab, ...picture }) {
	const own = topology.hosts.find(({ name, clients }) => name === host || clients.some((one) => one.name === client));
	const part = client ? own?.clients.find(({ name }) => name === client) : vni ? own?.vnis.find((one) => String(one.vni) === vni) : own;
	if (!part)
		return null;
	const name = client ?? (vni ? `VNI ${vni} on ${own.name}` : own.name);
	const details = client ? `${own.name} · VNI ${part.vni} · ${part.address}` : vni ? 'bridge and tunnel' : part.vtep;
	const colour = hostColour(own.name, lab.hosts.length);
	const parts = [title({ name, address: details }), line(colour, vni && !client ? 'into the tunnel' : 'sends', part.sent, picture),
		line('transparent', vni && !client ? 'out of it' : 'receives', part.got, picture)];
	if (part === own) {
		const loss = lossOf({ judged: own.judged, received: true }, picture.mode === 'rate' ? picture.seconds : 0);
		const lost = loss > 0 ? `; ${share(loss, 1)} of what it sends is lost` : '';
		parts.push(make('em', own.link ? { class: 'warning' } : {}, `Link: ${linkWords(own.link)}${lost}`));
	}
	if (part.unplanned)
		parts.push(make('em', { class: 'warning' }, 'Part of it is not planned'));
	if (part.silent)
		parts.push(make('em', { class: 'warning' }, 'Part of what is planned is silent'));
	return parts;
}

/** What is known of { pair }, { arc } or a part of the topology in a picture; null for anything else. */
function about(what, picture) {
	if (!what || !picture)
		return null;
	if (what.pair || what.arc) {
		const pair = picture.figures.pairs.find(({ key }) => key === what.pair);
		const node = picture.figures.drawn.find(({ key }) => key === what.arc);
		return pair ? aboutPair(pair, picture) : node ? aboutNode(node, picture) : null;
	}
	return picture.topology ? aboutPart(what, picture) : null;
}

export function createTooltip() {
	const box = byId('tooltip');
	let at = { x: 0, y: 0 };

	function place() {
		const { width, height } = box.getBoundingClientRect();
		const x = at.x + 16 + width > innerWidth - 8 ? at.x - 16 - width : at.x + 16;
		const y = at.y + 16 + height > innerHeight - 8 ? at.y - 16 - height : at.y + 16;
		const zoom = zoomOf(box);
		box.style.transform = `translate(${Math.max(8, x) / zoom}px, ${Math.max(8, y) / zoom}px)`;
	}

	return {
		show(what, picture) {
			const content = about(what, picture);
			box.hidden = !content;
			if (!content)
				return;
			box.replaceChildren(...content);
			place();
		},
		moveTo(x, y) {
			at = { x, y };
			if (!box.hidden)
				place();
		},
	};
}
