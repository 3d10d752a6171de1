// SPDX-License-Identifier: Apache-2.0
// Samples to figures: who sent how much to whom, seen at the level the user has opened. Pure: no page, no
// clock. Everything is keyed by name (host0, host0/10002/192.168.2.1), never by position.
//
//   period of samples --amounts()--> growth per flow --figures()--> nodes (arcs), cells (rows), pairs (ribbons)

/** Beyond this many ribbons (directions) the smaller pairs are folded into "rest", ribbons to "rest" included.
 *  Measured: without a GPU a browser animates 200 at 60 frames a second, 300 at 50. */
export const RIBBON_LIMIT = 240;

/** When folding, no more nodes than this are kept. */
const KEPT_NODES = 60;

/** Labs up to this size show their silent hosts too. */
const SILENT_HOSTS_LIMIT = 40;

const FLOOD = 'flood';
const REST = 'rest';

/** 4789-style multicast groups and their IPv6 sisters: no single host is the destination. */
export function isMulticast(address) {
	return /^(22[4-9]|23\d)\./.test(address) || /^ff[0-9a-f]{2}:/i.test(address);
}

function flowKey(f) {
	return [f.encap, f.vni, f.outer_src, f.outer_dst, f.inner_src, f.inner_dst, f.inner_proto].join('|');
}

const indexes = new WeakMap();

/** Flows of a sample by key, made once per sample. */
function index(sample) {
	let flows = indexes.get(sample);
	if (!flows) {
		flows = new Map(sample.flows.map((flow) => [flowKey(flow), flow]));
		indexes.set(sample, flows);
	}
	return flows;
}

const grown = (now, then, seconds) => Math.max(0, now - then) / seconds;

/**
 * What each flow sent and what arrived of it in a period: [{ flow, packets, bytes, received }], `received`
 * null where nobody could count it. The server's own remainder comes as a flow of null addresses.
 */
export function amounts({ now, then, seconds }) {
	const earlier = then ? index(then) : new Map();
	const capped = (then?.rest?.flows ?? 0) > 0;
	const zero = { packets: 0, bytes: 0, received: { packets: 0, bytes: 0 } };
	const list = [];
	for (const [key, flow] of index(now)) {
		// Unknown before while some flows were left off: its growth is unknown, and a leap would be a lie.
		const before = earlier.get(key) ?? (capped ? flow : zero);
		list.push({
			flow,
			packets: grown(flow.packets, before.packets, seconds),
			bytes: grown(flow.bytes, before.bytes, seconds),
			received: flow.received ? {
				packets: grown(flow.received.packets, before.received?.packets ?? 0, seconds),
				bytes: grown(flow.received.bytes, before.received?.bytes ?? 0, seconds),
			} : null,
		});
	}
	if (now.rest?.flows > 0) {
		list.push({
			flow: null,
			packets: grown(now.rest.packets, then?.rest?.packets ?? 0, seconds),
			bytes: grown(now.rest.bytes, then?.rest?.bytes ?? 0, seconds),
			received: now.rest.received ? {
				packets: grown(now.rest.received.packets, then?.rest?.received?.packets ?? 0, seconds),
				bytes: grown(now.rest.received.bytes, then?.rest?.received?.bytes ?? 0, seconds),
			} : null,
		});
	}
	return list;
}

const topologies = new WeakMap();

/** A lab's hosts and clients by the names and addresses they go by, made once per lab. */
function topology(lab) {
	let known = topologies.get(lab);
	if (!known) {
		known = {
			byVtep: new Map(lab.hosts.map((host, order) => [host.vtep, { ...host, order }])),
			byName: new Map(lab.hosts.map((host, order) => [host.name, { ...host, order }])),
			clients: new Map(lab.clients.map((client) => [client.name, client])),
		};
		topologies.set(lab, known);
	}
	return known;
}

/** The nodes of one picture, made on demand. */
class Nodes {
	constructor(lab, open) {
		this.known = topology(lab);
		this.open = open;
		this.all = new Map();
	}

	add(key, make) {
		let node = this.all.get(key);
		if (!node) {
			node = { key, sent: 0, got: 0, order: [], ...make() };
			this.all.set(key, node);
		}
		return node;
	}

	host(address) {
		const host = this.known.byVtep.get(address) ?? { name: address, vtep: address, order: Infinity };
		return this.add(host.name, () => ({
			kind: 'host', name: host.name, address: host.vtep === host.name ? null : host.vtep,
			host: host.name, vni: null, order: [host.order, 0, 0],
		}));
	}

	client(client) {
		return this.inner(client.host, client.vni, client.address, client.name);
	}

