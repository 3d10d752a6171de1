// SPDX-License-Identifier: Apache-2.0
// Words to questions asked of a flow: filters (chips), the search box, the selection. Pure.
//
// A filter is { field, value, not }. Filters of one field are alternatives, different fields must all agree, and
// nothing that is excluded comes through. In text: "vni:10003", "-proto:arp".

import { hostIs, rangeOf } from './names.js';

export const FIELDS = ['host', 'vni', 'client', 'proto', 'addr', 'encap'];

const PREFIX = { from: 'client', to: 'client', address: 'addr', protocol: 'proto', ip: 'addr' };

/** "-vni:10003" as a filter; null where there is no field of that name or no value. */
export function parseFilter(text) {
	const match = /^([-!]?)([a-z]+):(.+)$/i.exec(text.trim());
	const field = match && (PREFIX[match[2].toLowerCase()] ?? match[2].toLowerCase());
	return match && FIELDS.includes(field) ? { field, value: match[3].trim(), not: match[1] !== '' } : null;
}

export function formatFilter({ field, value, not }) {
	return `${not ? '-' : ''}${field}:${value}`;
}

export const sameFilter = (a, b) => a.field === b.field && a.value === b.value;

/** What a plain word stands for, if it can stand for one thing only: "c3", "host0", "10003", "192.168.3.1", "udp". */
export function guessFilter(text, lab) {
	const not = /^[-!]/.test(text);
	const value = text.replace(/^[-!]/, '').trim();
	const is = (field) => ({ field, value, not });
	if (rangeOf(value) || lab.hosts.some(({ name }) => name === value))
		return is('host');
	if (/^c\d+$/.test(value))
		return is('client');
	if (lab.vnis.some(({ vni }) => String(vni) === value))
		return is('vni');
	if (/^[\da-f]*[.:][\da-f.:]+$/i.test(value))
		return is('addr');
	return /^(udp|tcp|icmp|ping|arp|icmpv6|igmp|sctp)$/i.test(value) ? is('proto') : null;
}

function protoIs(proto, value) {
	const wanted = value.toLowerCase();
	const names = wanted === 'ping' ? ['ipv4/icmp', 'ipv6/icmpv6'] : [wanted];
	return names.some((name) => proto === name || proto.endsWith(`/${name}`) || (name === 'ip' && proto.startsWith('ipv')));
}

/** Does a subnet or an address prefix ("192.168.3.") hold an address? */
function addressIs(address, value) {
	return address === value || (address !== null && /[.:]$/.test(value) && address.startsWith(value));
}

const TESTS = {
	host: (flow, value, names) => hostIs(names.hostOf(flow.outer_src), value, names) || hostIs(names.hostOf(flow.outer_dst), value, names),
	vni: (flow, value) => String(flow.vni ?? 'none') === value,
	client: (flow, value) => flow.src_client === value || flow.dst_client === value,
	proto: (flow, value) => protoIs(flow.inner_proto, value),
	addr: (flow, value, { innerOf }) => [flow.inner_src, flow.inner_dst, flow.outer_src, flow.outer_dst].some((own) => addressIs(own, value))
		|| innerOf(flow.inner_src) === value || innerOf(flow.inner_dst) === value,
	encap: (flow, value) => flow.encap === value.toLowerCase(),
};

/** Every name a flow goes by, for the search box. */
function wordsOf(flow, { hostOf, innerOf }) {
	return [hostOf(flow.outer_src), hostOf(flow.outer_dst), flow.src_client, flow.dst_client, flow.vni, flow.inner_proto, flow.encap,
		flow.inner_src, flow.inner_dst, flow.outer_src, flow.outer_dst, innerOf(flow.inner_src), innerOf(flow.inner_dst)].join(' ').toLowerCase();
}

/** The question that filters and search ask together; null when they let everything through. */
export function filterOf({ filters, search }, names) {
	const words = search.toLowerCase().split(/\s+/).filter(Boolean);
	if (!filters.length && !words.length)
		return null;
	const excluded = filters.filter(({ not }) => not);
	const wanted = FIELDS.map((field) => filters.filter((one) => !one.not && one.field === field)).filter((list) => list.length);
	const asks = (flow) => ({ field, value }) => TESTS[field](flow, value, names);
	return (flow) => !excluded.some(asks(flow)) && wanted.every((list) => list.some(asks(flow)))
		&& words.every((word) => (/^[-!]./.test(word) ? !wordsOf(flow, names).includes(word.slice(1)) : wordsOf(flow, names).includes(word)));
}

/** The names under which one end of a flow can be selected, whatever level a view shows. */
export function endNames(flow, side, { hostOf }) {
	if (side === 'dst' && flow.bum)
		return ['flood'];
	const host = hostOf(flow[`outer_${side}`]);
	const label = flow[`inner_${side}`] ?? flow.inner_proto;
	return [host, flow[`${side}_client`], `${host}/${flow.vni ?? '-'}/${label}`, `${flow.vni ?? '-'}/${label}`];
}

/** The question a selection asks: "c3" is either end, "host0~host8" both ends in either direction. Null for none. */
export function selectionOf(selected, names) {
	if (!selected)
		return null;
	const [a, b] = selected.split('~');
	const has = (flow, side, name) => endNames(flow, side, names).includes(name)
		|| (!(side === 'dst' && flow.bum) && hostIs(names.hostOf(flow[`outer_${side}`]), name, names));
	if (b === undefined)
		return (flow) => has(flow, 'src', a) || has(flow, 'dst', a);
	return (flow) => (has(flow, 'src', a) && has(flow, 'dst', b)) || (has(flow, 'src', b) && has(flow, 'dst', a));
}
