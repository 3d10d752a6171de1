// SPDX-License-Identifier: Apache-2.0
// A host's colour. It hangs on the host's name alone, so that it never changes while people look. Pure.

// Found by a search that maximised the least OKLab distance between any two of them as seen with normal
// vision, protanopia, deuteranopia and tritanopia; tests/ui/palette.test.mjs keeps that distance.
export const PALETTE = [
	'#d64713', '#4286b6', '#feb517', '#6b5081', '#34b4a4', '#a82236',
	'#3ed9fa', '#e38436', '#2b51c2', '#b7ce99', '#af78fb', '#a06971',
];

const NEUTRAL = '#8c929b';
const GOLDEN_ANGLE = 137.508;

function numberIn(name) {
	const digits = /(\d+)$/.exec(name);
	if (digits)
		return Number(digits[1]);
	let hash = 0;
	for (const c of name)
		hash = (hash * 31 + c.codePointAt(0)) % 65521;
	return hash;
}

/** The colour of a host in a lab of `hosts` hosts; null is what has no host, such as flooding. */
export function hostColour(name, hosts) {
	if (name === null)
		return NEUTRAL;
	const n = numberIn(name);
	if (n < PALETTE.length && hosts <= PALETTE.length)
		return PALETTE[n];
	// More hosts than anybody can tell apart by hue: neighbours still differ in hue and in lightness.
	const hue = (n * GOLDEN_ANGLE + 17) % 360;
	return `hsl(${hue.toFixed(1)} ${[68, 52, 60][n % 3]}% ${[46, 62, 54][n % 3]}%)`;
}

/** Places in the palette, as far from the first hosts' as they can be. */
const VNI_PLACES = [4, 10, 2, 8, 6, 0, 9, 3, 5, 7, 1, 11];

/** The colour of the `i`th VNI of a lab. Where both are shown hosts keep to their names and dots, VNIs to lines and bars. */
export function vniColour(i) {
	if (i < 0)
		return NEUTRAL;
	return i < VNI_PLACES.length ? PALETTE[VNI_PLACES[i]] : hostColour(`vni${i}`, Infinity);
}

/** The colour of the `i`th group of hosts: paler than any host's, for it is nobody in particular. */
export function groupColour(i) {
	return `color-mix(in oklab, ${PALETTE[i % PALETTE.length]} 62%, ${NEUTRAL})`;
}

/** A host's colour for one of its inner addresses: 0 is the colour itself, 1 would be white. */
export function shade(colour, lightness) {
	const percent = Math.round(100 - 36 * lightness);
	return percent === 100 ? colour : `color-mix(in oklab, ${colour} ${percent}%, white)`;
}
