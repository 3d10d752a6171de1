// SPDX-License-Identifier: Apache-2.0
// That the palette can be told apart by everybody is checked, not believed.
import assert from 'node:assert/strict';
import { PALETTE, hostColour, shade } from '../../ui/web/palette.js';
import { test } from '../lib/tap.mjs';

// Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
const VISIONS = {
	normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
	protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
	deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
	tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

const linear = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255)
	.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
const times = (matrix, v) => matrix.map((row) => row.reduce((sum, x, i) => sum + x * v[i], 0));
const clamp = (v) => v.map((x) => Math.min(1, Math.max(0, x)));

function oklab(rgb) {
	const lms = times([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
		[0.0883024619, 0.2817188376, 0.6299787005]], rgb).map(Math.cbrt);
	return times([[0.2104542553, 0.793617785, -0.0040720468], [1.9779984951, -2.428592205, 0.4505937099],
		[0.0259040371, 0.7827717662, -0.808675766]], lms);
}

test('any two colours differ in every kind of colour vision', () => {
	for (const [name, matrix] of Object.entries(VISIONS)) {
		const seen = PALETTE.map((hex) => oklab(clamp(times(matrix, linear(hex)))));
		seen.forEach((a, i) => seen.slice(0, i).forEach((b, j) => {
			const distance = Math.hypot(...a.map((x, k) => x - b[k]));
			assert.ok(distance > 0.09, `${PALETTE[i]} and ${PALETTE[j]} are ${distance.toFixed(3)} apart in ${name}`);
		}));
	}
});

test('a colour hangs on the name alone', () => {
	assert.equal(hostColour('host3', 9), PALETTE[3]);
	assert.equal(hostColour('host3', 4), PALETTE[3]);
	assert.equal(hostColour('host3', 900), hostColour('host3', 100));
	assert.match(hostColour('10.0.0.7', 0), /^(#|hsl)/);
	assert.match(hostColour('gateway', 3), /^(#|hsl)/);
});

test('many hosts: neighbours differ', () => {
	for (let i = 1; i < 300; i++)
		assert.notEqual(hostColour(`host${i}`, 300), hostColour(`host${i - 1}`, 300));
});

test('shades start at the colour itself', () => {
	assert.equal(shade('#d64713', 0), '#d64713');
	assert.notEqual(shade('#d64713', 0.25), shade('#d64713', 0.5));
});
