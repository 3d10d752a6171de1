// SPDX-License-Identifier: Apache-2.0
// Numbers to text: amounts, shares, losses, durations. Pure; knows nothing of the page.

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P'];
const NBSP = '\u00a0';
const THIN = '\u202f';

/** "1234567" as "1 234 567", the thin spaces not breaking. */
export function grouped(value) {
	return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, THIN);
}

/** Three significant digits with an SI prefix: [“1.23”, “M”]. */
function scaled(value) {
	let step = 0;
	while (step < PREFIXES.length - 1 && Number(value.toPrecision(3)) >= 1000) {
		value /= 1000;
		step++;
	}
	const whole = step === 0 && Number.isInteger(value);
	return [whole ? String(value) : value.toPrecision(3), PREFIXES[step]];
}

/** One figure with its unit. `unit` is bytes or packets, `mode` rate or total. */
export function amount(value, unit, mode) {
	if (unit === 'packets' && mode === 'total')
		return grouped(value) + NBSP + (value === 1 ? 'packet' : 'packets');
	const [digits, prefix] = scaled(value);
	const name = unit === 'bytes' ? (mode === 'rate' ? 'B/s' : 'B') : 'pps';
	return digits + NBSP + prefix + name;
}

/** The same without the unit's name where a column head gives it. */
export function cell(value, unit, mode) {
	return unit === 'packets' && mode === 'total' ? grouped(value) : amount(value, unit, mode);
}

/** A part of a whole. Says 0 % and 100 % only when it is exactly so. */
export function share(part, whole) {
	if (!(whole > 0))
		return '–';
	const percent = 100 * part / whole;
	if (percent === 0 || percent === 100)
		return percent + NBSP + '%';
	if (percent < 0.1)
		return '<0.1' + NBSP + '%';
	if (percent > 99.9)
		return '>99.9' + NBSP + '%';
	const digits = percent >= 10 && percent < 99.5 ? 0 : 1;
	return percent.toFixed(digits) + NBSP + '%';
}

/** A name in so many letters, the last of them "…" where some are left out. */
export const cut = (name, letters) => (name.length > letters ? `${name.slice(0, Math.max(3, letters - 1))}…` : name);

/** "8 s", "3 min 05 s", "2 h 07 min". */
export function duration(seconds) {
	const s = Math.max(0, Math.floor(seconds));
	const two = (n) => String(n).padStart(2, '0');
	if (s < 60)
		return `${s}${NBSP}s`;
	if (s < 3600)
		return `${Math.floor(s / 60)}${NBSP}min${NBSP}${two(s % 60)}${NBSP}s`;
	return `${Math.floor(s / 3600)}${NBSP}h${NBSP}${two(Math.floor(s / 60) % 60)}${NBSP}min`;
}

/** "1 host", "9 hosts". */
export function count(n, noun) {
	return `${grouped(n)}${NBSP}${noun}${n === 1 ? '' : 's'}`;
}

/** "vxlan" as people write it. */
export function encapName(encap) {
	const names = { vxlan: 'VXLAN', geneve: 'Geneve', gretap: 'GRETAP', gre: 'GRE' };
	return names[encap] ?? encap;
}
