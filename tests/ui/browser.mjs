// SPDX-License-Identifier: Apache-2.0
// A real browser on the page of a real lab, for tests that look as a user would. Needs root (the lab), Chromium and playwright-core;
// says which is missing. Pictures are kept under build/screenshots/.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { Child, eventually, isRoot, labName, run, tunlab } from '../lib/lab.mjs';
import { after, skip, test } from '../lib/tap.mjs';

const BUILD = new URL('../../build/', import.meta.url).pathname;
const SHOTS = `${BUILD}screenshots/`;
export const DESK = { width: 1280, height: 800 };

function findChromium() {
	return ['chromium', 'chromium-browser', 'google-chrome']
		.map((name) => spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim()).find(Boolean);
}

const require = createRequire(`${BUILD}web/`);

function findPlaywright() {
	try {
		return require('playwright-core').chromium;
	} catch {
		return null;
	}
}

const executablePath = findChromium();
const playwright = findPlaywright();
const missing = !isRoot ? 'needs root for a lab' : !existsSync(tunlab) ? 'build/tunlab is not built'
	: !executablePath ? 'chromium is not installed' : !playwright ? 'playwright-core is not installed' : null;

export const world = { problems: [], strangers: [] };

/** A test of the page, skipped aloud where the page cannot be had. */
export function look(name, fn) {
	test(name, () => {
		if (missing)
			skip(missing);
		return fn(world.page);
	});
}

/** What this browser asks of its maker by itself, whatever the page. */
const OWN_ERRANDS = /\b(update|optimizationguide-pa|content-autofill)\.googleapis\.com|\b(accounts|clients2)\.google\.com/;

/** Anything the browser asks of another host goes through here, workers' requests included. */
function openProxy() {
	const note = (request, socket) => {
		if (!OWN_ERRANDS.test(request.url))
			world.strangers.push(`${request.method} ${request.url}`);
		socket.destroy();
	};
	world.proxy = createServer((request) => note(request, request.socket)).on('connect', note);
	return new Promise((resolve) => {
		world.proxy.listen(0, '127.0.0.1', () => resolve(world.proxy.address().port));
	});
}

