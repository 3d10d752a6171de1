// SPDX-License-Identifier: Apache-2.0
// The page of the skewed lab: its views, their figures, what the user can do with them, and how they look at several sizes.
import assert from 'node:assert/strict';
import { fetchAlone } from '../lib/lab.mjs';
import { readFileSync } from 'node:fs';
import { DESK, begin, choose, count, drawn, endLook, figures, largest, look, newSamples, newTab, pointAt, resting, shot, state, sum, text, until,
	violations, world } from './browser.mjs';

const fetched = async (path) => (await fetchAlone(`${world.url}api/v1/${path}`)).json();
const PHONE = { width: 390, height: 844 };
const search = (page) => page.evaluate(() => location.search);

look('the page comes up live, by itself', async () => {
	await begin('skewed');
	const { page } = world;
	assert.equal(await text(page, '#lab-name'), world.name);
	assert.match(await text(page, '#lab-facts'), /9 hosts · 36 clients · 4 VNIs · VXLAN over 172\.16\.1\.0\/24/);
});

look('it is small', async () => {
	let bytes = 0;
	for (const file of ['', 'app.js', 'style.css', 'feed-worker.js', 'favicon.svg'])
		bytes += (await (await fetchAlone(world.url + file)).arrayBuffer()).byteLength;
	assert.ok(bytes < 200_000, `${bytes} bytes before compression`);
});

look('the chord shows the culprit, and the strip names it with share and since when', async (page) => {
	await page.waitForFunction(() => parseFloat(document.querySelector('#talkers .share')?.textContent) > 80);
	await page.waitForFunction(() => !document.querySelector('.ribbon[data-ribbon*=flood]')); // the picture that the README shows is a calm one
	const { ribbons, arcs } = await figures(page);
	assert.equal(largest(ribbons), 'host0>host8');
	for (let i = 0; i < 9; i++)
		assert.ok(arcs.includes(`host${i}`), `host${i} has an arc`);
	assert.match(await text(page, '#talkers li:first-child'), /^c3host0 · VNI 10003\d\d %[56]\d\d kB\/s(since start|for .*)$/);
	assert.match(await text(page, '#total'), /^[56]\d\d kB\/s$/);
	assert.match(await text(page, '#total-words'), /^sent over the last \d\.\d s$/);
	assert.match(await text(page, '#figures-words'), /^[\d.<]+ % lost · \d\.\d % encapsulation/);
	assert.match(await text(page, '#rows tr:not(.spare)'), /^host0172\.16\.1\.100host8172\.16\.1\.108/);
	assert.match(await text(page, '[data-label=host8]'), /^host8 ?.*172\.16\.1\.108$/s);
	await shot(page, 'live-light');
});

look('the table has the figures of the chord, and its total is their sum', async (page) => {
	await choose(page, 'view', 'Table'); // high enough for all rows
	for (const [unit, over] of [['bytes', '3 s'], ['packets', '10 s'], ['packets', 'total'], ['bytes', 'total']]) {
		await choose(page, 'unit', unit);
		await choose(page, 'over', over);
		await page.setViewportSize({ width: 1280, height: 4000 });
		await choose(page, 'view', 'Chord');
		await resting(page);
		await page.click('#live');
		await drawn(page);
		const { ribbons, rows, sent, received } = await figures(page);
		const cells = Object.entries(rows).filter(([, row]) => row.sent > 0);
		assert.deepEqual(Object.fromEntries(cells.map(([key, row]) => [key, row.sent])), ribbons);
		assert.ok(Math.abs(sum(Object.values(rows).map((row) => row.sent)) - sent) <= 1e-9 * sent, `${unit} ${over}`);
		assert.ok(Math.abs(sum(Object.values(rows).map((row) => row.received)) - received) <= 1e-9 * received);
		if (over === 'total')
			assert.ok(Number.isInteger(sent), 'totals are exact');
		const order = await page.$$eval('#rows tr:not(.spare) .sent', (all) => all.map((one) => Number(one.dataset.value)));
		assert.deepEqual(order, [...order].sort((a, b) => b - a), 'sorted by size');
		await page.click('#live');
	}
	await page.setViewportSize(DESK);
});

