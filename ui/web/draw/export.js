// SPDX-License-Identifier: Apache-2.0
// What is shown, to take away: as SVG or PNG with title, time, interval, legend and timeline. Makes files of what others have drawn.

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

const sizeOf = (svg) => svg.getAttribute('viewBox').split(' ').slice(2).map(Number);

/** An element of the page, or one made for the picture, at a place in `whole`. */
function place(whole, svg, y, width) {
	const copy = svg.isConnected ? copyOf(svg) : svg;
	const [wide, high] = sizeOf(svg);
	const height = high * width / wide;
	for (const [name, value] of Object.entries({ x: 0, y, width, height }))
		copy.setAttribute(name, value);
	whole.append(copy);
	return height;
}

/**
 * Pictures (SVG elements, the first as wide as it is shown, the others below it) as one: { text, width, height }. `about`: { title, time,
 * interval, total, filters, legend: [{ colour, text }], note }.
 */
export function pictureOf([svg, ...below], about) {
	const [width] = sizeOf(svg);
	const page = getComputedStyle(document.body);
	const whole = document.createElementNS(SVG, 'svg');
	for (const [name, value] of Object.entries({ xmlns: SVG, 'font-family': page.fontFamily }))
		whole.setAttribute(name, value);
	write(whole, 'title', {}, `${about.title}, ${about.interval}`);
	const paper = write(whole, 'rect', { width, fill: getComputedStyle(document.querySelector('section')).backgroundColor });
	write(whole, 'text', { x: 16, y: 30, 'font-size': 20, 'font-weight': 650, fill: page.color }, about.title);
	write(whole, 'text', { x: 16, y: 52, 'font-size': 13, fill: page.color }, `${about.total} ${about.interval} · ${about.time}`);
	if (about.filters)
		write(whole, 'text', { x: 16, y: 69, 'font-size': 12, fill: page.color }, about.filters);
	let bottom = HEAD + place(whole, svg, HEAD, width) + 16;
	const across = Math.max(1, Math.floor((width - 32) / 110));
	about.legend.forEach(({ colour, text }, i) => {
		const [x, y] = [16 + 110 * (i % across), bottom + 20 * Math.floor(i / across)];
		write(whole, 'rect', { x, y: y - 9, width: 10, height: 10, rx: 3, fill: colour });
		write(whole, 'text', { x: x + 15, y, 'font-size': 12, fill: page.color }, text);
	});
	bottom += 20 * Math.ceil(about.legend.length / across);
	for (const one of below)
		bottom += place(whole, one, bottom, width);
	const height = Math.ceil(bottom + FOOT);
	write(whole, 'text', { x: 16, y: height - 10, 'font-size': 11, fill: page.color, 'fill-opacity': 0.7 }, about.note);
	for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` }))
		whole.setAttribute(name, value);
	paper.setAttribute('height', height);
	return { text: new XMLSerializer().serializeToString(whole), width, height };
}

/** The table as a picture: `heads` [[text, x, anchor]] and `rows` [[{ text, colour }]], and how many more there are. */
export function pictureOfTable(heads, rows, more, width) {
	const page = getComputedStyle(document.body);
	const height = 34 + 22 * rows.length + (more ? 22 : 0);
	const svg = document.createElementNS(SVG, 'svg');
	svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
	const line = (cells, y, style) => cells.forEach(({ text, colour }, i) => {
		const [, part, anchor] = heads[i];
		const x = 16 + part * (width - 32);
		if (colour)
			write(svg, 'rect', { x, y: y - 9, width: 9, height: 9, rx: 3, fill: colour });
		write(svg, 'text', { x: colour ? x + 15 : x, y, 'text-anchor': anchor, 'font-size': 13, fill: page.color, ...style }, text);
	});
	line(heads.map(([text]) => ({ text })), 18, { 'font-weight': 650 });
	rows.forEach((row, i) => line(row, 42 + 22 * i, {}));
	if (more)
		write(svg, 'text', { x: 16, y: height - 10, 'font-size': 12, fill: page.color, 'fill-opacity': 0.7 }, more);
	return svg;
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
