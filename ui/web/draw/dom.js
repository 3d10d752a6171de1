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
