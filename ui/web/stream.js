// SPDX-License-Identifier: Apache-2.0
// One connection to the lab's event stream: opens it, hands on what comes, and opens it again when it breaks.
// Runs in the shared worker or, where that is missing, in the page; knows neither.

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 4000;

/**
 * Connects and keeps connected. Calls `emit` with { type: 'lab', lab }, { type: 'sample', sample } and
 * { type: 'link', state }, state being
 *   connecting · live · lost (the server does not answer) · full (it has too many streams) · ended (lab is over).
 * `env` gives fetch, EventSource and setTimeout; tests bring their own.
 */
export function openStream(emit, env = globalThis) {
	let delay = FIRST_DELAY_MS;
	let state = null;

	function enter(next) {
		if (next === state)
			return;
		state = next;
		emit({ type: 'link', state });
	}

	function again(reason) {
		// After its end a lab cannot be lost; the next one at this address turns the page live again.
		if (state !== 'ended')
			enter(reason);
		env.setTimeout(connect, delay);
		delay = Math.min(delay * 2, LONGEST_DELAY_MS);
	}

	async function connect() {
		try {
			const answer = await env.fetch('/api/v1/lab', { cache: 'no-store' });
			if (!answer.ok)
				return again(answer.status === 503 ? 'full' : 'lost');
			emit({ type: 'lab', lab: await answer.json() });
		} catch {
			return again('lost');
		}
		listen(new env.EventSource('/api/v1/events'));
	}

	function listen(source) {
		source.addEventListener('sample', (event) => {
			delay = FIRST_DELAY_MS;
			emit({ type: 'sample', sample: JSON.parse(event.data) });
			enter('live');
		});
		source.addEventListener('end', () => enter('ended'));
		source.addEventListener('error', () => {
			// EventSource gives up for good on an HTTP error: the server answered, but with no stream.
			const refused = source.readyState === env.EventSource.CLOSED;
			// Its own reconnection would not fetch the lab anew, which may be another one by then.
			source.close();
			again(refused ? 'full' : 'lost');
		});
	}

	enter('connecting');
	connect();
}
