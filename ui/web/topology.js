// SPDX-License-Identifier: Apache-2.0
// The picture of the lab: what each host's clients, bridges, tunnels and uplink carry. Where they stand: places.js. Pure.

import { namesOf, isMulticast } from './names.js';

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
	return {
		name, vtep, link: linkOf(link), sent: 0, got: 0, judged: { sent: 0, received: 0 }, lit: false, chosen: false, clients: [],
		vnis: new Map(),
	};
}

/** A client, or of a host what belongs to a VNI (then it has no name). */
function newPart({ id = null, name = null, host = null, vni, address = null }) {
	return { id, name, host, vni, address, sent: 0, got: 0, lit: false, silent: 0, unplanned: 0 };
}

function vniPart(host, vni) {
	let part = host.vnis.get(vni);
	if (!part)
		host.vnis.set(vni, part = newPart({ vni }));
	return part;
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

/** `way`: 'sent' or 'got'. */
function addValue(part, way, value, lit) {
	part[way] += value;
	part.lit ||= lit;
}

function addEnd(host, client, vni, way, value, { lit, silent, unplanned }) {
	if (host)
		addValue(host, way, value, lit);
	for (const part of [host && vniPart(host, vni), client]) {
		if (!part)
			continue;
		addValue(part, way, value, lit);
		part.silent += silent;
		part.unplanned += unplanned;
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

/** Marks the hosts that a selection names, be it by one of their clients. */
function markChosen(hosts, select, names) {
	for (const name of select?.split('~') ?? []) {
		const host = hosts.get(names.clients.get(name)?.host ?? name);
		if (host)
			host.chosen = true;
	}
}

/**
 * { hosts, most, parts }: hosts in order, each with its clients and VNIs, all with what they sent and got in `unit`; `most` is the
 * busiest uplink direction, `parts` the busiest client or tunnel.
 */
export function topology(amounts, lab, { unit, select }, { filter = null, selection = null } = {}) {
	const names = namesOf(lab);
	const { hosts, clients } = furnish(lab);
	markChosen(hosts, select, names);
	for (const { flow, packets, bytes, received, silent, unplanned } of amounts.list) {
		if (!flow || (filter && !filter(flow)))
			continue;
		const value = unit === 'bytes' ? bytes : packets;
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
	const place = ({ vni }) => names.vniOrder.get(vni) ?? Infinity;
	const inOrder = (a, b) => place(a) - place(b) || (a.vni ?? Infinity) - (b.vni ?? Infinity) || 0;
	const all = [...hosts.values()];
	for (const host of all)
		host.vnis = [...host.vnis.values()].sort(inOrder);
	const busiest = (most, { sent, got }) => Math.max(most, sent, got);
	return {
		hosts: all, unit, selecting: Boolean(selection), most: all.reduce(busiest, 0),
		parts: all.reduce((most, host) => host.vnis.reduce(busiest, host.clients.reduce(busiest, most)), 0),
	};
}

/** How thick a line is for a value beside the greatest there is: from a hair to `widest`. */
export function thickness(value, most, widest) {
	return value > 0 && most > 0 ? 1.2 + (widest - 1.2) * Math.sqrt(value / most) : 1;
}
