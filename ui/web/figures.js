// SPDX-License-Identifier: Apache-2.0
// Amounts to figures: who sent how much to whom, seen at the level the user has chosen. Pure: no page, no clock. Everything is
// keyed by name (host0, c3, 10003/192.168.3.1), never by position.
//
//   amounts (span.js) --figures()--> nodes (arcs), cells (rows) --fold.js--> nodes, cells, pairs (ribbons) few enough to be drawn

import { fold } from './fold.js';
import { count, grouped } from './format.js';
import { isLab, isMulticast, namesOf } from './names.js';

/** Labs up to this size show their silent hosts too, or, on the levels below, their silent clients. */
const SILENT_LIMIT = 40;

export const LEVELS = ['outer', 'inner', 'client'];

const FLOOD = 'flood';
const REST = 'rest';
const GROUP = 'group';

/** The nodes of one picture, made on demand. */
class Nodes {
	constructor(lab, { level, open }) {
		this.names = namesOf(lab);
		this.level = level;
		this.open = new Set(level === 'outer' ? open : []);
		this.all = new Map();
	}

	add(key, make) {
		const node = this.all.get(key);
		return node ?? this.put({ key, sent: 0, got: 0, group: null, client: null, ...make() });
	}

	put(node) {
		this.all.set(node.key, node);
		return node;
	}

	hostOrder(host) {
		return this.names.hosts.get(host)?.order ?? Infinity;
	}

	host(name) {
		if (this.all.has(name))
			return this.all.get(name);
		const host = this.names.hosts.get(name) ?? { name, vtep: name, order: Infinity };
		return this.add(host.name, () => ({
			kind: 'host', name: host.name, address: host.vtep === host.name ? null : host.vtep,
			host: host.name, vni: null, order: [host.order, 0, 0],
		}));
	}

	/** An inner address; what has none goes by its protocol. Inside an opened host, or on its own level beside those of its VNI. */
	inner(hostName, vni, address, clientName, proto) {
		const label = address ?? proto;
		const key = this.level === 'inner' ? `${vni ?? '-'}/${label}` : `${hostName}/${vni ?? '-'}/${label}`;
		if (this.all.has(key))
			return this.all.get(key);
		const name = clientName ?? this.names.innerOf(label);
		const client = this.names.clients.get(clientName);
		const order = [this.hostOrder(hostName), this.names.vniOrder.get(vni) ?? -1, client?.id ?? Infinity];
		return this.add(key, () => ({
			kind: 'inner', name, address: name === label ? null : label, host: hostName, vni,
			client: clientName ?? null, group: this.level === 'inner' ? `VNI ${vni ?? 'none'}` : hostName,
			order: this.level === 'inner' ? [order[1], order[0], order[2]] : order,
		}));
	}

	client(name) {
		if (this.all.has(name))
			return this.all.get(name);
		const { id, host, vni, address } = this.names.clients.get(name);
		return this.add(name, () => ({
			kind: 'client', name, address, host, vni, client: name, group: host, order: [this.hostOrder(host), 0, id],
		}));
	}

	flood() {
		return this.add(FLOOD, () => ({
			kind: FLOOD, name: 'flood', address: 'multicast', host: null, vni: null, order: [Infinity, 1, 0],
		}));
	}

	rest(flows) {
		return this.add(REST, () => ({
			kind: REST, name: 'rest', address: flows ? count(flows, 'smaller flow') : 'other hosts', host: null,
			vni: null, order: [Infinity, 2, 0],
		}));
	}

	/** Hosts from the `from`th on of a folded picture. */
	group({ name, from, place }) {
		return { key: name, kind: GROUP, name: name.replace('-', '–'), address: null, host: null, vni: null, client: null, group: null,
			sent: 0, got: 0, place, order: [from, -1, 0] };
	}

	/** The node at one end ('src' or 'dst') of a flow. */
	end(flow, side) {
		const [outer, inner, client] = side === 'src' ? [flow.outer_src, flow.inner_src, flow.src_client]
			: [flow.outer_dst, flow.inner_dst, flow.dst_client];
		if (isMulticast(outer))
			return this.flood();
		const host = this.names.hostOf(outer);
		if (this.level === 'client')
			return client && this.names.clients.has(client) ? this.client(client) : this.host(host);
		if (this.level === 'inner' || this.open.has(host))
			return this.inner(host, flow.vni, inner, client, flow.inner_proto);
		return this.host(host);
	}

	/** In order round the circle. */
	sorted() {
		const compare = (a, b) => a.order[0] - b.order[0] || a.order[1] - b.order[1] || a.order[2] - b.order[2];
		return [...this.all.values()].sort((a, b) =>
			// Infinity less Infinity is NaN, which falls through to the next criterion, as it should.
			compare(a, b) || a.name.localeCompare(b.name, 'en', { numeric: true }) || (a.key < b.key ? -1 : 1));
	}
}

