// SPDX-License-Identifier: Apache-2.0
// Small labs and samples for the page's unit tests, in the shapes the server sends.

/** `hosts` hosts with one client in each of `vnis`, numbered as the contract says. */
export function lab(hosts = 3, vnis = [10000, 10001]) {
	const made = { name: 'test', encap: 'vxlan', underlay: '172.16.1.0/24', hosts: [], vnis: [], clients: [] };
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
export function flow(i, j, packets, other = {}) {
	const bytes = packets * 100;
	return {
		encap: 'vxlan', vni: 10000, outer_src: vtep(i), outer_dst: vtep(j), inner_src: inner(i), inner_dst: inner(j),
		inner_proto: 'ipv4/udp', bum: false, packets, bytes, inner_bytes: packets * 50,
		received: { packets, bytes }, src_client: `c${2 * i}`, dst_client: `c${2 * j}`, ...other,
	};
}

export function sample(seq, flows, other = {}) {
	return {
		schema: 'tunlab.flows/1', source: 'test', elapsed_s: seq, seq, time: 1e9 + seq, interval_s: 1, flows,
		other: { packets: 0, bytes: 0 },
		monitor: { seen: 0, lost: 0, truncated: 0, unknown: 0, flows: flows.length, capacity: 65536 }, ...other,
	};
}

export const view = (other = {}) => ({ vni: 'all', unit: 'packets', open: new Set(), ...other });
