// SPDX-License-Identifier: Apache-2.0
// One connection to the lab's event stream: opens it, hands on what comes, and opens it again when it breaks.
// Runs in the shared worker or, where that is missing, in the page; knows neither.

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 4000;

/**
 * Connects and keeps connected. Calls `emit` with { type: 'lab', lab }, { type: 'base', base }, { type: 'frame', frame } (the feed's
 * messages) and { type: 'link', state }, state being
 *   connecting · live · lost (the server does not answer) · full (it has too many streams) · ended (lab is over).
 * After a break only what is new is asked for. `env` gives fetch, EventSource and setTimeout; tests bring their own.
 */
export function openStream(emit, env = globalThis) {
	let delay = FIRST_DELAY_MS;
	let state = null;
	let run = null; // of the lab last heard
	let seq = 0; // of the newest frame
	let caught = 0; // frames above this seq are of now, not of the past
	let version = null; // of the lab document, as frames tell it

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

	async function fetchLab() {
		const answer = await env.fetch('/api/v1/lab', { cache: 'no-store' });
		if (answer.ok) {
			const lab = await answer.json();
			version = lab.version ?? null;
			emit({ type: 'lab', lab });
		}
		return answer;
	}

	async function connect() {
		try {
			const answer = await fetchLab();
			if (!answer.ok)
				return again(answer.status === 503 ? 'full' : 'lost');
		} catch {
			return again('lost');
		}
		listen(new env.EventSource(run === null ? '/api/v1/feed' : `/api/v1/feed?since=${seq}&run=${run}`));
	}

	/** Frames tell when the lab document has changed: traffic that began or ended, a link, somebody new. Those of the past do not count,
	 *  but the newest of them does: the document may have been fetched before it. One from before the first sample has no version, and
	 *  tells neither links nor traffic. */
	function followLab(frame) {
		if (frame.seq < caught)
			return;
		if (frame.lab !== version)
			askAgain();
		version = frame.lab;
	}

	/** A server that is gone shows by its stream; one that would not answer just now is asked again with the next frame. */
	async function askAgain() {
		const answer = await fetchLab().catch(() => null);
		if (!answer?.ok)
			version = null;
	}

	function listen(source) {
		source.addEventListener('base', (event) => {
			const base = JSON.parse(event.data);
			run = base.run;
			caught = base.seq;
			emit({ type: 'base', base });
		});
		source.addEventListener('frame', (event) => {
			const frame = JSON.parse(event.data);
			delay = FIRST_DELAY_MS;
			seq = frame.seq;
			emit({ type: 'frame', frame });
			followLab(frame);
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