	/** An end of a flow inside an opened host; what has no inner address goes by its protocol. */
	inner(hostName, vni, address, clientName, proto) {
		const label = address ?? proto;
		const client = clientName ? this.known.clients.get(clientName) : null;
		return this.add(`${hostName}/${vni ?? '-'}/${label}`, () => ({
			kind: 'inner', name: clientName ?? label, address: clientName ? label : null,
			host: hostName, vni, client: clientName ?? null,
			order: [this.known.byName.get(hostName)?.order ?? Infinity, vni ?? -1, client?.id ?? Infinity],
		}));
	}

	end(outer, vni, address, clientName, proto) {
		if (isMulticast(outer)) {
			return this.add(FLOOD, () => ({
				kind: FLOOD, name: 'flood', address: 'multicast', host: null, vni: null,
				order: [Infinity, 1, 0],
			}));
		}
		return this.isOpen(outer) ? this.inner(this.nameOf(outer), vni, address, clientName, proto) : this.host(outer);
	}

	nameOf(outer) {
		return this.known.byVtep.get(outer)?.name ?? outer;
	}

	isOpen(outer) {
		return this.open.has(this.nameOf(outer));
	}

	rest(flows) {
		return this.add(REST, () => ({
			kind: REST, name: 'rest', address: flows ? `${flows} smaller flows` : 'smaller pairs', host: null,
			vni: null, order: [Infinity, 2, 0],
		}));
	}

	/** In order round the circle: host number, then VNI, then client number. */
	sorted() {
		const compare = (a, b) => a.order[0] - b.order[0] || a.order[1] - b.order[1] || a.order[2] - b.order[2];
		return [...this.all.values()].sort((a, b) =>
			// Infinity less Infinity is NaN, which falls through to the next criterion, as it should.
			compare(a, b) || a.name.localeCompare(b.name, 'en', { numeric: true }) || (a.key < b.key ? -1 : 1));
	}
}

/** What a cell, or a sum of cells, is made of. `received` ends as null where a part of it is unknown. */
function zeroSum() {
	return {
		packets: 0, bytes: 0, flows: 0, received: { packets: 0, bytes: 0 }, judged: { sent: 0, received: 0 },
	};
}

function addSum(into, part) {
	into.packets += part.packets;
	into.bytes += part.bytes;
	into.flows += part.flows;
	into.received = into.received && part.received && {
		packets: into.received.packets + part.received.packets,
		bytes: into.received.bytes + part.received.bytes,
	};
	into.judged.sent += part.judged.sent;
	into.judged.received += part.judged.received;
}

function cellOf(cells, from, to) {
	const key = `${from.key}>${to.key}`;
	if (!cells.has(key))
		cells.set(key, { key, from, to, ...zeroSum() });
	return cells.get(key);
}

function addAmount(cell, { flow, packets, bytes, received }) {
	// A flooded packet arrives many times: it says nothing about loss.
	const judged = flow && received && !flow.bum && !isMulticast(flow.outer_dst)
		? { sent: packets, received: received.packets } : { sent: 0, received: 0 };
	addSum(cell, { packets, bytes, flows: 1, received, judged });
}

/** Both directions of two nodes as one: [{ key, a, b, ab, ba }], a before b in the order of `nodes`. */
function pairUp(nodes, cells, unit) {
	const rank = new Map(nodes.map((node, i) => [node.key, i]));
	const pairs = new Map();
	for (const cell of cells) {
		const forward = rank.get(cell.from.key) <= rank.get(cell.to.key);
		const [a, b] = forward ? [cell.from, cell.to] : [cell.to, cell.from];
		const key = `${a.key}~${b.key}`;
		const pair = pairs.get(key) ?? { key, a, b, ab: 0, ba: 0 };
		pair[forward ? 'ab' : 'ba'] += cell[unit];
		pairs.set(key, pair);
	}
	return [...pairs.values()].sort((p, q) => q.ab + q.ba - p.ab - p.ba || (p.key < q.key ? -1 : 1));
}

/** Keeps the largest pairs and turns what remains to "rest": what a kept node sent stays its own. */
function fold(nodes, cells, unit) {
	if (cells.size <= RIBBON_LIMIT)
		return cells;
	const weights = new Map();
	for (const cell of cells.values()) {
		for (const { key } of [cell.from, cell.to])
			weights.set(key, (weights.get(key) ?? 0) + cell[unit]);
	}
	const heaviest = [...weights].sort((p, q) => q[1] - p[1] || (p[0] < q[0] ? -1 : 1)).slice(0, KEPT_NODES);
	const keptNodes = new Set(heaviest.map(([key]) => key));
	const room = (RIBBON_LIMIT - 2 * keptNodes.size) / 2;
	const pairs = pairUp(nodes.sorted(), cells.values(), unit)
		.filter(({ a, b }) => keptNodes.has(a.key) && keptNodes.has(b.key)).slice(0, room);
	const kept = new Set(pairs.flatMap(({ a, b }) => [`${a.key}>${b.key}`, `${b.key}>${a.key}`]));
	const rest = nodes.rest();
	const folded = new Map();
	for (const cell of cells.values()) {
		const from = keptNodes.has(cell.from.key) ? cell.from : rest;
		const whole = kept.has(cell.key) || (from === rest && keptNodes.has(cell.to.key));
		addSum(cellOf(folded, from, whole ? cell.to : rest), cell);
	}
	for (const key of nodes.all.keys()) {
		if (!keptNodes.has(key) && key !== REST)
			nodes.all.delete(key);
	}
	return folded;
}

