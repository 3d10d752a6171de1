// SPDX-License-Identifier: Apache-2.0
// The smallest set of DOM helpers: they write only what changes, and never markup.

/** Makes an element with attributes and children (nodes or text). */
export function make(tag, attributes = {}, ...children) {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes))
		element.setAttribute(name, value);
	element.append(...children);
	return element;
}

export function setText(element, text) {
	if (element.textContent !== text)
		element.textContent = text;
}

/** Sets an attribute; null or undefined removes it. */
export function setAttribute(element, name, value) {
	if (value === null || value === undefined)
		element.removeAttribute(name);
	else if (element.getAttribute(name) !== String(value))
		element.setAttribute(name, value);
}

/**
 * A function that tells the size of an element's content. Asked in the middle of a drawing, a browser lays out the whole page to
 * answer; so it is told by the browser, and asked only of what was not seen before. `changed()`: after sizes have changed.
 */
export function watchSizes(changed) {
	const sizes = new WeakMap();
	const observer = new ResizeObserver((entries) => {
		for (const { target, contentRect: { width, height } } of entries)
			sizes.set(target, { width, height });
		changed();
	});
	return (element) => {
		if (!sizes.has(element))
			observer.observe(element);
		if (!(sizes.get(element)?.width > 0))
			sizes.set(element, askSize(element));
		return sizes.get(element);
	};
}

/** How many of the screen's pixels are one of an element's: a wall shows all larger (style.css). */
export const zoomOf = (element) => element.currentCSSZoom ?? 1;

/** The same of elements without padding, asked each time. */
export function askSize(element) {
	const { width, height } = element.getBoundingClientRect();
	const zoom = zoomOf(element);
	return { width: width / zoom, height: height / zoom };
}

export function byId(id) {
	return document.getElementById(id);
}

/** Sets a style property unless it is what was set last; the browser's own text of a colour differs. */
export function writeStyle(element, property, value) {
	const key = `style-${property}`;
	if (element.getAttribute(`data-${key}`) === value)
		return;
	element.setAttribute(`data-${key}`, value);
	element.style.setProperty(property, value);
}