export async function startLab(scenario, port = 0, args = []) {
	world.name = labName('ui-test');
	world.lab = new Child(['run', scenario, '--name', world.name, '--listen', `127.0.0.1:${port}`, '--set', 'lab.duration=10m', ...args]);
	[world.url] = await world.lab.waitFor(/http:\/\/127\.0\.0\.1:\d+\//);
	[, world.token] = await world.lab.waitFor(/#token=([0-9a-f]+)/);
	return world.url;
}

/** `tunlab COMMAND` that serves a page without a lab. */
export async function startWithout(...command) {
	world.name = labName('ui-test');
	world.lab = new Child([...command, '--listen', '127.0.0.1:0', ...(command[0] === 'monitor' ? ['--name', world.name] : [])]);
	[world.url] = await world.lab.waitFor(/http:\/\/127\.0\.0\.1:\d+\//);
}

/** The browser alone. */
export async function openBrowser() {
	mkdirSync(SHOTS, { recursive: true });
	const proxy = await openProxy();
	world.browser = await playwright.launch({
		executablePath,
		args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
			'--disable-component-update', '--disable-sync', `--proxy-server=127.0.0.1:${proxy}`],
	});
}

/** The lab, the browser, and a first tab in world.page. `start` may serve the page otherwise; `first` is the state it begins with. */
export async function begin(scenario, args, { start = () => startLab(scenario, 0, args), first = 'live' } = {}) {
	await start();
	await openBrowser();
	world.context = await world.browser.newContext({ viewport: DESK });
	world.page = await newTab(world.context);
	await until(world.page, first);
}

export async function newTab(context, path = '') {
	const page = await context.newPage();
	page.setDefaultTimeout(10_000);
	const report = (text) => world.problems.push(text);
	page.on('request', (request) => {
		if (!request.url().startsWith(world.url) && !/^(data|blob):/.test(request.url()))
			world.strangers.push(request.url());
	});
	page.on('pageerror', (error) => report(`error: ${error.stack}`));
	page.on('console', (message) => {
		// A lab that is gone cannot be reached, and an order may be refused: the browser itself says so, rightly.
		const expected = /ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE|ERR_SOCKET|status of 40[03]/.test(message.text());
		if (['error', 'warning'].includes(message.type()) && !expected)
			report(`${message.type()}: ${message.text()}`);
	});
	await page.goto(world.url + path);
	return page;
}

export const state = (page) => page.getAttribute('body', 'data-link');
export const until = (page, wanted, timeout = 15_000) => page.waitForFunction(
	(value) => document.body.dataset.link === value, wanted, { timeout }).catch((error) => {
	throw new Error(`${error.message}\nwanted ${wanted}; the lab ${world.lab?.exit ? `ended: ${JSON.stringify(world.lab.exit)}` : 'runs'}: ${world.lab?.err}`);
});
export const text = (page, selector) => page.textContent(selector).then((it) => it.replace(/[\u00a0\u202f]/g, ' ').trim());
export const count = (page, selector) => page.locator(selector).count();
export const shot = (page, name) => page.screenshot({ path: `${SHOTS}${name}.png` });
export const choose = (page, group, option) => page.click(`#${group} label:has-text("${option}")`);
/** Waits for one more drawing. */
export const drawn = (page) => page.evaluate(() => new Promise((resolve) => {
	requestAnimationFrame(() => requestAnimationFrame(resolve));
}));
/** Waits until what glides or fades has arrived: for six frames nothing has moved by a thousandth of a pixel, at which paths are cut.
 *  Words and figures change with each sample, and are left out: on a slow machine there might never be six frames in between. */
export const resting = (page) => page.evaluate(() => new Promise((resolve, reject) => {
	const fades = () => document.getAnimations().some((one) => one.playState === 'running' && one.effect.getTiming().iterations !== Infinity);
	const PLACES = ['d', 'transform', 'x', 'y', 'width', 'height'];
	const shapes = () => [...document.querySelectorAll('#chord *, #topology *')].map((one) => PLACES.map((name) => one.getAttribute(name))).join();
	let last = '', still = 0, late = false;
	setTimeout(() => late = true, 10_000);
	const look = () => {
		const now = shapes();
		still = now === last && !fades() ? still + 1 : 0;
		last = now;
		if (still === 6)
			resolve();
		else if (late)
			reject(new Error(`after 10 s ${fades() ? 'something still fades' : 'the picture still moves'}`));
		else
			requestAnimationFrame(look);
	};
	requestAnimationFrame(() => requestAnimationFrame(look));
}));
/** The newest second that a page has drawn. */
export const newestDrawn = async (page) => Number(await page.getAttribute('#timeline', 'aria-valuemax'));
/** Waits until so many more samples have come. */
export async function newSamples(page, n) {
	const wanted = await newestDrawn(page) + n;
	await page.waitForFunction((it) => Number(document.querySelector('#timeline').getAttribute('aria-valuemax')) >= it, wanted);
}

/** The exact figures on the screen: of ribbons, of arcs, of the table's rows and of its foot. */
export const figures = (page) => page.evaluate(() => {
	const value = (element) => (element.hasAttribute('data-value') ? Number(element.getAttribute('data-value')) : null);
	const all = (selector) => [...document.querySelectorAll(selector)];
	return {
		ribbons: Object.fromEntries(all('.ribbon').map((one) => [one.dataset.ribbon, value(one)])),
		rows: Object.fromEntries(all('#rows tr:not(.spare)').map((row) => [row.dataset.row, {
			sent: value(row.querySelector('.sent')), received: value(row.querySelector('.received')),
			loss: value(row.querySelector('.loss')),
		}])),
		arcs: all('.arc').map((one) => one.dataset.arc),
		sent: value(document.querySelector('#total-sent')), received: value(document.querySelector('#total-received')),
	};
});

export const largest = (table) => Object.entries(table).sort((a, b) => b[1] - a[1])[0][0];
export const sum = (values) => values.reduce((all, one) => all + one, 0);

/** Moves the mouse to a point that really lies on a shape, not merely in its box. */
export async function pointAt(page, selector) {
	const at = await page.evaluate((wanted) => {
		const element = document.querySelector(wanted);
		const box = element.getBoundingClientRect();
		for (let i = 1; i < 60; i++) {
			for (let j = 1; j < 60; j++) {
				const [x, y] = [box.x + box.width * i / 60, box.y + box.height * j / 60];
				if (document.elementFromPoint(x, y) === element)
					return { x, y };
			}
		}
		return null;
	}, selector);
	assert.ok(at, `${selector} can be pointed at`);
	await page.mouse.move(at.x, at.y);
	return at;
}

/** What axe-core finds wrong: "rule: what, where". */
export async function violations(page) {
	await page.evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
	const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
	return found.violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`));
}

/** The last tests: nothing was asked of any other host, and nothing was complained about. */
export function endLook() {
	look('nothing was asked of any other host, and nothing was complained about', () => {
		assert.deepEqual(world.strangers, []);
		assert.deepEqual(world.problems, []);
	});
	after(async () => {
		await world.browser?.close();
		world.proxy?.close();
		if (world.lab && !world.lab.exit) {
			run(['stop', '--lab', world.name]);
			if (!await eventually(() => world.lab.exit, 5000))
				await world.lab.kill();
		}
	});
}