/** What a cell, or a sum of cells, is made of. `received` and `inner_bytes` end as null where a part of them is unknown. */
export function zeroSum() {
	return {
		packets: 0, bytes: 0, inner_bytes: 0, flows: 0, received: { packets: 0, bytes: 0 }, judged: { sent: 0, received: 0 },
		silent: 0, unplanned: 0, lit: false,
	};
}

/** What cells and amounts have in common. */
function addCounts(into, { packets, bytes, inner_bytes, received }) {
	into.packets += packets;
	into.bytes += bytes;
	into.inner_bytes = into.inner_bytes === null || inner_bytes === null ? null : into.inner_bytes + inner_bytes;
	if (!into.received || !received) {
		into.received = null;
		return;
	}
	into.received.packets += received.packets;
	into.received.bytes += received.bytes;
}

function addSum(into, part) {
	addCounts(into, part);
	into.flows += part.flows;
	into.silent += part.silent;
	into.unplanned += part.unplanned;
	into.judged.sent += part.judged.sent;
	into.judged.received += part.judged.received;
	into.lit ||= part.lit;
}

const NONE = new Set();
const SETS_MAX = 1000;
const sets = new Map();

/** Sets of one value are shared and never change: most cells have one protocol and one VNI, and there are thousands of cells. */
function withValue(set, value) {
	if (set.has(value))
		return set;
	if (set.size > 0)
		return set.size > 1 ? set.add(value) : new Set([...set, value]);
	if (sets.size > SETS_MAX)
		sets.clear();
	if (!sets.has(value))
		sets.set(value, new Set([value]));
	return sets.get(value);
}

function cellOf(cells, from, to) {
	const key = `${from.key}>${to.key}`;
	let cell = cells.get(key);
	if (!cell) {
		cell = {
			key, from, to, packets: 0, bytes: 0, inner_bytes: 0, flows: 0, received: { packets: 0, bytes: 0 }, judged: { sent: 0, received: 0 },
			silent: 0, unplanned: 0, lit: false, protos: NONE, vnis: NONE, encaps: NONE,
		};
		cells.set(key, cell);
	}
	return cell;
}

function addAmount(cell, amount, lit) {
	const { flow, packets, received } = amount;
	addCounts(cell, amount);
	cell.flows++;
	cell.silent += amount.silent ? 1 : 0;
	cell.unplanned += amount.unplanned ? 1 : 0;
	cell.lit ||= lit;
	if (!flow)
		return;
	// A flooded packet arrives many times: it says nothing about loss.
	if (received && !flow.bum && !isMulticast(flow.outer_dst)) {
		cell.judged.sent += packets;
		cell.judged.received += received.packets;
	}
	cell.protos = withValue(cell.protos, flow.inner_proto);
	cell.vnis = withValue(cell.vnis, flow.vni);
	cell.encaps = withValue(cell.encaps, flow.encap);
}

/** Both directions of two nodes as one: [{ key, a, b, ab, ba, forth, back }], a before b in the order of `nodes`. */
function pairUp(nodes, cells, unit) {
	const rank = new Map(nodes.map((node, i) => [node.key, i]));
	const pairs = new Map();
	for (const cell of cells) {
		const forward = rank.get(cell.from.key) <= rank.get(cell.to.key);
		const [a, b] = forward ? [cell.from, cell.to] : [cell.to, cell.from];
		const key = `${a.key}~${b.key}`;
		const pair = pairs.get(key) ?? { key, a, b, ab: 0, ba: 0, forth: null, back: null };
		pair[forward ? 'ab' : 'ba'] += cell[unit];
		pair[forward ? 'forth' : 'back'] = cell;
		pairs.set(key, pair);
	}
	return [...pairs.values()].sort((p, q) => q.ab + q.ba - p.ab - p.ba || (p.key < q.key ? -1 : 1));
}

/** Every host or client that could speak. */
function addSilentNodes(nodes, lab, allows) {
	if ((nodes.level === 'outer' ? lab.hosts : lab.clients).length > SILENT_LIMIT)
		return;
	if (nodes.level === 'outer') {
		for (const host of lab.hosts) {
			if (!nodes.open.has(host.name) && allows.host(host.name))
				nodes.host(host.name);
		}
	}
	for (const { name, host, vni, address } of lab.clients) {
		if (!allows.client(name))
			continue;
		if (nodes.level === 'client')
			nodes.client(name);
		else if (nodes.level === 'inner' || nodes.open.has(host))
			nodes.inner(host, vni, address, name);
	}
}

/** Hosts that spoke once, and flooding, keep their arcs while silent: rare frames must not make the picture jump. */
function keepArcs(nodes, lab, flow) {
	if (nodes.level !== 'outer' || lab.hosts.length > SILENT_LIMIT)
		return;
	for (const side of ['src', 'dst']) {
		if (!nodes.open.has(nodes.names.hostOf(flow[`outer_${side}`])))
			nodes.end(flow, side);
	}
}