look('totals agree with the API', async (page) => {
	const bytes = async () => sum((await fetched('flows')).flows.map((flow) => flow.bytes));
	const before = await bytes();
	await newSamples(page, 2); // the next may have been taken before
	const { sent } = await figures(page);
	assert.ok(before <= sent && sent <= await bytes());
	await choose(page, 'over', '3 s');
	await resting(page);
});

look('hover shows both directions with their shares', async (page) => {
	await pointAt(page, '[data-ribbon="host0>host8"]');
	const tip = await text(page, '#tooltip');
	assert.match(tip, /host0 → host8 ?5\d\d kB\/s ?\d\d % of all/);
	assert.match(tip, /host8 → host0 ?[\d.]+ k?B\/s ?[<\d.]+ % of all/);
	assert.match(tip, /Encapsulation takes \d\.\d % of the bytes/);
	assert.equal(await count(page, '.ribbon.lit'), 2, 'both lanes of the pair stand out');
	await resting(page);
	await shot(page, 'hover');
	await page.mouse.move(2, 2);
	assert.equal(await page.isVisible('#tooltip'), false);
});

look('a row of the table that is pointed at stands out in the picture, also after the next sample', async (page) => {
	await page.hover('#rows tr[data-row="host0>host8"] .sent');
	for (const samples of [0, 2]) {
		await newSamples(page, samples);
		assert.deepEqual(await page.$$eval('.ribbon.lit', (all) => all.map((one) => one.dataset.ribbon).sort()), ['host0>host8', 'host8>host0']);
	}
	await page.mouse.move(2, 2);
	assert.equal(await count(page, '.ribbon.lit'), 0);
});

look('the drill: a host opens, a client inside leads to its VNI, Escape goes back', async (page) => {
	await page.click('[data-label=host0] text');
	await resting(page);
	let { arcs, ribbons } = await figures(page);
	assert.ok(!arcs.includes('host0'));
	for (let j = 0; j < 4; j++)
		assert.ok(arcs.includes(`host0/${10000 + j}/192.168.${j}.1`), `192.168.${j}.1 is there`);
	assert.equal(largest(ribbons), 'host0/10003/192.168.3.1>host8');
	assert.match(await text(page, '[data-label="host0/10003/192.168.3.1"]'), /^c3 VNI 10003 ?192\.168\.3\.1$/);
	await shot(page, 'host0-open');

	await page.click('[data-label="host0/10003/192.168.3.1"] text');
	await resting(page);
	({ arcs, ribbons } = await figures(page));
	assert.equal(largest(ribbons), 'c3>c35');
	assert.deepEqual(arcs.filter((arc) => /^c/.test(arc)), ['c3', 'c7', 'c11', 'c15', 'c19', 'c23', 'c27', 'c31', 'c35']);
	assert.match(await search(page), /f=vni:10003/);
	await shot(page, 'vni-clients');

	await page.click('[data-label=c3] text');
	await resting(page);
	assert.ok(Object.keys((await figures(page)).ribbons).every((key) => /\bc3\b/.test(key)), 'its own pairs only');
	for (let i = 0; i < 6; i++)
		await page.keyboard.press('Escape');
	await resting(page);
	assert.equal(await search(page), '');
	assert.ok((await figures(page)).arcs.includes('host0'));
});

look('levels: by address, grouped by VNI; by client, grouped by host', async (page) => {
	await choose(page, 'level', 'address');
	await resting(page);
	let { arcs } = await figures(page);
	assert.ok(arcs.includes('10003/192.168.3.1') && arcs.includes('10000/192.168.0.9'));
	assert.equal(await count(page, '.bracket'), 4);
	await shot(page, 'by-address');
	await choose(page, 'level', 'client');
	await resting(page);
	({ arcs } = await figures(page));
	assert.ok(['c0', 'c35'].every((client) => arcs.includes(client)));
	assert.ok(await count(page, '.bracket') >= 9);
	await shot(page, 'by-client');
	await choose(page, 'level', 'host');
});

