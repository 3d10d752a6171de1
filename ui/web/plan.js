// SPDX-License-Identifier: Apache-2.0
// What was planned beside what was seen: pairs that should talk and do not, and flows nobody ordered. Pure.

import { isLab, namesOf } from './names.js';

/** Pairs looked for in a lab; more would be drawn as "rest" anyway. */
const PAIRS_MAX = 4000;

const known = new WeakMap();

/** "500pps" as packets a second; null where it depends on sizes or has no limit. */
function packetsPerSecond(rate) {
	const match = /^([\d.]+)([km]?)pps/i.exec(rate ?? '');
	return match ? Number(match[1]) * { '': 1, k: 1e3, m: 1e6 }[match[2].toLowerCase()] : null;
}

/** A flow's or a direction's two ends, "c0 c8". */
export const endsOf = (from, to) => `${from} ${to}`;

/** Each direction that a generator makes: { from, to, ends, proto, running, pps }, pps null where unknown. */
function directions(traffic) {
	const list = [];
	for (const { from, to, peers, proto, rate, state } of traffic) {
		const pps = packetsPerSecond(rate);
		for (const other of to) {
			const one = { proto, running: state === 'running', pps: pps && pps / (peers || 1) };
			list.push({ from, to: other, ends: endsOf(from, other), ...one });
			if (proto === 'ping')
				list.push({ from: other, to: from, ends: endsOf(other, from), ...one });
		}
		if (list.length > PAIRS_MAX)
			break;
	}
	return list;
}

/** Frames that hosts exchange by themselves: ARP, neighbour discovery, multicast reports. */
function isChatter(flow) {
	return !/^ipv[46]\//.test(flow.inner_proto) || flow.inner_proto === 'ipv4/igmp'
		|| (flow.inner_proto === 'ipv6/icmpv6' && (/^ff/i.test(flow.inner_dst) || /^fe80/i.test(flow.inner_src)));
}

const protoOf = (flow) => ({ 'ipv4/icmp': 'ping', 'ipv6/icmpv6': 'ping', 'ipv4/udp': 'udp', 'ipv6/udp': 'udp' })[flow.inner_proto];

/** { directions, verdict(flow) } of a lab, a verdict being { ends, explained }; null where there is no traffic plan to compare with. */
export function planOf(lab) {
	if (!isLab(lab) || !Array.isArray(lab.traffic))
		return null;
	let plan = known.get(lab);
	if (!plan) {
		const list = directions(lab.traffic);
		const keys = new Set(list.map(({ from, to, proto }) => `${from} ${to} ${proto}`));
		// A generator with more peers than the lab document names may talk to any of them.
		const open = new Set(lab.traffic.filter(({ to, peers }) => peers > to.length).map(({ from, proto }) => `${from} ${proto}`));
		const explains = (flow) => {
			const proto = protoOf(flow);
			const { src_client: src, dst_client: dst } = flow;
			return isChatter(flow) || keys.has(`${src} ${dst} ${proto}`) || open.has(`${src} ${proto}`)
				|| (proto === 'ping' && open.has(`${dst} ${proto}`))
				|| (flow.inner_proto === 'ipv6/icmpv6' && (keys.has(`${src} ${dst} udp`) || keys.has(`${dst} ${src} udp`)));
		};
		const verdicts = new WeakMap(); // thousands of flows are asked for each second, and the answer stays
		plan = {
			directions: list,
			verdict(flow) {
				let verdict = verdicts.get(flow);
				if (!verdict)
					verdicts.set(flow, verdict = { ends: endsOf(flow.src_client, flow.dst_client), explained: explains(flow) });
				return verdict;
			},
		};
		known.set(lab, plan);
	}
	return plan;
}

/** A direction as the flow it would make, for views that ask flows. */
function flowOf(direction, names) {
	const [from, to] = [names.clients.get(direction.from), names.clients.get(direction.to)];
	const hosts = [names.hosts.get(from?.host), names.hosts.get(to?.host)];
	if (!hosts[0] || !hosts[1])
		return null;
	return {
		id: null, encap: 'vxlan', vni: from.vni, outer_src: hosts[0].vtep, outer_dst: hosts[1].vtep, inner_src: from.address,
		inner_dst: to.address, bum: false, src_client: direction.from, dst_client: direction.to,
		inner_proto: `ipv${from.address?.includes(':') ? 6 : 4}/${direction.proto === 'udp' ? 'udp'
			: from.address?.includes(':') ? 'icmpv6' : 'icmp'}`,
	};
}

/** How far back silence is looked for, in seconds: a direction is silent if it should have sent three packets by then. */
const LOOK_BACK = [3, 10, 60];

/**
 * Marks amounts that nobody planned (`unplanned`; not in a lab with a riddle, which it would solve) and adds those that were planned, run, and are silent. `seenIn(seconds)`: the set
 * of "from to" that sent something in the last so many seconds, null where that is not known.
 */
export function compare(lab, list, seenIn) {
	const plan = planOf(lab);
	if (!plan)
		return list;
	const names = namesOf(lab);
	const seenBy = new Map(LOOK_BACK.map((seconds) => [seconds, undefined]));
	const spoke = new Set();
	for (const amount of list) {
		if (!amount.flow || !(amount.packets > 0))
			continue;
		const { ends, explained } = plan.verdict(amount.flow);
		amount.unplanned = !lab.secret && !explained;
		spoke.add(ends);
	}
	const silent = [];
	for (const direction of plan.directions) {
		const key = direction.ends;
		if (!direction.running || spoke.has(key))
			continue;
		const back = LOOK_BACK.find((seconds) => direction.pps === null || direction.pps * seconds >= 3);
		if (back && seenBy.get(back) === undefined)
			seenBy.set(back, seenIn(back));
		const seen = seenBy.get(back);
		spoke.add(key);
		const flow = seen && !seen.has(key) && flowOf(direction, names);
		if (flow)
			silent.push({ flow, host: null, packets: 0, bytes: 0, inner_bytes: 0, received: { packets: 0, bytes: 0 }, silent: true });
	}
	return [...list, ...silent];
}