/** Which hosts and clients a filter leaves, asked by the flows they could have. */
function allowed(lab, filter) {
	if (!filter)
		return { host: () => true, client: () => true };
	const { hosts } = namesOf(lab);
	const clients = new Set();
	const left = new Set();
	for (const { name, host, vni, address } of lab.clients) {
		const vtep = hosts.get(host)?.vtep;
		const own = ['ipv4/udp', 'ipv4/icmp', 'ipv6/udp', 'ipv6/icmpv6'].map((inner_proto) => ({
			encap: 'vxlan', vni, outer_src: vtep, outer_dst: vtep, inner_src: address, inner_dst: address, inner_proto, bum: false,
			src_client: name, dst_client: name,
		}));
		if (own.some(filter)) {
			clients.add(name);
			left.add(host);
		}
	}
	return { host: (name) => left.has(name), client: (name) => clients.has(name) };
}

/**
 * The figures of `list` (amounts) at the level `view` asks for ({ level, open, unit }): nodes, cells, total. `filter` and
 * `selection` are questions to flows, or null. Every total is the sum of what it heads: total = Σ cells = Σ sent of nodes.
 */
export function figures({ list, rest, restFlows, untold = null }, lab, view, { filter = null, selection = null } = {}) {
	const nodes = new Nodes(lab, view);
	const cells = new Map();
	addSilentNodes(nodes, lab, allowed(lab, filter));
	for (const amount of list) {
		const { flow } = amount;
		if (filter && !(flow && filter(flow)))
			continue;
		if (!flow) {
			addAmount(cellOf(cells, nodes.host(amount.host), nodes.rest(restFlows)), amount, false);
			continue;
		}
		if (!(amount.packets > 0 || amount.received?.packets > 0 || amount.silent)) {
			keepArcs(nodes, lab, flow);
			continue;
		}
		addAmount(cellOf(cells, nodes.end(flow, 'src'), nodes.end(flow, 'dst')), amount, Boolean(selection?.(flow)));
	}
	if (rest && !filter) {
		const own = nodes.rest(restFlows);
		addAmount(cellOf(cells, own, own), rest, false);
	}
	const rows = [...cells.values()].sort((p, q) => q[view.unit] - p[view.unit] || (p.key < q.key ? -1 : 1));
	const total = zeroSum();
	for (const cell of rows) {
		cell.from.sent += cell[view.unit];
		cell.to.got += cell[view.unit];
		addSum(total, cell);
	}
	if (untold && !filter)
		Object.assign(total, known(list, untold));
	const sorted = nodes.sorted();
	for (const node of sorted)
		node.place = nodes.hostOrder(node.host);
	const folded = fold(sorted, rows, {
		unit: view.unit, filters: view.filters, hosts: isLab(lab) ? lab.hosts.length : 0, keep: ({ kind, host }) => kind === 'inner' && nodes.open.has(host),
		make: (kind, how) => (kind === GROUP ? nodes.group(how) : { ...nodes.rest(restFlows), sent: 0, got: 0 }), cellOf, addSum,
	});
	for (const node of folded.drawn) {
		if (node.kind === GROUP)
			node.address = `${grouped(node.members)} active`;
	}
	return {
		nodes: sorted, cells: rows, total, unit: view.unit, selecting: Boolean(selection), drawn: folded.drawn,
		pairs: pairUp(folded.drawn, folded.cells, view.unit), folded: folded.folded,
	};
}

/** What is known of all together also where it is not told flow by flow: inner bytes and what was received. */
function known(list, untold) {
	const sum = { packets: 0, bytes: 0, inner_bytes: untold.inner_bytes, received: untold.received && { ...untold.received } };
	for (const amount of list) {
		if (amount.flow)
			addCounts(sum, amount);
	}
	return { inner_bytes: sum.inner_bytes, received: sum.received };
}

/**
 * The share of packets that did not arrive, null where nothing can be said. Rates (`seconds`, the length of
 * their period) forgive what the edges of the period cut off: one packet, or a thousandth.
 */
export function lossOf({ judged, received }, seconds = 0) {
	if (!received || !(judged.sent > 0))
		return null;
	const missing = judged.sent - judged.received;
	const forgiven = seconds > 0 ? Math.max(1.001 / seconds, judged.sent / 1000) : 0;
	return missing > forgiven ? missing / judged.sent : 0;
}

/** The share of underlay bytes that is encapsulation; null where nothing can be said. */
export function overheadOf({ bytes, inner_bytes }) {
	return bytes > 0 && inner_bytes !== null ? 1 - inner_bytes / bytes : null;
}

/** VNIs of the lab and of what was seen in it, ascending; null stands for tunnels that have none. */
export function vnisOf(lab, flows) {
	const seen = new Set(lab.vnis.map(({ vni }) => vni));
	for (const flow of flows)
		seen.add(flow.vni);
	return [...seen].sort((a, b) => (a ?? Infinity) - (b ?? Infinity));
}