look('the keyboard reaches every arc and ribbon, Enter drills, Escape goes back', async (page) => {
	await page.click('#live'); // pairs that come and go would be reached too, but not counted
	await resting(page);
	await page.focus('#over input:checked');
	await page.keyboard.press('Tab');
	const focused = () => page.evaluate(() => document.activeElement.dataset.key);
	assert.equal(await focused(), 'arc host0', 'one stop of the Tab key');
	const arcs = new Set(), ribbons = new Set();
	const all = await figures(page);
	for (let i = 0; i < all.arcs.length; i++) {
		arcs.add(await focused());
		await page.keyboard.press('ArrowDown');
		const first = await focused();
		for (let j = 0; j < 60 && first.startsWith('ribbon') && (j === 0 || await focused() !== first); j++) {
			ribbons.add(await focused());
			await page.keyboard.press('ArrowRight');
		}
		if (first.startsWith('ribbon'))
			await page.keyboard.press('ArrowUp');
		await page.keyboard.press('ArrowRight');
	}
	assert.equal(arcs.size, all.arcs.length);
	for (const key of Object.keys(all.ribbons).filter((one) => !one.includes('flood')))
		assert.ok(ribbons.has(`ribbon ${key}`), `${key} was reached`);
	await page.keyboard.press('Home');
	const outline = await page.evaluate(() => getComputedStyle(document.activeElement).strokeWidth);
	assert.equal(outline, '3px', 'the focus can be seen');
	assert.match(await page.getAttribute('[data-arc=host0]', 'aria-label'), /^host0, 172\.16\.1\.100: sends .*of all; is sent/);
	assert.match(await page.getAttribute('[data-ribbon="host0>host8"]', 'aria-label'), /^host0 to host8: .* of all/);
	await page.keyboard.press('Enter');
	await page.waitForSelector('[data-arc^="host0/"]', { state: 'attached' });
	assert.match(await focused(), /^arc host0\//);
	await page.keyboard.press('Escape');
	await page.waitForSelector('[data-arc=host0]', { state: 'attached' });
	assert.equal(await focused(), 'arc host0');
	await page.click('#live');
});

look('a click on a talker selects it in all views', async (page) => {
	await page.click('#talkers button[data-talker=c3]');
	await drawn(page);
	assert.equal(await search(page), '?select=c3');
	const chosen = await page.$$eval('.ribbon.chosen', (all) => all.map((one) => one.dataset.ribbon));
	assert.ok(chosen.includes('host0>host8'));
	assert.ok(chosen.every((key) => /host0/.test(key)));
	assert.ok(await count(page, '#rows tr.chosen') >= 1);
	await choose(page, 'view', 'Topology');
	await drawn(page);
	assert.ok(await count(page, '[data-client=c3].lit') === 1 && await count(page, '[data-client=c35].lit') === 1);
	assert.equal(await count(page, '[data-client=c4].lit'), 0);
	await choose(page, 'view', 'Table');
	await drawn(page);
	assert.equal(await page.getAttribute('#rows tr:not(.spare)', 'aria-selected'), 'true');
	await page.click('#talkers button[data-talker=c3]');
	await choose(page, 'view', 'Chord');
});

look('the topology has every host, client, bridge and uplink with its traffic', async (page) => {
	await choose(page, 'view', 'Topology');
	await drawn(page);
	assert.equal(await page.isVisible('#chord'), false);
	assert.equal(await count(page, '#topology .host'), 9);
	assert.equal(await count(page, '#topology .client'), 36);
	assert.equal(await count(page, '#topology .tunnel'), 36);
	assert.match(await text(page, '[data-host=host0] .uplink .rate'), /^↑ 5\d\d kB\/s$/);
	const width = (selector) => page.$eval(selector, (line) => parseFloat(line.getAttribute('stroke-width')));
	assert.ok(await width('[data-host=host0] .uplink .out') > 3 * await width('[data-host=host1] .uplink .out'), 'thick as the traffic');
	assert.ok(await width('[data-client=c3] .wire') > 3 * await width('[data-client=c4] .wire'));
	const fill = await page.$eval('[data-host=host0] .uplink .fill', (bar) => parseFloat(bar.getAttribute('height')));
	assert.ok(fill > 20, 'its gauge is full');
	await pointAt(page, '[data-host=host8] .box');
	assert.match(await text(page, '#tooltip'), /^host8 172\.16\.1\.108.*receives/s);
	await page.mouse.move(2, 2);
	await page.click('[data-client=c3]');
	await drawn(page);
	assert.equal(await search(page), '?view=topology&select=c3');
	await shot(page, 'topology-selected');
	await page.keyboard.press('Escape');
	await page.focus('#topology [tabindex="0"]');
	await page.keyboard.press('ArrowUp');
	await page.keyboard.press('ArrowRight');
	await page.keyboard.press('ArrowDown');
	assert.equal(await page.evaluate(() => document.activeElement.dataset.key), 'client c4');
	await page.keyboard.press('Enter');
	assert.match(await search(page), /select=c4/);
	await page.keyboard.press('Escape');
	await page.click('[data-host=host2] [data-vni="10001"] .bridge');
	assert.match(await search(page), /f=vni:10001/);
	await page.click('#chips .drop');
	await choose(page, 'view', 'Chord');
});

look('the table sorts by any column, filters, and draws only what is in sight', async (page) => {
	await choose(page, 'view', 'Table');
	await choose(page, 'level', 'client');
	await drawn(page);
	const rows = () => page.$$eval('#rows tr:not(.spare)', (all) => all.map((row) => row.dataset.row));
	const of = Number(await page.getAttribute('#figures table', 'aria-rowcount')) - 2;
	assert.ok(of >= 280, `${of} rows`);
	assert.ok((await rows()).length < 60, 'only some of them exist');
	await page.click('#heads .from button');
	await drawn(page);
	assert.match((await rows())[0], /^c0>/);
	assert.equal(await page.getAttribute('#heads .from', 'aria-sort'), 'ascending');
	await page.click('#heads .sent button');
	await drawn(page);
	assert.equal((await rows())[0], 'c3>c35');
	await page.$eval('#figures', (box) => box.scrollTo(0, box.scrollHeight));
	await page.waitForTimeout(200);
	assert.ok(!(await rows()).includes('c3>c35'), 'scrolled out of sight');
	await page.$eval('#figures', (box) => box.scrollTo(0, 0));
	await page.fill('#search', 'c17');
	await page.waitForTimeout(200);
	assert.ok((await rows()).length > 0 && (await rows()).every((row) => /\bc17\b/.test(row)), 'searched as one types');
	await page.keyboard.press('Enter');
	assert.equal(await text(page, '#chips .turn'), 'Client c17');
	await page.click('#chips .turn');
	await drawn(page);
	assert.equal(await text(page, '#chips .turn'), 'not Client c17');
	assert.ok((await rows()).every((row) => !/\bc17\b/.test(row)));
	await page.click('#chips .drop');
	await page.fill('#search', 'proto:udp');
	await page.keyboard.press('Enter');
	await drawn(page);
	assert.deepEqual(await rows(), ['c3>c35']);
	assert.match(await search(page), /f=proto:udp/);
	await shot(page, 'table-filtered');
	await page.click('#chips .drop');
	await choose(page, 'level', 'host');
	await choose(page, 'view', 'Chord');
	await page.click('#heads .sent button');
	await page.click('#heads .sent button');
});

look('the VNI choice is a filter, in all views', async (page) => {
	await choose(page, 'over', 'total');
	await choose(page, 'unit', 'packets');
	await page.selectOption('#vni select', { label: '10001' });
	await drawn(page);
	const one = await figures(page);
	assert.equal(await text(page, '#chips .turn'), 'VNI 10001');
	assert.equal(await count(page, '#talkers [data-talker=c3]'), 0);
	await page.selectOption('#vni select', { label: 'all' });
	await drawn(page);
	assert.ok((await figures(page)).sent > one.sent * 3);
	await choose(page, 'unit', 'bytes');
	await choose(page, 'over', '3 s');
});

look('a copied link opens the same view, Back returns', async (page) => {
	await page.goto(`${world.url}?view=table&level=client&unit=packets&over=10&f=vni:10003&f=-proto:arp&select=c3&sort=from`);
	await until(page, 'live');
	await page.waitForSelector('#rows tr:not(.spare)');
	assert.equal(await page.isVisible('#chord'), false);
	assert.deepEqual(await page.$$eval('#chips .turn', (all) => all.map((one) => one.textContent)), ['VNI 10003', 'not Protocol arp']);
	assert.ok(await page.isChecked('#unit label:has-text("packets") input') && await page.isChecked('#over label:has-text("10 s") input'));
	assert.equal(await page.getAttribute('#heads .from', 'aria-sort'), 'ascending');
	assert.equal(await page.getAttribute('#talkers [data-talker=c3]', 'aria-pressed'), 'true');
	await choose(page, 'view', 'Chord');
	await page.goBack();
	await page.waitForFunction(() => document.body.dataset.view === 'table');
	await page.goto(world.url);
	await until(page, 'live');
});

look('looking back: the timeline is dragged, the views follow, live returns', async (page) => {
	await page.waitForFunction(() => document.querySelectorAll('#timeline .layers path').length >= 8);
	assert.match(await text(page, '#memory'), /^(\d+ s|\d+ min \d\d s) in memory, at most 10 min$/);
	const box = await page.locator('#timeline').boundingBox();
	await page.mouse.move(box.x + box.width - 12, box.y + 40);
	await page.mouse.down();
	await page.mouse.move(box.x + box.width - 120, box.y + 40, { steps: 5 });
	await page.mouse.up();
	assert.equal(await state(page), 'past');
	assert.match(await text(page, '#moment'), /^Looking at \d+:\d\d$/);
	assert.match(await text(page, '#total-words'), /^sent over \d\.\d s until \d+:\d\d$/);
	assert.match(await search(page), /at=\d+/);
	await resting(page);
	const before = await figures(page);
	await shot(page, 'looking-back');
	await newSamples(page, 1);
	assert.deepEqual(await figures(page), before, 'the past does not move');
	const tab = await newTab(world.context, await search(page));
	await until(tab, 'past');
	await resting(tab);
	assert.deepEqual((await figures(tab)).ribbons, before.ribbons, 'a new tab sees the same past');
	await tab.close();
	await page.focus('#timeline');
	await page.keyboard.press('ArrowLeft');
	await drawn(page);
	assert.equal(await state(page), 'past');
	await page.click('#live');
	await until(page, 'live');
	assert.equal(await search(page), '');
});

look('pause holds every figure, live goes on', async (page) => {
	await page.click('#live');
	await resting(page);
	const before = await figures(page);
	await newSamples(page, 1);
	assert.deepEqual(await figures(page), before);
	assert.equal(await state(page), 'past');
	await page.keyboard.press('Enter');
	await until(page, 'live');
});

look('layers of the timeline: host, VNI, client', async (page) => {
	for (const [stack, first] of [['VNI', '10003'], ['client', 'c3'], ['host', 'host0']]) {
		await choose(page, 'stack', stack);
		await drawn(page);
		assert.equal(await page.getAttribute('#timeline .layers path', 'data-layer'), first);
	}
});

look('the picture can be taken away as SVG, PNG and CSV, with all that it needs to be understood', async (page) => {
	const take = async (what) => {
		await page.click('#take');
		const [download] = await Promise.all([page.waitForEvent('download'), page.click(`[data-take=${what}]`)]);
		return { name: download.suggestedFilename(), content: readFileSync(await download.path()) };
	};
	for (const [view, part] of [['Chord', 'host8'], ['Topology', 'VNI 10003']]) {
		await choose(page, 'view', view);
		await resting(page);
		const svg = await take('svg');
		const words = svg.content.toString();
		assert.match(svg.name, new RegExp(`^${world.name}-${view.toLowerCase()}-\\d+s\\.svg$`));
		for (const said of [`${world.name}: who sends to whom`, 'sent over the last', ' UTC', part])
			assert.ok(words.includes(said), said);
		assert.ok((words.match(/<svg/g) ?? []).length === 3, 'the timeline stands below');
		assert.ok(!/style="[^"]*var\(|class=/.test(words), 'it needs no stylesheet');
		assert.equal(await page.evaluate((it) => new DOMParser().parseFromString(it, 'image/svg+xml').querySelector('parsererror')?.textContent ?? '', words), '');
	}
	await choose(page, 'view', 'Table');
	const table = (await take('svg')).content.toString();
	for (const said of [`${world.name}: who sends to whom`, 'sent over the last', 'host0  172.16.1.100', 'Received', 'host8'])
		assert.ok(table.includes(said), said);
	await choose(page, 'view', 'Topology');
	const png = await take('png');
	assert.deepEqual([...png.content.subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47]);
	assert.ok(png.content.length > 20_000, 'there is something on it');
	const csv = (await take('csv')).content.toString().split('\r\n');
	assert.match(csv[0], /^from,from_host,.*packets_per_s/);
	assert.match(csv[1], /^host0,host0,172\.16\.1\.100,host8,/);
	await choose(page, 'view', 'Chord');
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

look('nobody is shut out: axe-core finds nothing in any view, light or dark, desk or phone', async () => {
	for (const [viewport, colorScheme] of [[DESK, 'light'], [DESK, 'dark'], [PHONE, 'light']]) {
		const context = await world.browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce' });
		const page = await newTab(context, `#token=${world.token}`);
		await page.waitForSelector('.ribbon', { state: 'attached' });
		await page.click('#talkers button');
		for (const view of ['Chord', 'Topology', 'Table']) {
			await choose(page, 'view', view);
			await resting(page);
			assert.deepEqual(await violations(page), [], `${view}, ${colorScheme}, ${viewport.width}`);
		}
		await page.click('#act-open');
		await drawn(page);
		assert.deepEqual(await violations(page), [], `Act, ${colorScheme}, ${viewport.width}`);
		await context.close();
	}
});

look('the theme follows the system, or the user', async (page) => {
	const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
	const light = await paper();
	await page.click('#theme');
	assert.equal(await page.getAttribute('#theme', 'aria-label'), 'Theme: dark');
	assert.notEqual(await paper(), light);
	await page.reload();
	await until(page, 'live');
	assert.notEqual(await paper(), light, 'it is kept');
	await page.click('#theme');
	await page.click('#theme');
	assert.equal(await page.getAttribute('#theme', 'aria-label'), 'Theme: auto');
});

look('who wants no motion gets none: a picture changes at once', async (page) => {
	const firstArcs = async (reducedMotion) => {
		await page.emulateMedia({ reducedMotion });
		await page.click('[data-label=host0] text');
		await page.waitForSelector('[data-arc^="host0/"]', { state: 'attached' });
		const path = () => page.$eval('[data-arc=host5]', (arc) => arc.getAttribute('d'));
		const first = await path();
		await resting(page);
		const last = await path();
		await page.keyboard.press('Escape');
		await page.waitForSelector('[data-arc=host0]', { state: 'attached' });
		await resting(page);
		return [first, last];
	};
	await page.click('#live'); // nothing else may move
	const [glides, arrives] = [await firstArcs('no-preference'), await firstArcs('reduce')];
	assert.equal(arrives[0], arrives[1]);
	assert.equal(glides[1], arrives[1], 'both end in the same picture');
	assert.notEqual(glides[0], glides[1], 'without the wish it glides there');
	await page.emulateMedia({ reducedMotion: null });
	await page.click('#live');
});

look('it is whole at every size, light and dark, and without motion', async () => {
	for (const [name, options] of [
		['phone', { viewport: PHONE, deviceScaleFactor: 2, isMobile: true, hasTouch: true }],
		['desk', { viewport: DESK }],
		['wall', { viewport: { width: 1920, height: 1080 }, reducedMotion: 'reduce' }],
	]) {
		for (const colorScheme of ['light', 'dark']) {
			const context = await world.browser.newContext({ ...options, colorScheme });
			const page = await newTab(context);
			await page.waitForSelector('.ribbon', { state: 'attached' });
			for (const view of ['Chord', 'Topology', 'Table']) {
				await choose(page, 'view', view);
				await resting(page);
				const { wide, outside } = await page.evaluate(() => ({
					wide: document.documentElement.scrollWidth - innerWidth,
					outside: [...document.querySelectorAll('.label text')].filter((label) => {
						const [own, all] = [label.getBoundingClientRect(), document.querySelector('#chord').getBoundingClientRect()];
						return own.width && (own.left < all.left - 1 || own.right > all.right + 1 || own.top < all.top - 1 || own.bottom > all.bottom + 1);
					}).length,
				}));
				assert.ok(wide <= 0, `${name} ${view}: nothing to scroll sideways`);
				assert.equal(outside, 0, `${name} ${view}: all labels are inside the picture`);
				await shot(page, `${view.toLowerCase()}-${name}-${colorScheme}`);
			}
			await context.close();
		}
	}
});

endLook();
