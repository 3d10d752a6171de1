// SPDX-License-Identifier: Apache-2.0
// What the monitor says of itself, and why its figures may not be trusted: the health record of a frame, as every other view of the
// lab shows it. Pure.

import { amount, grouped, share } from './format.js';

const perFrame = ({ ns_per_packet }) => (ns_per_packet === null ? 'not measured' : `${ns_per_packet.toFixed(1)}\u00a0ns`);

function costFacts(cost) {
	if (!cost)
		return [];
	return [
		['per frame', perFrame(cost), `what the program in the kernel takes${cost.not_measured ? `: ${cost.not_measured}` : ', on average'}`],
		['processor', cost.cpu_share === null ? '…' : share(cost.cpu_share, 1).replace('–', '0 %'),
			'of one: sampling and serving pages; the packet path in the kernel is not in it'],
	];
}

/** [[name, value, explanation]] */
export function healthFacts({ monitor }) {
	const lost = monitor.lost ? ` (${amount(monitor.lost_bytes, 'bytes')})` : '';
	return [
		['seen', grouped(monitor.seen), 'frames the monitor was given, super-packets as one'],
		['decoded', grouped(monitor.decoded), 'tunnel packets in flows, sent and received'],
		['not tunnelled', grouped(monitor.other), 'other frames, sent and received'],
		['lost', grouped(monitor.lost) + lost, 'packets not counted because the flow table was full'],
		['truncated', grouped(monitor.truncated), 'frames that end within their headers'],
		['unknown', grouped(monitor.unknown), `tunnel packets whose headers make no sense; ${grouped(monitor.malformed)} of them contradict themselves`],
		['others\'', grouped(monitor.otherhost), 'frames flooded to a host they were not for'],
		['fragments', grouped(monitor.later_fragments), 'later fragments, which show no tunnel header; part of not tunnelled'],
		['flow table', `${grouped(monitor.flows - monitor.aged)} of ${grouped(monitor.capacity)}`,
			`flows, and how many surely fit: ${share(monitor.fill, 1)} full; those long idle are out of it and listed all the same: ${grouped(monitor.aged)}`],
		...costFacts(monitor.cost),
	];
}

/** Why health is amber; '' when all is well. */
export const healthWarning = ({ monitor }) => (monitor.state === 'ok' ? '' : monitor.reason);
