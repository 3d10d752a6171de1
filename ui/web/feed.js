// SPDX-License-Identifier: Apache-2.0
// Where the page gets its messages: the shared worker's stream, or one of its own where there is no such worker.

import { openStream } from './stream.js';

// Part of the worker's name, so that a tab of a newer page never talks to an older page's worker.
const PROTOCOL = 2;

function listenToWorker(onMessage) {
	const worker = new SharedWorker('/feed-worker.js', { name: `tunlab-feed-${PROTOCOL}` });
	let heard = false;
	worker.port.onmessage = ({ data }) => {
		heard = true;
		onMessage(data);
	};
	worker.onerror = () => {
		if (!heard)
			openStream(onMessage);
	};
	worker.port.postMessage('hello');
	addEventListener('pagehide', () => worker.port.postMessage('bye'));
	addEventListener('pageshow', ({ persisted }) => {
		if (persisted)
			worker.port.postMessage('hello');
	});
}

/** Calls `onMessage` with the messages described at openStream(). */
export function connectFeed(onMessage) {
	if ('SharedWorker' in globalThis)
		listenToWorker(onMessage);
	else
		openStream(onMessage);
}
