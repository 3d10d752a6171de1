// SPDX-License-Identifier: Apache-2.0
// SVG shapes, made and kept in step with what they show.

import { select } from 'd3-selection';
import { setAttribute } from './dom.js';

const SVG = 'http://www.w3.org/2000/svg';

export function shape(tag, attributes = {}, ...children) {
	const element = document.createElementNS(SVG, tag);
	for (const [name, value] of Object.entries(attributes))
		element.setAttribute(name, value);
	element.append(...children);
	return element;
}

export function set(element, attributes) {
	for (const [name, value] of Object.entries(attributes))
		setAttribute(element, name, typeof value === 'number' ? Math.round(value * 10) / 10 : value);
}

/** Keeps `parent`'s children in step with `list`, by key. */
export function join(parent, selector, list, key, create, update) {
	select(parent).selectAll(selector).data(list, key).join((enter) => enter.append(create)).each(function each(item, i) {
		update(this, item, i);
	});
}
