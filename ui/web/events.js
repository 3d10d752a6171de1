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
