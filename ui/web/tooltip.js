// SPDX-License-Identifier: Apache-2.0
// The figures of the pair or node under the pointer: both directions with their shares.

import { byId, make } from './dom.js';
import { amount, share } from './format.js';
import { lossOf } from './matrix.js';

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

function direction(from, to, picture) {
	const { figures, unit, mode, seconds } = picture;
	const cell = figures.cells.find(({ key }) => key === `${from.key}>${to.key}`);
	return line(from.colour, `${from.name} \u2192 ${to.name}`, cell?.[unit] ?? 0, picture,
		cell ? lossOf(cell, mode === 'rate' ? seconds : 0) : null);
}

function aboutPair(pair, picture) {
	if (pair.a === pair.b)
		return [title(pair.a), direction(pair.a, pair.a, picture)];
	const [first, second] = pair.ab >= pair.ba ? [pair.a, pair.b] : [pair.b, pair.a];
	return [title(first, second), direction(first, second, picture), direction(second, first, picture)];
}

function aboutNode(node, picture) {
	const parts = [title(node), line(node.colour, 'sends', node.sent, picture),
		line('transparent', 'is sent', node.got, picture)];
	if (node.kind === 'host' && node.host !== null)
		parts.push(make('em', {}, 'Click to see its inner addresses'));
	if (node.kind === 'inner')
		parts.push(make('em', {}, `Click to close ${node.host}`));
	return parts;
}

export function createTooltip() {
	const box = byId('tooltip');
	let at = { x: 0, y: 0 };

	function place() {
		const { width, height } = box.getBoundingClientRect();
		const x = at.x + 16 + width > innerWidth - 8 ? at.x - 16 - width : at.x + 16;
		const y = at.y + 16 + height > innerHeight - 8 ? at.y - 16 - height : at.y + 16;
		box.style.transform = `translate(${Math.max(8, x)}px, ${Math.max(8, y)}px)`;
	}

	/** Shows what is known of { pair } or { arc } in a picture; hides for anything else. */
	function show(what, picture) {
		const pair = what?.pair && picture?.figures.pairs.find(({ key }) => key === what.pair);
		const node = what?.arc && picture?.figures.nodes.find(({ key }) => key === what.arc);
		box.hidden = !pair && !node;
		if (box.hidden)
			return;
		box.replaceChildren(...(pair ? aboutPair(pair, picture) : aboutNode(node, picture)));
		place();
	}

	return {
		show,
		moveTo(x, y) {
			at = { x, y };
			if (!box.hidden)
				place();
		},
	};
}
