// SPDX-License-Identifier: Apache-2.0
// The shared worker: one stream from the server for all tabs of a browser, which allows only six connections
// to one host. A tab that comes later is told at once what the others know.

import { NOTHING, remember } from './history.js';
import { openStream } from './stream.js';

const ports = new Set();
let lab = null;
let link = null;
let history = NOTHING;

function learn(message) {
	if (message.type === 'lab')
		lab = message;
	else if (message.type === 'link')
		link = message;
	else
		history = remember(history, message.sample);
}

function greet(port) {
	if (lab)
		port.postMessage(lab);
	for (const sample of history.samples)
		port.postMessage({ type: 'sample', sample });
	if (link)
		port.postMessage(link);
}

self.onconnect = ({ ports: [port] }) => {
	port.onmessage = ({ data }) => {
		if (data === 'bye')
			return ports.delete(port);
		ports.add(port);
		greet(port);
	};
};

openStream((message) => {
	learn(message);
	for (const port of ports)
		port.postMessage(message);
});
