// SPDX-License-Identifier: Apache-2.0
// What is shown, to take away: the picture as SVG or PNG with title, time, interval and legend, the table as CSV.

const SVG = 'http://www.w3.org/2000/svg';
const STYLES = ['fill', 'fill-opacity', 'stroke', 'stroke-width', 'stroke-opacity', 'stroke-dasharray', 'stroke-linecap', 'opacity',
	'font-size', 'font-weight', 'font-family', 'display', 'paint-order', 'text-anchor'];
const HEAD = 74;
const FOOT = 34;

function write(parent, tag, attributes, text) {
	const element = document.createElementNS(SVG, tag);
	for (const [name, value] of Object.entries(attributes))
		element.setAttribute(name, value);
	if (text !== undefined)
		element.textContent = text;
	parent.append(element);
	return element;
}

/** Attributes of the page, which mean nothing in a picture; `style` would be refused when copied, and is in the computed styles. */
const LEFT_OUT = /^(tabindex|role|class|style|aria-.*|data-.*)$/;

/** A copy with the styles that the stylesheet gave on the elements themselves: a picture has no stylesheet. */
function copyOf(element) {
	const copy = document.createElementNS(SVG, element.localName);
	for (const { name, value } of element.attributes) {
		if (!LEFT_OUT.test(name))
			copy.setAttribute(name, value);
	}
	const style = getComputedStyle(element);
	for (const name of STYLES) {
		const value = style.getPropertyValue(name);
		if (value && value !== 'normal')
			copy.setAttribute(name, value);
	}
	for (const child of element.childNodes)
		copy.append(child.nodeType === Node.TEXT_NODE ? child.data : copyOf(child));
	return copy;
}

/** `about`: { title, time, interval, total, legend: [{ colour, text }], note } */
export function pictureOf(svg, about) {
	const [, , width, height] = svg.getAttribute('viewBox').split(' ').map(Number);
	const page = getComputedStyle(document.body);
	const copy = copyOf(svg);
	copy.setAttribute('x', 0);
	copy.setAttribute('y', HEAD);
	copy.setAttribute('width', width);
	copy.setAttribute('height', height);
	const lines = Math.ceil(about.legend.length * 110 / (width - 32)) || 0;
	const tall = HEAD + height + FOOT + 20 * lines;
	const whole = document.createElementNS(SVG, 'svg');
	for (const [name, value] of Object.entries({ xmlns: SVG, width, height: tall, viewBox: `0 0 ${width} ${tall}`, 'font-family': page.fontFamily }))
		whole.setAttribute(name, value);
	write(whole, 'title', {}, `${about.title}, ${about.interval}`);
	write(whole, 'rect', { width, height: tall, fill: getComputedStyle(svg.closest('section')).backgroundColor });
	write(whole, 'text', { x: 16, y: 30, 'font-size': 20, 'font-weight': 650, fill: page.color }, about.title);
	write(whole, 'text', { x: 16, y: 52, 'font-size': 13, fill: page.color }, `${about.total} ${about.interval} · ${about.time}`);
	if (about.filters)
		write(whole, 'text', { x: 16, y: 69, 'font-size': 12, fill: page.color }, about.filters);
	whole.append(copy);
	about.legend.forEach(({ colour, text }, i) => {
		const across = Math.max(1, Math.floor((width - 32) / 110));
		const [x, y] = [16 + 110 * (i % across), HEAD + height + 16 + 20 * Math.floor(i / across)];
		write(whole, 'rect', { x, y: y - 9, width: 10, height: 10, rx: 3, fill: colour });
		write(whole, 'text', { x: x + 15, y, 'font-size': 12, fill: page.color }, text);
	});
	write(whole, 'text', { x: 16, y: tall - 10, 'font-size': 11, fill: page.color, 'fill-opacity': 0.7 }, about.note);
	return { text: new XMLSerializer().serializeToString(whole), width, height: tall };
}

export async function pngOf({ text, width, height }, scale = 2) {
	const image = new Image();
	image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
	await image.decode();
	const canvas = document.createElement('canvas');
	canvas.width = width * scale;
	canvas.height = height * scale;
	const context = canvas.getContext('2d');
	context.scale(scale, scale);
	context.drawImage(image, 0, 0, width, height);
	return new Promise((resolve) => {
		canvas.toBlob(resolve, 'image/png');
	});
}

/** Hands a file to the user. */
export function save(content, type, name) {
	const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
	const link = document.createElement('a');
	link.href = url;
	link.download = name;
	link.click();
	setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
