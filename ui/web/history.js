// SPDX-License-Identifier: Apache-2.0
// The samples the page must remember: the newest, those of the last seconds that rates need, and the one at
// which the user cleared the figures. Values in, values out: a kept reference is a frozen picture (pause).

/** Rates are averages over this long. Long enough to be calm at one ping a second, short enough for a culprit
 *  to stand out at once. */
export const WINDOW_S = 3;

export const NOTHING = Object.freeze({ samples: [], base: null });

/** False when `next` cannot be of the same lab run as `last`: counters and clocks only grow. */
function continues(last, next) {
	return last.source === next.source && next.elapsed_s >= last.elapsed_s && next.seq >= last.seq;
}

/** Seconds from `samples[from]` to the last: the measured intervals where none is missing. */
function span(samples, from) {
	const first = samples[from];
	const last = samples.at(-1);
	if (last.seq - first.seq !== samples.length - 1 - from)
		return last.elapsed_s - first.elapsed_s;
	return samples.slice(from + 1).reduce((sum, sample) => sum + sample.interval_s, 0);
}

/** The history with `sample` added; begins anew when the sample is of another lab run. */
export function remember(history, sample) {
	const last = history.samples.at(-1);
	if (!last || !continues(last, sample))
		return { samples: [sample], base: null };
	if (last.seq === sample.seq)
		return history;
	const samples = [...history.samples, sample];
	// Half an interval of grace: sampling never happens at exactly whole seconds.
	const enough = WINDOW_S - sample.interval_s / 2;
	let first = 0;
	while (span(samples, first + 1) >= enough)
		first++;
	return { samples: samples.slice(first), base: history.base };
}

/** The history whose totals count from its newest sample on. */
export function clear(history) {
	return { ...history, base: history.samples.at(-1) ?? null };
}

/** What a view needs: the newest sample, the one to subtract (null: nothing) and what to divide by.
 *  Null while there is nothing to tell, as with a rate before the second sample. */
export function period(history, mode) {
	const { samples, base } = history;
	if (samples.length === 0)
		return null;
	if (mode === 'total')
		return { now: samples.at(-1), then: base, seconds: 1 };
	if (samples.length < 2)
		return null;
	return { now: samples.at(-1), then: samples[0], seconds: span(samples, 0) };
}
