// SPDX-License-Identifier: Apache-2.0
// A lab's hosts and clients by the names and addresses they go by. Pure; made once per lab.

const known = new WeakMap();

/** Is it a lab, with a plan to compare with, and every packet counted where it leaves and where it arrives? Else a machine's interfaces
 *  ("monitor") or a file ("capture") are watched from one place. */
export const isLab = ({ kind }) => (kind ?? 'lab') === 'lab';

/** { hosts: Map name -> host with order, byVtep, clients: Map name -> client, hostOf(address), innerOf(address) } */
export function namesOf(lab) {
	let names = known.get(lab);
	if (!names) {
		const hosts = new Map(lab.hosts.map((host, order) => [host.name, { ...host, order }]));
		const inner = new Map((lab.names ?? []).map(({ address, name }) => [address, name]));
		const byVtep = new Map([...hosts.values()].map((host) => [host.vtep, host]));
		names = {
			hosts, byVtep, clients: new Map(lab.clients.map((client) => [client.name, client])),
			vniOrder: new Map(lab.vnis.map(({ vni }, i) => [vni, i])),
			hostOf: (address) => byVtep.get(address)?.name ?? address, innerOf: (address) => inner.get(address) ?? address,
		};
		known.set(lab, names);
	}
	return names;
}

/** 4789-style multicast groups and their IPv6 sisters: no single host is the destination. */
export function isMulticast(address) {
	const first = address.charCodeAt(0) | 32; // asked of both ends of thousands of flows each second
	return first === 50 ? /^(22[4-9]|23\d)\./.test(address) : first === 102 && /^ff[0-9a-f]{2}:/i.test(address);
}

/** A range of hosts by their places, "host0-99", which filters and selections know too. */
export const rangeName = (first, last) => (first === last ? `host${first}` : `host${first}-${last}`);

/** { first, last } of such a name, null of any other. */
export function rangeOf(name) {
	const match = /^host(\d{1,5})-(\d{1,5})$/.exec(name);
	return match ? { first: Number(match[1]), last: Number(match[2]) } : null;
}

/** Is a host the one of that name, or in that range? */
export function hostIs(host, name, { hosts }) {
	const range = host === name ? null : rangeOf(name);
	const order = range ? hosts.get(host)?.order ?? -1 : 0;
	return range ? order >= range.first && order <= range.last : host === name;
}
