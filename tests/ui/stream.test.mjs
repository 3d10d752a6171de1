// SPDX-License-Identifier: Apache-2.0
// The connection's states, with a server, a clock and an EventSource that obey the test.
import assert from 'node:assert/strict';
import { openStream } from '../../ui/web/stream.js';
import { test } from '../lib/tap.mjs';

class Source {
	static CLOSED = 2;

	constructor() {
		this.readyState = 1;
		this.handlers = {};
	}

	addEventListener(name, handler) {
		this.handlers[name] = handler;
	}

	close() {
		this.readyState = Source.CLOSED;
	}
}

const turn = () => new Promise((resolve) => {
	setImmediate(resolve);
});

/** A stream in a world: `answer` is what /api/v1/lab does, `wake` lets the pending delay pass. */
async function world(answer, lab = { version: 1 }) {
	const it = { heard: [], sources: [], addresses: [], delays: [], answer };
	const env = {
		fetch: async () => {
			if (it.answer === 'dead')
				throw new TypeError('network');
			return { ok: it.answer === 200, status: it.answer, json: async () => ({ name: 'test', ...lab }) };
		},
		EventSource: class extends Source {
			constructor(address) {
				super();
				it.addresses.push(address);
				it.sources.push(this);
			}
		},
		setTimeout: (fn, ms) => {
			it.pending = fn;
			it.delays.push(ms);
		},
	};
	it.wake = async () => {
		const { pending } = it;
		it.pending = null;
		await pending();
		await turn();
	};
	it.base = (seq, run = 7) => it.sources.at(-1).handlers.base({ data: JSON.stringify({ seq, run }) });
	it.frame = (seq, version = 1) => it.sources.at(-1).handlers.frame({ data: JSON.stringify({ seq, lab: version }) });
	it.states = () => it.heard.filter(({ type }) => type === 'link').map(({ state }) => state);
	openStream((message) => it.heard.push(message), env);
	await turn();
	return it;
}

test('the lab comes first, then frames, then the word that all is live', async () => {
	const it = await world(200);
	it.frame(1);
	it.frame(2);
	assert.deepEqual(it.heard.map(({ type }) => type), ['link', 'lab', 'frame', 'link', 'frame']);
	assert.deepEqual(it.states(), ['connecting', 'live']);
});

test('a server that does not answer is tried again, ever more slowly, up to a limit', async () => {
	const it = await world('dead');
	for (let i = 0; i < 5; i++)
		await it.wake();
	assert.deepEqual(it.states(), ['connecting', 'lost']);
	assert.deepEqual(it.delays, [500, 1000, 2000, 4000, 4000, 4000]);
	it.answer = 200;
	await it.wake();
	it.frame(1);
	assert.equal(it.states().at(-1), 'live');
});

test('a broken stream fetches the lab anew and begins with short delays', async () => {
	const it = await world(200);
	it.frame(1);
	it.sources[0].readyState = 0;
	it.sources[0].handlers.error();
	assert.equal(it.states().at(-1), 'lost');
	assert.equal(it.sources[0].readyState, Source.CLOSED, 'the old one is closed');
	await it.wake();
	it.frame(2);
	assert.equal(it.heard.filter(({ type }) => type === 'lab').length, 2);
	assert.equal(it.delays[0], 500);
	assert.equal(it.states().at(-1), 'live');
});

test('after a break only what is new is asked for', async () => {
	const it = await world(200);
	it.base(5);
	it.frame(6);
	it.sources[0].handlers.error();
	await it.wake();
	assert.deepEqual(it.addresses, ['/api/v1/feed', '/api/v1/feed?since=6&run=7']);
});

test('a frame that tells of another lab document has it fetched; the past does not', async () => {
	const it = await world(200, { version: 2 });
	const labs = () => it.heard.filter(({ type }) => type === 'lab').length;
	it.base(5);
	it.frame(4, 1);
	it.frame(5, 2);
	await turn();
	assert.equal(labs(), 1);
	it.frame(6, 2);
	it.frame(7, 3);
	await turn();
	assert.equal(labs(), 2);
});

test('a lab document that could not be had is asked for again with the next frame, and no sooner', async () => {
	const it = await world(200, { version: 1 });
	const labs = () => it.heard.filter(({ type }) => type === 'lab').length;
	it.frame(1, 1);
	for (const [i, trouble] of [503, 'dead'].entries()) {
		it.answer = trouble;
		it.frame(2 + i, 2);
		await turn();
	}
	assert.equal(labs(), 1);
	it.answer = 200;
	await turn();
	assert.equal(labs(), 1);
	it.frame(4, 2);
	await turn();
	assert.equal(labs(), 2);
});

test('a refused stream is told apart from a dead server', async () => {
	const it = await world(200);
	it.sources[0].readyState = Source.CLOSED;
	it.sources[0].handlers.error();
	assert.equal(it.states().at(-1), 'full');
	assert.equal((await world(503)).states().at(-1), 'full');
});

test('a lab document older than the newest frame of the past is fetched anew', async () => {
	const it = await world(200, { version: 1 });
	it.base(5);
	it.frame(4, 1);
	it.frame(5, 2);
	await turn();
	assert.equal(it.heard.filter(({ type }) => type === 'lab').length, 2);
});

test('a lab document from before the first sample is fetched anew with it', async () => {
	const it = await world(200, {});
	it.base(1);
	it.frame(2);
	await turn();
	assert.equal(it.heard.filter(({ type }) => type === 'lab').length, 2);
});

test('an ended lab stays ended until another one speaks', async () => {
	const it = await world(200);
	it.frame(1);
	it.sources[0].handlers.end();
	it.sources[0].handlers.error();
	it.answer = 'dead';
	await it.wake();
	assert.equal(it.states().at(-1), 'ended');
	it.answer = 200;
	await it.wake();
	it.frame(1);
	assert.equal(it.states().at(-1), 'live');
});
