// SPDX-License-Identifier: Apache-2.0
// Draws the picture of the lab: hosts whole (hostbox.js) on rails of the fabric, and where there are many, all of them as tiles below.
// What things carry comes from topology.js, where they stand from places.js; it decides nothing about figures.

import { count } from '../format.js';
import { isLab } from '../names.js';
import { vniColour } from '../palette.js';
import { placeHosts } from '../places.js';
import { drawHost, makeHost } from './hostbox.js';
import { askSize, make, setText } from './dom.js';
import { createRover } from './rove.js';
import { join, set, shape } from './shapes.js';
import { createTiles } from './tiles.js';

const MARGIN = 16;
/** How wide a picture that scrolls with the page is to its height. */
const UPRIGHT = 0.95;

/** `onSelect(name)` of a host or client, `onVni(vni)`, `onPoint({ host, client, vni } or null, x, y)`. */
export function createTopology(svg, { onSelect, onVni, onPoint, sizeOf = askSize }) {
	const [rails, hosts, all] = ['rails', 'hosts', 'tiles'].map((name) => svg.appendChild(shape('g', { class: name })));
	const tiles = createTiles(all);
	let drawn = null;
	let place = null;

	function drawRails(lab) {
		join(rails, 'path.rail', place.rails, (_, i) => i, () => shape('path', { class: 'rail' }), (element, { x0, x1, y }) =>
			set(element, { d: `M${x0.toFixed(1)},${y}H${x1.toFixed(1)}` }));
		const ys = place.rails.map(({ y }) => y);
		const trunk = ys.length > 1 ? [`M${(place.rails[0].x0 - 7).toFixed(1)},${ys[0]}V${ys.at(-1)}${ys.map((y) =>
			`M${(place.rails[0].x0 - 7).toFixed(1)},${y}h8`).join('')}`] : [];
		join(rails, 'path.trunk', trunk, (_, i) => i, () => shape('path', { class: 'trunk' }), (element, d) => set(element, { d }));
		const fabric = isLab(lab) ? `fabric br100 · underlay ${lab.underlay ?? ''}` : 'underlay';
		const words = [{ x: place.rails.at(-1)?.x0, anchor: 'start', text: fabric }];
		if (place.tiles) {
			const hostsWords = count(lab.hosts.length, 'host');
			words[0] = { x: place.rails[0].x0, anchor: 'start', text: `↑ ${drawn.selecting ? 'selected' : 'busiest'}   ↓ all ${hostsWords}` };
			if (place.width > 560)
				words.push({ x: place.width, anchor: 'end', text: fabric });
		}
		join(rails, 'text', place.rails.length ? words : [], (_, i) => i, () => shape('text', { class: 'fabric' }), (element, { x, anchor, text }) => {
			set(element, { x, y: ys.at(-1) + 20, 'text-anchor': anchor });
			setText(element, text);
		});
	}

	function render(model, lab, mode) {
		const frame = svg.parentElement;
		const { width, height } = sizeOf(frame);
		if (!(width > 0))
			return;
		const had = rover.hasFocus();
		const high = getComputedStyle(frame).position === 'static' ? UPRIGHT * width : height;
		place = placeHosts(model.hosts, width - 2 * MARGIN, high - 2 * MARGIN - 8, place);
		drawn = model;
		const { scale } = place;
		const tall = place.height * scale + 2 * MARGIN + 8;
		set(svg, { viewBox: `${-MARGIN / scale} ${-MARGIN / scale} ${width / scale} ${tall / scale}`, height: tall });
		drawRails(lab);
		join(hosts, 'g.host', place.whole, ({ host }) => model.hosts[host].name, ({ host }) => makeHost(model.hosts[host]),
			(element, box) => drawHost(element, model.hosts[box.host], box, model, lab, mode));
		tiles.render(model, place, lab, mode);
		svg.classList.toggle('selecting', model.selecting);
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

	const whatOf = (key) => {
		const [kind, name] = key.split(' ');
		return kind === 'client' ? { client: name } : { host: name };
	};

	const rover = createRover(svg, {
		rows: () => [
			...(place?.whole ?? []).map(({ host }) => ({
				key: `box ${drawn.hosts[host].name}`,
				parts: [...hosts.querySelectorAll(`[data-host="${CSS.escape(drawn.hosts[host].name)}"] .client`)].map((one) => one.dataset.key),
			})),
			...(place?.tiles ? drawn.hosts.map(({ name }) => ({ key: `tile ${name}`, parts: [] })) : []),
		],
		below: () => place?.tiles?.cols ?? 0,
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
