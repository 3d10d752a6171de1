// SPDX-License-Identifier: Apache-2.0
// The picture of the lab: what each host's clients, bridges, tunnels and uplink carry, and where they stand. Pure.

import { namesOf, isMulticast } from './names.js';

/** Above these sizes hosts are drawn as tiles without their insides. */
const WHOLE_HOSTS = 32;
const WHOLE_CLIENTS = 10;

const GAP = 10;
const ROW = 204;
const RAIL = 16;

/** "rate 50mbit delay 10ms loss 1% down" or an object of these, as the lab tells a link; null for an unimpaired one. */
export function linkOf(link) {
	if (!link || link === 'up')
		return null;
	if (typeof link === 'string') {
		const word = (name) => new RegExp(`\\b${name} (\\S+)`).exec(link)?.[1] ?? null;
		return { rate: word('rate'), delay: word('delay'), loss: word('loss'), down: /\bdown\b/.test(link) };
	}
	const down = link.down === true || link.state === 'down' || link.up === false;
	const known = { rate: link.rate || null, delay: link.delay || null, loss: link.loss || null, down };
	return known.rate || known.delay || known.loss || known.down ? known : null;
}

/** "50 Mbit" of a link's rate as bits a second; null where it has none. */
export function linkBits(link) {
	const match = /^([\d.]+)\s*([kmg]?)bit/i.exec(link?.rate ?? '');
	return match ? Number(match[1]) * { '': 1, k: 1e3, m: 1e6, g: 1e9 }[match[2].toLowerCase()] : null;
}

function newHost({ name, vtep, link }) {
	return { name, vtep, link: linkOf(link), sent: 0, got: 0, judged: { sent: 0, received: 0 }, lit: false, clients: [], vnis: new Map() };
}

function newPart(of) {
	return { ...of, sent: 0, got: 0, lit: false, silent: 0, unplanned: 0 };
}

function vniPart(host, vni) {
	if (!host.vnis.has(vni))
		host.vnis.set(vni, newPart({ vni }));
	return host.vnis.get(vni);
}

/** What is in the lab, silent: Map name -> host. */
function furnish(lab) {
	const hosts = new Map(lab.hosts.map((host) => [host.name, newHost(host)]));
	const clients = new Map();
	for (const client of lab.clients) {
		const host = hosts.get(client.host);
		const part = newPart(client);
		clients.set(client.name, part);
		host?.clients.push(part);
		if (host)
			vniPart(host, client.vni);
	}
	return { hosts, clients };
}

function addEnd(host, client, vni, direction, value, marks) {
	for (const part of [host, host && vniPart(host, vni), client]) {
		if (!part)
			continue;
		part[direction] += value;
		part.lit ||= marks.lit;
		if (part !== host) {
			part.silent += marks.silent;
			part.unplanned += marks.unplanned;
		}
	}
}

/** An uplink's exact figures where nothing is filtered: they hold also what is not told flow by flow. */
function useUplinks(hosts, lab, { uplinks, per }, unit) {
	const [sent, got] = unit === 'bytes' ? [1, 3] : [0, 2];
	for (const [i, sums] of uplinks) {
		const host = hosts.get(lab.hosts[i]?.name);
		if (host) {
			host.sent = sums[sent] / per;
			host.got = sums[got] / per;
		}
	}
}

/**
 * { hosts, most, parts }: hosts in order, each with its clients and VNIs, all with what they sent and got in `unit`; `most` is the
 * busiest uplink direction, `parts` the busiest client or tunnel.
 */
export function topology(amounts, lab, { unit }, { filter = null, selection = null } = {}) {
	const names = namesOf(lab);
	const { hosts, clients } = furnish(lab);
	for (const { flow, packets, received, silent, unplanned, ...amount } of amounts.list) {
		if (!flow || (filter && !filter(flow)))
			continue;
		const value = unit === 'bytes' ? amount.bytes : packets;
		const marks = {
			lit: Boolean(selection?.(flow)) && (value > 0 || Boolean(silent)), silent: silent ? 1 : 0, unplanned: unplanned ? 1 : 0,
		};
		const from = hosts.get(names.hostOf(flow.outer_src));
		addEnd(from, clients.get(flow.src_client), flow.vni, 'sent', value, marks);
		if (flow.bum || isMulticast(flow.outer_dst))
			continue;
		const to = hosts.get(names.hostOf(flow.outer_dst));
		addEnd(to, clients.get(flow.dst_client), flow.vni, 'got', received?.[unit] ?? value, marks);
		if (from && received) {
			from.judged.sent += packets;
			from.judged.received += received.packets;
		}
	}
	if (!filter && amounts.uplinks.size)
		useUplinks(hosts, lab, amounts, unit);
	const all = [...hosts.values()].map((host) => ({ ...host, vnis: [...host.vnis.values()] }));
	const parts = all.flatMap((host) => [...host.clients, ...host.vnis]);
	return {
		hosts: all, unit, selecting: Boolean(selection),
		most: Math.max(0, ...all.flatMap(({ sent, got }) => [sent, got])),
		parts: parts.reduce((most, { sent, got }) => Math.max(most, sent, got), 0),
	};
}

