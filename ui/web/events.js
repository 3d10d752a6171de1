// SPDX-License-Identifier: Apache-2.0
// What happened in the lab, for the timeline: events of the scenario and changes by hand, as the lab document tells them. Pure.

/** [{ time, text, failed }], time on the lab's clock. */
export function eventsOf(lab) {
	return (lab.events ?? []).map((event) => ({
		time: event.elapsed_s ?? event.at_s ?? event.t_s ?? 0,
		text: [event.name, event.what ?? event.do ?? event.text].filter(Boolean).join(': '),
		failed: event.ok === false || Boolean(event.error),
	}));
}

/** What happened in the interval of a frame, in words; '' for nothing. */
export function eventAt(events, { elapsed_s, interval_s }) {
	return events.filter(({ time }) => time > elapsed_s - interval_s && time <= elapsed_s).map(({ text }) => text).join(', ');
}
