// SPDX-License-Identifier: Apache-2.0
// The shared worker: one stream from the server for all tabs of a browser, which allows only six connections
// to one host. A tab that comes later is given a copy of the store: history first, then live.

import { learn, newStore } from './store.js';
import { openStream } from './stream.js';

const ports = new Set();
const store = newStore();

self.onconnect = ({ ports: [port] }) => {
	port.onmessage = ({ data }) => {
		if (data === 'bye')
			return ports.delete(port);
		ports.add(port);
		port.postMessage({ type: 'store', store });
	};
};

openStream((message) => {
	for (const port of ports)
		port.postMessage(message);
	learn(store, message);
});
