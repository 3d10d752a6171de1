// SPDX-License-Identifier: Apache-2.0
// Small labs, flows and feeds for the page's unit tests, in the shapes the server sends.
import { learn, newStore } from '../../ui/web/store.js';

/** `hosts` hosts with one client in each of `vnis`, numbered as the contract says. */
export function lab(hosts = 3, vnis = [10000, 10001]) {
	const made = { name: 'test', encap: 'vxlan', underlay: '172.16.1.0/24', hosts: [], vnis: [], clients: [], traffic: [] };
	for (const vni of vnis)
		made.vnis.push({ vni });
	for (let i = 0; i < hosts; i++) {
		made.hosts.push({ name: `host${i}`, vtep: vtep(i) });
		vnis.forEach((vni, j) => made.clients.push({
			id: i * vnis.length + j, name: `c${i * vnis.length + j}`, host: `host${i}`, vni, address: inner(i, j),
		}));
	}
	return made;
}

export const vtep = (i) => `172.16.${1 + (i >> 7)}.${100 + (i & 127)}`;
export const inner = (i, j = 0) => `192.168.${j}.${i + 1}`;

/** A flow from host `i` to host `j` in VNI 10000; anything can be said otherwise. */
export function flow(i, j, other = {}) {
	return {
		encap: 'vxlan', vni: 10000, outer_src: vtep(i), outer_dst: vtep(j), inner_src: inner(i), inner_dst: inner(j),
		inner_proto: 'ipv4/udp', bum: false, src_client: `c${2 * i}`, dst_client: `c${2 * j}`, ...other,
	};
}

/** That flow with what it sent, as span.js makes it. */
export function amount(i, j, packets, { bytes = packets * 100, received = { packets, bytes }, silent, unplanned, ...other } = {}) {
	return { flow: flow(i, j, other), host: null, packets, bytes, inner_bytes: bytes / 2, received, silent, unplanned };
}

export const sums = (list, rest = null) => ({ list, rest, restFlows: rest ? 70 : 0, uplinks: new Map(), per: 1 });

export const view = (other = {}) => ({ level: 'outer', unit: 'packets', open: [], ...other });

const client = (name) => (name === null ? -1 : Number(name.slice(1)));

function definition(id, f, counts) {
	return [id, f.encap, f.vni, f.outer_src, f.outer_dst, f.inner_src, f.inner_dst, f.inner_proto, f.bum, client(f.src_client),
		client(f.dst_client), ...counts];
}

/** The health record of a lab that does well. */
export const health = {
	state: 'ok', reason: null, seen: 0, decoded: 0, other: 0, lost: 0, lost_bytes: 0, truncated: 0, unknown: 0, malformed: 0, flows: 0,
	aged: 0, folded: 0, capacity: 65536, otherhost: 0, later_fragments: 0, fill: 0,
	cost: { ns_per_packet: null, not_measured: 'not enabled: start with --stats', run_ns: 0, runs: 0, cpu_share: 0.01, cpu_s: 0.1 },
};

/** A lab that sends: told what each flow's growth is, it makes the messages of the feed. */
export class Feed {
	constructor(where = lab(), run = 1) {
		this.lab = where;
		this.run = run;
		this.flows = [];
		this.totals = [];
		this.seq = 1;
	}

	base() {
		return {
			schema: 'tunlab.feed/1', source: this.lab.name, run: this.run, seq: this.seq, elapsed_s: this.seq, oldest: 2,
			define: this.flows.map((one, id) => definition(id, one, this.totals[id])), total: this.total(),
		};
	}

	total() {
		return [0, 1, 2, 3, 4].map((k) => this.totals.reduce((sum, counts) => sum + counts[k], 0));
	}

	/** One second later: `grown` is [[flow, packets]…], `other` any member of the frame. */
	frame(grown, other = {}) {
		this.seq++;
		const define = [];
		const rows = grown.map(([one, packets, received = packets]) => {
			let id = this.flows.indexOf(one);
			const counts = [packets, packets * 100, packets * 50, received, received * 100];
			if (id < 0) {
				id = this.flows.push(one) - 1;
				this.totals.push([0, 0, 0, 0, 0]);
				define.push(id);
			}
			counts.forEach((value, k) => this.totals[id][k] += value);
			return [id, ...counts];
		});
		return {
			seq: this.seq, time: 1e9 + this.seq, elapsed_s: this.seq, interval_s: 1, lab: 1,
			define: define.map((id) => definition(id, this.flows[id], this.totals[id])), grown: rows, rest: [0, 0, 0, 0, 0, 0],
			hosts: [], vnis: [], total: this.total(), other: { packets: 0, bytes: 0 },
			monitor: { ...health, flows: this.flows.length }, ...other,
		};
	}
}

/** A store that was told the lab and then `frames` ([[flow, packets]…] each). */
export function fed(frames, feed = new Feed()) {
	const store = newStore();
	learn(store, { type: 'lab', lab: feed.lab });
	learn(store, { type: 'link', state: 'live' });
	learn(store, { type: 'base', base: feed.base() });
	for (const grown of frames)
		learn(store, { type: 'frame', frame: feed.frame(grown) });
	return store;
}