/** Columns for `n` boxes of at least `least` wide, none wider than `widest`: as few rows as go. */
function columns(n, width, least) {
	const fit = Math.max(1, Math.floor((width + GAP) / (least + GAP)));
	const rows = Math.ceil(n / fit);
	return { rows, cols: Math.ceil(n / rows) };
}

/** Tiles: the largest side that lets all of them in. */
function tileGrid(n, width, height) {
	for (let side = 64; side > 7; side--) {
		const gap = side > 24 ? 6 : 2;
		const cols = Math.floor((width + gap) / (side + gap));
		const rows = Math.ceil(n / cols);
		if (rows * (side + gap + 6) <= height)
			return { side, gap, cols, rows };
	}
	const cols = Math.floor(width / 9);
	return { side: 8, gap: 1, cols, rows: Math.ceil(n / cols) };
}

/**
 * Where hosts stand in a picture of `width` x `height`: { whole, boxes: [{ x, y, width, height }], rails: [{ x0, x1, y }], height }.
 * `whole`: with their insides. The picture may need more height than there is.
 */
export function placeHosts(hosts, width, height) {
	const n = hosts.length;
	const most = Math.max(1, ...hosts.map(({ clients }) => clients.length));
	const least = Math.max(72, 17 * most + 12);
	if (n === 0)
		return { whole: true, boxes: [], rails: [], height };
	const { rows, cols } = columns(n, width, least);
	const rowHeight = Math.max(ROW, height / rows);
	const whole = n <= WHOLE_HOSTS && most <= WHOLE_CLIENTS && rows * ROW <= Math.max(height, 5 * ROW);
	const boxes = [];
	const rails = [];
	if (whole) {
		const boxWidth = Math.min(190, (width + GAP) / cols - GAP);
		const left = (width - cols * (boxWidth + GAP) + GAP) / 2;
		const tall = Math.min(rowHeight, 330);
		const top = Math.max(0, (height - rows * tall) / 2);
		for (let i = 0; i < n; i++) {
			const [row, col] = [Math.floor(i / cols), i % cols];
			boxes.push({
				x: left + col * (boxWidth + GAP), y: top + row * tall, width: boxWidth, height: tall - 74 - RAIL,
				rail: top + (row + 1) * tall - RAIL - 4,
			});
		}
		for (let row = 0; row < rows; row++)
			rails.push({ x0: left, x1: left + cols * (boxWidth + GAP) - GAP, y: top + (row + 1) * tall - RAIL - 4 });
		return { whole, boxes, rails, height: Math.max(height, top + rows * tall) };
	}
	const { side, gap, cols: across, rows: down } = tileGrid(n, width, height - 8);
	const left = (width - across * (side + gap) + gap) / 2;
	for (let i = 0; i < n; i++) {
		const [row, col] = [Math.floor(i / across), i % across];
		boxes.push({ x: left + col * (side + gap), y: row * (side + gap + 6), width: side, height: side, rail: (row + 1) * (side + gap + 6) - gap - 3 });
	}
	for (let row = 0; row < down; row++)
		rails.push({ x0: left, x1: left + across * (side + gap) - gap, y: (row + 1) * (side + gap + 6) - gap - 3 });
	return { whole, boxes, rails, height: Math.max(height, down * (side + gap + 6)) };
}

/** How thick a line is for a value beside the greatest there is: from a hair to `widest`. */
export function thickness(value, most, widest) {
	return value > 0 && most > 0 ? 1.2 + (widest - 1.2) * Math.sqrt(value / most) : 1;
}
