// SPDX-License-Identifier: Apache-2.0
// All hosts of a large lab as tiles: each filled with what its uplink carries beside the busiest one's, in the colours of its VNIs.

import { vniColour } from '../palette.js';
import { hostWords } from './hostbox.js';
import { setText } from './dom.js';
import { join, set, shape } from './shapes.js';

const NAMED = 30; // a tile of this side has room for its number

const numberOf = (name) => name.replace(/^host/, '');

/** The fills as one path for each colour: a thousand tiles with their VNIs would be thousands of elements to change each second. */
function fills(hosts, most, lab, { side, step, cols }) {
	const order = new Map(lab.vnis.map(({ vni }, i) => [vni, i]));
	const paths = new Map();
	hosts.forEach((host, i) => {
		const full = most > 0 ? side * Math.sqrt(Math.max(host.sent, host.got) / most) : 0;
		const whole = host.vnis.reduce((sum, { sent, got }) => sum + sent + got, 0);
		let bottom = Math.floor(i / cols) * step + side;
		for (const { vni, sent, got } of whole > 0 ? host.vnis : []) {
			const high = full * (sent + got) / whole;
			if (high < 0.05)
				continue;
			bottom -= high;
			const colour = vniColour(order.get(vni) ?? -1);
			paths.set(colour, `${paths.get(colour) ?? ''}M${i % cols * step},${bottom.toFixed(1)}h${side}v${high.toFixed(1)}h${-side}z`);
		}
	});
	return [...paths];
}

export function createTiles(group) {
	const [boxes, heat, names, numbers] = ['boxes', 'heat', 'names', 'numbers'].map((name) => group.appendChild(shape('g', { class: name })));

	/** `place`: of placeHosts(). */
	function render(model, { tiles, whole }, lab, mode) {
		const hosts = tiles ? model.hosts : [];
		const { side, step, cols, x, y } = tiles ?? {};
		const shown = new Set(whole.map(({ host }) => host));
		const at = (i) => ({ x: i % cols * step, y: Math.floor(i / cols) * step });
		if (tiles)
			set(group, { transform: `translate(${x.toFixed(1)},${y.toFixed(1)})` });
		join(boxes, 'rect', hosts, ({ name }) => name, ({ name }) =>
			shape('rect', { class: 'tile', 'data-host': name, tabindex: -1, role: 'button', 'data-key': `tile ${name}` }), (element, host, i) => {
			const link = host.link?.down ? ' down' : host.link ? ' impaired' : '';
			set(element, {
				...at(i), width: side, height: side, rx: side > 13 ? 4 : 1.5, 'aria-label': hostWords(host, model, mode),
				class: `tile${link}${host.lit || host.chosen ? ' lit' : ''}${shown.has(i) ? ' shown' : ''}`,
			});
		});
		join(heat, 'path', tiles ? fills(hosts, model.most, lab, tiles) : [], ([colour]) => colour, ([colour]) => shape('path', { fill: colour }),
			(element, [, d]) => set(element, { d }));
		join(names, 'text', side >= NAMED ? hosts : [], ({ name }) => name, () => shape('text', { 'text-anchor': 'middle' }), (element, { name }, i) => {
			set(element, { x: at(i).x + side / 2, y: at(i).y + side / 2 + 4 });
			setText(element, numberOf(name));
		});
		const rows = tiles && side < NAMED ? hosts.filter((_, i) => i % cols === 0) : [];
		join(numbers, 'text', rows, ({ name }) => name, () => shape('text', { 'text-anchor': 'end' }), (element, { name }, row) => {
			set(element, { x: -6, y: row * step + side / 2 + 4 });
			setText(element, step >= 12 || row % 2 === 0 ? numberOf(name) : '');
		});
	}

	return { render };
}
