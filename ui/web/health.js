// SPDX-License-Identifier: Apache-2.0
// What the monitor says of itself, and why its figures may not be trusted. Pure.

import { grouped, share } from './format.js';
import { indexOf } from './store.js';

/** Samples that "just now" means. */
const RECENT = 10;

/** Growth of a frame's figure over the last samples. */
function recent(store, frame, read) {
	const last = indexOf(store, frame.seq);
	const before = store.frames[Math.max(0, last - RECENT)];
	return { grown: read(frame) - read(before), seconds: frame.elapsed_s - before.elapsed_s };
}

/** [[name, value, explanation]] */
export function healthFacts(store, frame) {
	const { monitor, other, total } = frame;
	const cost = recent(store, frame, ({ cpu_s }) => cpu_s);
	return [
		['seen', grouped(monitor.seen), 'frames the monitor was given, super-packets as one'],
		['decoded', grouped(total[0] + total[3]), 'tunnel packets in flows, sent and received'],
		['not tunnelled', grouped((other?.packets ?? 0) + (other?.received?.packets ?? 0)), 'other frames, sent and received'],
		['lost', grouped(monitor.lost), 'packets not counted because the flow table was full'],
		['truncated', grouped(monitor.truncated), 'frames too short to read'],
		['unknown', grouped(monitor.unknown), 'tunnel packets of a kind not understood'],
		['flow table', `${grouped(monitor.flows)} of ${grouped(monitor.capacity)}`, 'flows that fit, and how many there are'],
		['cost', cost.seconds > 0 ? share(cost.grown, cost.seconds).replace('–', '0 %') : '…',
			'of one processor: sampling and serving pages; the packet path in the kernel is not in it'],
	];
}

/** Sentences; none when all is well. */
export function healthWarnings(store, frame) {
	const { monitor, interval_s } = frame;
	const fill = monitor.flows / monitor.capacity;
	const grew = (name) => recent(store, frame, (one) => one.monitor[name]).grown > 0;
	return [
		monitor.lost > 0 && `${grouped(monitor.lost)} packets were not counted: the flow table is full. Figures are too low.`,
		monitor.lost === 0 && fill > 0.8 && `The flow table is ${share(monitor.flows, monitor.capacity)} full: when it is, packets will not be counted.`,
		grew('truncated') && 'Frames arrive that are too short to read.',
		grew('unknown') && 'Tunnel packets arrive that the monitor does not understand.',
		interval_s > 1.5 && `Samples come late (${interval_s.toFixed(1)} s apart): this machine is overloaded.`,
	].filter(Boolean);
}