/** Every host, or every client of an opened one, that could speak in the selected VNI. */
function addSilent(nodes, lab, vni) {
	if (lab.hosts.length > SILENT_HOSTS_LIMIT)
		return;
	const inside = lab.clients.filter((client) => vni === 'all' || client.vni === vni);
	const present = new Set(inside.map((client) => client.host));
	for (const host of lab.hosts) {
		if (!nodes.open.has(host.name) && (present.has(host.name) || vni === 'all'))
			nodes.host(host.vtep);
	}
	for (const client of inside) {
		if (nodes.open.has(client.host))
			nodes.client(client);
	}
}

/** Hosts that spoke once, and flooding, keep their arcs while silent: rare frames must not make the picture jump. */
function keepArcs(nodes, lab, { outer_src, outer_dst }) {
	if (lab.hosts.length > SILENT_HOSTS_LIMIT)
		return;
	for (const outer of [outer_src, outer_dst]) {
		if (!nodes.isOpen(outer))
			nodes.end(outer);
	}
}

/** Who sent most, as near to a person as it is known: { name, host, value, packets, to } or null. */
function topTalker(list, lab, unit) {
	const known = topology(lab);
	const talkers = new Map();
	for (const amount of list) {
		if (!amount.flow || !(amount[unit] > 0))
			continue;
		const { flow } = amount;
		const host = known.byVtep.get(flow.outer_src)?.name ?? flow.outer_src;
		const name = flow.src_client ?? flow.inner_src ?? flow.inner_proto;
		const key = `${host}/${flow.vni}/${name}`;
		const talker = talkers.get(key) ?? { name, host, vni: flow.vni, value: 0 };
		talker.value += amount[unit];
		talkers.set(key, talker);
	}
	return [...talkers.values()].reduce((top, talker) => (top && top.value >= talker.value ? top : talker), null);
}

/**
 * The picture of a period: `list` from amounts(), at the level `view` asks for
 * ({ vni: 'all' | null | number, unit: 'bytes' | 'packets', open: Set of host names }).
 * Every total is the sum of what it heads: total = Σ cells = Σ sent of nodes.
 */
export function figures(list, lab, view) {
	const nodes = new Nodes(lab, view.open);
	const chosen = list.filter(({ flow }) => view.vni === 'all' || (flow && flow.vni === view.vni));
	let cells = new Map();
	addSilent(nodes, lab, view.vni);
	for (const amount of chosen) {
		const { flow } = amount;
		if (!flow) {
			const rest = nodes.rest();
			addAmount(cellOf(cells, rest, rest), amount);
			continue;
		}
		if (!(amount.packets > 0 || amount.received?.packets > 0)) {
			keepArcs(nodes, lab, flow);
			continue;
		}
		const from = nodes.end(flow.outer_src, flow.vni, flow.inner_src, flow.src_client, flow.inner_proto);
		const to = nodes.end(flow.outer_dst, flow.vni, flow.inner_dst, flow.dst_client, flow.inner_proto);
		addAmount(cellOf(cells, from, to), amount);
	}
	cells = fold(nodes, cells, view.unit);
	const rows = [...cells.values()].sort((p, q) => q[view.unit] - p[view.unit] || (p.key < q.key ? -1 : 1));
	const total = zeroSum();
	for (const cell of rows) {
		cell.from.sent += cell[view.unit];
		cell.to.got += cell[view.unit];
		addSum(total, cell);
	}
	const sorted = nodes.sorted();
	return {
		nodes: sorted, cells: rows, pairs: pairUp(sorted, rows, view.unit), total,
		talker: topTalker(chosen, lab, view.unit), unit: view.unit,
	};
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

/** VNIs of the lab and of what was seen in it, ascending; null stands for tunnels that have none. */
export function vnisOf(lab, sample) {
	const seen = new Set(lab.vnis.map(({ vni }) => vni));
	for (const flow of sample?.flows ?? [])
		seen.add(flow.vni);
	return [...seen].sort((a, b) => (a ?? Infinity) - (b ?? Infinity));
}
