// SPDX-License-Identifier: Apache-2.0
// The real page of a real lab in a real browser, looked at as a user would. Needs root (the lab), Chromium and
// playwright-core; says which is missing. Pictures are kept under build/screenshots/.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { Child, eventually, isRoot, labName, run, tunlab } from '../lib/lab.mjs';
import { after, skip, test } from '../lib/tap.mjs';

const BUILD = new URL('../../build/', import.meta.url).pathname;
const SHOTS = `${BUILD}screenshots/`;
const DESK = { width: 1280, height: 800 };

function findChromium() {
	return ['chromium', 'chromium-browser', 'google-chrome']
		.map((name) => spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim()).find(Boolean);
}

function findPlaywright() {
	try {
		return createRequire(`${BUILD}web/`)('playwright-core').chromium;
	} catch {
		return null;
	}
}

const executablePath = findChromium();
const playwright = findPlaywright();
const missing = !isRoot ? 'needs root for a lab' : !existsSync(tunlab) ? 'build/tunlab is not built'
	: !executablePath ? 'chromium is not installed' : !playwright ? 'playwright-core is not installed' : null;

const world = { problems: [], strangers: [] };

/** A test of the page, skipped aloud where the page cannot be had. */
function look(name, fn) {
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

async function startLab(scenario, port = 0) {
	world.name = labName('ui-test');
	world.lab = new Child(['run', scenario, '--name', world.name, '--listen', `127.0.0.1:${port}`,
		'--set', 'lab.duration=10m']);
	[world.url] = await world.lab.waitFor(/http:\/\/127\.0\.0\.1:\d+\//);
	return world.url;
}

async function newTab(context) {
	const page = await context.newPage();
	page.setDefaultTimeout(10_000);
	const report = (text) => world.problems.push(text);
	page.on('request', (request) => {
		if (!request.url().startsWith(world.url))
			world.strangers.push(request.url());
	});
	page.on('pageerror', (error) => report(`error: ${error.message}`));
	page.on('console', (message) => {
		// A lab that is gone cannot be reached: the browser itself says so, rightly.
		const gone = /ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE|ERR_SOCKET/.test(message.text());
		if (['error', 'warning'].includes(message.type()) && !gone)
			report(`${message.type()}: ${message.text()}`);
	});
	await page.goto(world.url);
	return page;
}

const state = (page) => page.getAttribute('body', 'data-link');
const until = (page, wanted, timeout = 15_000) => page.waitForFunction(
	(value) => document.body.dataset.link === value, wanted, { timeout });
const text = (page, selector) => page.textContent(selector).then((it) => it.replace(/[\u00a0\u202f]/g, ' ').trim());
const count = (page, selector) => page.locator(selector).count();
const shot = (page, name) => page.screenshot({ path: `${SHOTS}${name}.png` });
const choose = (page, group, option) => page.click(`#${group} label:has-text("${option}")`);
const resting = (page) => page.waitForTimeout(700);

/** The exact figures on the screen: of ribbons, of arcs, of the table's rows and of its foot. */
const figures = (page) => page.evaluate(() => {
	const value = (element) => (element.hasAttribute('data-value') ? Number(element.getAttribute('data-value')) : null);
	const all = (selector) => [...document.querySelectorAll(selector)];
	return {
		ribbons: Object.fromEntries(all('.ribbon').map((one) => [one.dataset.ribbon, value(one)])),
		rows: Object.fromEntries(all('#rows tr').map((row) => [row.dataset.row, {
			sent: value(row.querySelector('.sent')), received: value(row.querySelector('.received')),
			loss: value(row.querySelector('.loss')),
		}])),
		arcs: all('.arc').map((one) => one.dataset.arc),
		sent: value(document.querySelector('#total-sent')), received: value(document.querySelector('#total-received')),
	};
});

const largest = (table) => Object.entries(table).sort((a, b) => b[1] - a[1])[0][0];
const sum = (values) => values.reduce((all, one) => all + one, 0);

/** Moves the mouse to a point that really lies on a shape, not merely in its box. */
async function pointAt(page, selector) {
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

look('the page comes up live, by itself', async () => {
	mkdirSync(SHOTS, { recursive: true });
	const proxy = await openProxy();
	await startLab('skewed');
	world.browser = await playwright.launch({
		executablePath,
		args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
			'--disable-component-update', '--disable-sync', `--proxy-server=127.0.0.1:${proxy}`],
	});
	world.context = await world.browser.newContext({ viewport: DESK });
	world.page = await newTab(world.context);
	await until(world.page, 'live');
	assert.equal(await text(world.page, '#lab-name'), world.name);
	assert.match(await text(world.page, '#lab-facts'), /9 hosts · 36 clients · 4 VNIs · VXLAN over 172\.16\.1\.0\/24/);
});

look('the chord shows the culprit', async (page) => {
	await page.waitForFunction(() => parseFloat(document.querySelector('#talker b:last-of-type').textContent) > 80);
	await resting(page);
	const { ribbons, arcs } = await figures(page);
	assert.equal(largest(ribbons), 'host0>host8');
	for (let i = 0; i < 9; i++)
		assert.ok(arcs.includes(`host${i}`), `host${i} has an arc`);
	assert.match(await text(page, '#talker'), /^c3 on host0 in VNI 10003 sends \d\d % of it$/);
	assert.match(await text(page, '#total'), /^[56]\d\d kB\/s$/);
	assert.match(await text(page, '#rows tr:first-child'), /^host0172\.16\.1\.100host8172\.16\.1\.108/);
	assert.match(await text(page, '[data-label=host8]'), /^host8 ?.*172\.16\.1\.108$/s);
	await shot(page, 'live-light');
});

look('the table has the figures of the chord, and its total is their sum', async (page) => {
	for (const [unit, mode] of [['bytes', 'rate'], ['packets', 'rate'], ['packets', 'total'], ['bytes', 'total']]) {
		await choose(page, 'unit', unit);
		await choose(page, 'mode', mode);
		await page.waitForTimeout(150);
		const { ribbons, rows, sent, received } = await figures(page);
		const cells = Object.entries(rows).filter(([, row]) => row.sent > 0);
		assert.deepEqual(Object.fromEntries(cells.map(([key, row]) => [key, row.sent])), ribbons);
		assert.ok(Math.abs(sum(Object.values(rows).map((row) => row.sent)) - sent) <= 1e-9 * sent, `${unit} ${mode}`);
		assert.ok(Math.abs(sum(Object.values(rows).map((row) => row.received)) - received) <= 1e-9 * received);
		if (mode === 'total')
			assert.ok(Number.isInteger(sent), 'totals are exact');
		const order = await page.$$eval('#rows .sent', (all) => all.map((one) => Number(one.dataset.value)));
		assert.deepEqual(order, [...order].sort((a, b) => b - a), 'sorted by size');
	}
});

look('totals agree with the API', async (page) => {
	const fetched = async () => {
		const { flows } = await (await fetch(`${world.url}api/v1/flows`)).json();
		return sum(flows.map((flow) => flow.bytes));
	};
	const before = await fetched();
	await page.waitForTimeout(1500);
	const { sent } = await figures(page);
	assert.ok(before <= sent && sent <= await fetched());
	await choose(page, 'mode', 'rate');
});

look('hover shows both directions with their shares', async (page) => {
	await pointAt(page, '[data-ribbon="host0>host8"]');
	const tip = await text(page, '#tooltip');
	assert.match(tip, /host0 → host8 ?5\d\d kB\/s ?\d\d % of all/);
	assert.match(tip, /host8 → host0 ?[\d.]+ k?B\/s ?[<\d.]+ % of all/);
	assert.equal(await count(page, '.ribbon.lit'), 2, 'both lanes of the pair stand out');
	assert.equal(await count(page, '#rows tr.lit'), 2, 'and both rows');
	await page.waitForTimeout(250);
	await shot(page, 'hover');
	await page.mouse.move(2, 2);
	assert.equal(await page.isVisible('#tooltip'), false);
});

look('a click on host0 shows its inner addresses, another closes it', async (page) => {
	await page.click('[data-label=host0]');
	await resting(page);
	let { arcs, ribbons } = await figures(page);
	assert.ok(!arcs.includes('host0'));
	for (let j = 0; j < 4; j++)
		assert.ok(arcs.includes(`host0/${10000 + j}/192.168.${j}.1`), `192.168.${j}.1 is there`);
	assert.equal(largest(ribbons), 'host0/10003/192.168.3.1>host8');
	assert.match(await text(page, '[data-label="host0/10003/192.168.3.1"]'), /^c3 VNI 10003 ?192\.168\.3\.1$/);
	await shot(page, 'host0-open');

	await page.click('[data-label=host8]');
	await resting(page);
	({ arcs, ribbons } = await figures(page));
	assert.equal(largest(ribbons), 'host0/10003/192.168.3.1>host8/10003/192.168.3.9');
	assert.equal(await count(page, '.bracket'), 2);
	await shot(page, 'two-open');

	await page.click('button[aria-label="Close host8"]');
	await pointAt(page, '[data-arc="host0/10003/192.168.3.1"]');
	await page.mouse.down();
	await page.mouse.up();
	await resting(page);
	({ arcs } = await figures(page));
	assert.ok(arcs.includes('host0') && arcs.includes('host8'));
	assert.equal(await count(page, '.bracket'), 0);
	await page.mouse.move(2, 2);
});

look('the keyboard opens and closes a host, and the focus stays there', async (page) => {
	await page.focus('[data-arc=host2]');
	await page.keyboard.press('Enter');
	await page.waitForSelector('[data-arc^="host2/"]');
	const focused = () => page.evaluate(() => document.activeElement.dataset.arc);
	assert.match(await focused(), /^host2\//);
	await page.keyboard.press('Enter');
	await page.waitForSelector('[data-arc=host2]');
	assert.equal(await focused(), 'host2');
	await page.keyboard.press('Enter');
	await page.keyboard.press('Escape');
	await page.waitForSelector('[data-arc=host2]');
	assert.match(await page.getAttribute('[data-arc=host2]', 'aria-label'), /^host2, 172\.16\.1\.102: sends .*is sent/);
});

look('the VNI selector shows one VNI', async (page) => {
	await choose(page, 'mode', 'total');
	await choose(page, 'unit', 'packets');
	await choose(page, 'vni', '10001');
	await page.waitForTimeout(150);
	const one = await figures(page);
	assert.doesNotMatch(await text(page, '#talker'), /^c3 /);
	await page.click('[data-label=host0]');
	await resting(page);
	const inside = (await figures(page)).arcs.filter((arc) => arc.startsWith('host0/'));
	assert.ok(inside.includes('host0/10001/192.168.1.1'));
	assert.ok(inside.every((arc) => arc.startsWith('host0/10001/')), inside.join());
	await page.keyboard.press('Escape');
	await choose(page, 'vni', 'all');
	await page.waitForTimeout(150);
	assert.ok((await figures(page)).sent > one.sent * 3);
	await choose(page, 'unit', 'bytes');
});

look('pause freezes every figure, resume goes on', async (page) => {
	await page.click('#pause');
	await page.waitForTimeout(200);
	const before = await figures(page);
	assert.equal(await state(page), 'paused');
	await page.waitForTimeout(2500);
	assert.deepEqual(await figures(page), before);
	await page.click('#pause');
	await until(page, 'live');
	await page.waitForTimeout(200);
	assert.ok((await figures(page)).sent > before.sent);
});

look('clear counts from now', async (page) => {
	const before = (await figures(page)).sent;
	await page.click('#clear');
	await page.waitForFunction(() => /since cleared/.test(document.querySelector('#total-words').textContent));
	const now = (await figures(page)).sent;
	assert.ok(now < before / 3, `${now} after ${before}`);
	await page.waitForTimeout(2200);
	assert.ok((await figures(page)).sent > now);
	await choose(page, 'mode', 'rate');
});

look('eight tabs are all live on one stream', async () => {
	const tabs = [];
	for (let i = 0; i < 7; i++)
		tabs.push(await newTab(world.context));
	for (const tab of tabs) {
		await until(tab, 'live');
		await tab.waitForSelector('.ribbon', { state: 'attached' });
	}
	const session = await world.browser.newBrowserCDPSession();
	const { targetInfos } = await session.send('Target.getTargets');
	assert.equal(targetInfos.filter(({ type }) => type === 'shared_worker').length, 1);
	await Promise.all(tabs.map((tab) => tab.close()));
	await world.page.bringToFront();
});

look('it is readable in the dark, on a phone and without motion', async () => {
	for (const [name, options] of [
		['live-dark', { viewport: DESK, colorScheme: 'dark' }],
		['phone', { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true }],
		['wall', { viewport: { width: 1920, height: 1080 }, reducedMotion: 'reduce' }],
	]) {
		const context = await world.browser.newContext(options);
		const page = await newTab(context);
		await page.waitForSelector('.ribbon', { state: 'attached' });
		await page.waitForTimeout(2500);
		const { wide, outside } = await page.evaluate(() => ({
			wide: document.documentElement.scrollWidth - innerWidth,
			outside: [...document.querySelectorAll('.label text')].filter((label) => {
				const [own, all] = [label.getBoundingClientRect(), document.querySelector('#chord').getBoundingClientRect()];
				return own.left < all.left - 1 || own.right > all.right + 1 || own.top < all.top - 1 || own.bottom > all.bottom + 1;
			}).length,
		}));
		assert.ok(wide <= 0, `${name}: nothing to scroll sideways`);
		assert.equal(outside, 0, `${name}: all labels are inside the picture`);
		await shot(page, name);
		await context.close();
	}
});

look('a lab that stops speaking is stale, and live when it speaks again', async (page) => {
	process.kill(world.lab.pid, 'SIGSTOP');
	try {
		await until(page, 'stale');
		assert.match(await text(page, '#notice'), /sends no figures\. What you see is \d+ s old/);
		await shot(page, 'stale');
	} finally {
		process.kill(world.lab.pid, 'SIGCONT');
	}
	await until(page, 'live');
	assert.equal(await page.isVisible('#notice'), false);
});

look('a lab that dies leaves a disconnected page, and the next one at its address revives it', async (page) => {
	const port = new URL(world.url).port;
	await world.lab.kill();
	await until(page, 'lost');
	assert.match(await text(page, '#notice'), /does not answer; trying again\. What you see is \d+ s old/);
	assert.ok(await count(page, '.ribbon') > 0, 'the last figures stay');
	await page.waitForTimeout(400);
	await shot(page, 'disconnected');
	await startLab('idle', port);
	await until(page, 'live', 20_000);
	await page.waitForFunction((name) => document.querySelector('#lab-name').textContent === name, world.name);
});

look('an idle lab says so, and how to change it', async (page) => {
	await page.waitForFunction(() => document.querySelector('#middle strong').textContent === 'No traffic');
	assert.equal(await text(page, '#middle code'), 'tunlab traffic --client 3 --rate 500pps');
	assert.equal(await count(page, '.ribbon'), 0);
	assert.equal(await count(page, '.arc'), 9);
	await shot(page, 'idle');
});

look('a culprit made in the running lab is soon on the screen', async (page) => {
	const began = Date.now();
	const traffic = new Child(['traffic', '--lab', world.name, '--client', '3', '--rate', '500pps', '--duration', '8s']);
	await page.waitForFunction(() => /^c3$/.test(document.querySelector('#talker b').textContent)
		&& document.querySelectorAll('.ribbon').length > 0);
	const took = Date.now() - began;
	console.log(`# the culprit took ${took} ms`);
	await resting(page);
	await shot(page, 'culprit');
	await traffic.kill('SIGINT');
	assert.match(await text(page, '#talker'), /^c3 on host0/);
});

look('a lab that ends says so', async (page) => {
	run(['stop', '--lab', world.name]);
	await until(page, 'ended');
	assert.match(await text(page, '#notice'), /The lab has ended/);
	await world.lab.ended;
	await page.waitForTimeout(1500);
	assert.equal(await state(page), 'ended', 'and stays so');
	await shot(page, 'ended');
});

look('nothing was asked of any other host, and nothing was complained about', () => {
	assert.deepEqual(world.strangers, []);
	assert.deepEqual(world.problems, []);
});

after(async () => {
	await world.browser?.close();
	world.proxy?.close();
	if (world.lab && !world.lab.exit) {
		run(['stop', '--lab', world.name]);
		const gone = await eventually(() => world.lab.exit, 5000);
		if (!gone)
			await world.lab.kill();
	}
});
