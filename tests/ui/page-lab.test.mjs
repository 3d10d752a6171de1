// SPDX-License-Identifier: Apache-2.0
// The page and what happens to the lab: changes from the page, silence, strangers, trouble, the end.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { Child, run, fetchAlone } from '../lib/lab.mjs';
import { begin, choose, count, drawn, endLook, look, newSamples, newTab, pointAt, resting, shot, startLab, state, text, until, world } from './browser.mjs';

const said = (page, pattern) => page.waitForFunction((source) => new RegExp(source).test(document.querySelector('#act-said').textContent),
	pattern.source);
const wordsOf = (page) => text(page, '#figures-words');

look('without the token the page is read-only, and says so', async () => {
	await begin('idle');
	const { page } = world;
	assert.equal(await text(page, '#act-open'), 'Read-only');
	await page.click('#act-open');
	assert.ok(await page.isVisible('#act-read-only') && !await page.isVisible('#act-forms'));
	await page.fill('#act-token input', 'nonsense');
	await page.keyboard.press('Enter');
	await said(page, /no token/);
	await shot(page, 'read-only');
	await page.click('#act-close');
});

look('an idle lab says so, and how to change it', async (page) => {
	await page.waitForFunction(() => document.querySelector('#middle strong').textContent === 'No traffic');
	assert.equal(await text(page, '#middle code'), 'tunlab traffic --client 3 --rate 500pps');
	assert.equal(await count(page, '.ribbon'), 0);
	assert.equal(await count(page, '.arc'), 9);
	await shot(page, 'idle');
});

look('the token comes in the fragment, leaves the address and stays with the tab', async (page) => {
	await page.goto('about:blank');
	await page.goto(`${world.url}#token=${world.token}`);
	await until(page, 'live');
	assert.equal(await page.evaluate(() => location.href), world.url);
	await page.reload();
	await until(page, 'live');
	assert.equal(await text(page, '#act-open'), 'Act');
	assert.equal(await text(page, '#middle p'), 'Make some with Act, or from another terminal:');
});

look('traffic is started, changed and stopped from the page', async (page) => {
	await page.click('#act-open');
	await page.fill('#act-traffic [name=client]', 'c3');
	await page.fill('#act-traffic [name=to]', 'host8');
	await page.fill('#act-traffic [name=rate]', 'quickly');
	await page.click('#act-start');
	await said(page, /^Cannot use rate quickly/);
	await page.fill('#act-traffic [name=rate]', '200pps');
	await page.click('#act-start');
	await said(page, /^Started: c3 sends 200pps/);
	await page.waitForSelector('[data-ribbon="host0>host8"]', { state: 'attached' });
	assert.equal(await text(page, '#talkers b'), 'c3');
	await page.waitForSelector('#act-running [data-traffic]');
	await resting(page);
	await shot(page, 'act');
	assert.match(await text(page, '#act-running li'), /live-1.*c3 → c35 · udp · 200pps · 1024 B/);
	await page.click('#act-running button:has-text("Change")');
	await page.fill('#act-traffic [name=rate]', '400pps');
	await page.click('#act-start');
	await said(page, /^Changed: c3 now sends 400pps/);
	await page.waitForFunction(() => /400pps/.test(document.querySelector('#act-running').textContent)
		&& document.querySelectorAll('#act-running [data-traffic]').length === 1);
	await page.click('#act-running button:has-text("Stop")');
	await said(page, /^Stopped/);
	await page.waitForFunction(() => document.querySelectorAll('#act-running [data-traffic]').length === 0);
});

look('a link is taken down and brought back from the page; the topology shows it, the timeline marks it', async (page) => {
	await page.fill('#act-traffic [name=client]', 'c0');
	await page.fill('#act-traffic [name=to]', 'all');
	await page.fill('#act-traffic [name=rate]', '100pps');
	await page.click('#act-start');
	await said(page, /^Started: c0/);
	await choose(page, 'view', 'Topology');
	await page.selectOption('#act-link [name=host]', 'host4');
	await page.click('#act-link button:has-text("Take down")');
	await said(page, /^host4 is cut off/);
	await page.waitForSelector('[data-host=host4] .uplink.down', { state: 'attached' });
	assert.equal(await text(page, '[data-host=host4] .badge'), 'down');
	await page.waitForSelector('#timeline [data-event*="link host4 down"]', { state: 'attached' });
	await page.waitForFunction(() => document.querySelector('#act-link-now').textContent === 'Now: down');
	await page.click('#act-close');
	await newSamples(page, 2);
	await shot(page, 'link-down');
	await choose(page, 'view', 'Chord');
	await page.waitForFunction(() => /[1-9][\d.]*\s% lost/.test(document.querySelector('#figures-words').textContent));
	await page.click('#act-open');
	await page.click('#act-link button:has-text("Bring up")');
	await said(page, /^host4 is back/);
	await page.click('#act-close');
	await choose(page, 'view', 'Topology');
	await page.waitForFunction(() => !document.querySelector('[data-host=host4] .uplink.down'));
	await choose(page, 'view', 'Chord');
});

look('what happened is reached by the keyboard, one stop of Tab for all, and can be looked at', async (page) => {
	const focused = (name) => page.evaluate((attribute) => document.activeElement.getAttribute(attribute), name);
	await page.focus('#timeline');
	await page.keyboard.press('Shift+Tab');
	assert.match(await focused('aria-label'), /^\d+:\d\d link host4 up$/, 'the newest');
	await page.keyboard.press('ArrowLeft');
	assert.match(await focused('aria-label'), /^\d+:\d\d link host4 down$/);
	await page.keyboard.press('Enter');
	await until(page, 'past');
	assert.match(await text(page, '#moment'), /link host4 down/);
	assert.equal(await page.locator('.moments [tabindex="0"]').count(), 1);
	await page.click('#live');
	await until(page, 'live');
});

look('a wall of 4K shows all twice as large, and is pointed at where it seems to be', async () => {
	const context = await world.browser.newContext({ viewport: { width: 3840, height: 2160 } });
	try {
		const page = await newTab(context);
		await page.waitForSelector('.ribbon', { state: 'attached' });
		await drawn(page);
		const { wide, total } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth,
			total: document.querySelector('#total').getBoundingClientRect().height }));
		assert.ok(wide <= 3840, 'nothing to scroll');
		assert.ok(total > 60, `the total is ${total} high`);
		const { x, y } = await pointAt(page, '[data-arc=host0]');
		const tip = await page.locator('#tooltip').boundingBox();
		assert.ok(Math.abs(tip.x - x) < 60 && Math.abs(tip.y - y) < 60, JSON.stringify([tip, x, y]));
		const line = await page.locator('#timeline').boundingBox();
		const there = line.x + line.width - 400; // some six seconds ago
		await page.mouse.click(there, line.y + line.height / 2);
		await until(page, 'past');
		const handle = await page.$eval('#timeline .handle', (one) => one.getBoundingClientRect().x);
		assert.ok(Math.abs(handle - there) < 200, `${handle} ${there}`); // a second is 60 pixels, and one or two may have passed
	} finally {
		await context.close();
	}
});

look('a table with nothing in it says why', async (page) => {
	await choose(page, 'view', 'Table');
	await page.fill('#search', 'nobody');
	await page.waitForFunction(() => document.querySelectorAll('#rows tr:not(.spare)').length === 0);
	assert.match(await text(page, '.why'), /^Nothing matchesNo traffic passes your filters/);
	await page.fill('#search', '');
	await page.waitForFunction(() => document.querySelectorAll('#rows tr:not(.spare)').length > 0);
	assert.equal(await page.isVisible('.why'), false);
});

look('rows are reached by the keyboard, and follow what they show', async (page) => {
	const here = () => page.evaluate(() => document.activeElement.dataset.row);
	await page.focus('#figures');
	await page.keyboard.press('ArrowDown');
	const first = await here();
	await page.keyboard.press('ArrowDown');
	assert.notEqual(await here(), first);
	await page.keyboard.press('End');
	const last = await here();
	const inSight = await page.evaluate(() => {
		const [row, foot] = [document.activeElement, document.querySelector('tfoot')].map((one) => one.getBoundingClientRect());
		return row.height > 0 && row.bottom <= foot.top + 1;
	});
	assert.ok(inSight);
	await newSamples(page, 1);
	assert.equal(await here(), last);
	await page.keyboard.press('Enter');
	await page.waitForFunction((row) => decodeURIComponent(location.search).includes(`select=${row.replace('>', '~')}`), last);
	await page.keyboard.press('Escape');
	await page.waitForFunction(() => !location.search.includes('select'));
	await choose(page, 'view', 'Chord');
});

look('flows that nobody planned carry a warning mark', async (page) => {
	const ping = new Child(['exec', '--lab', world.name, 'c5', '--', 'ping', '-i', '0.2', '-c', '40', '192.168.1.4']);
	await page.waitForSelector('.mark', { state: 'attached' });
	await drawn(page);
	assert.match(await wordsOf(page), /2 not planned/);
	assert.match(await page.getAttribute('[data-ribbon="host1>host3"]', 'aria-label'), /not planned/);
	assert.match(await text(page, '#rows tr:has(.marked)'), /! not planned/);
	await shot(page, 'not-planned');
	await ping.kill();
});

look('planned pairs that are silent are hollow', async (page) => {
	// Its packets die in its own namespace: the generator runs, nothing is seen.
	assert.equal(run(['exec', '--lab', world.name, 'c0', '--', 'ip', 'link', 'set', 'eth0', 'down']).status, 0);
	await page.waitForSelector('.ribbon.hollow', { state: 'attached' });
	assert.match(await wordsOf(page), /\d silent/);
	assert.match(await page.getAttribute('.ribbon.hollow', 'aria-label'), /planned, but silent/);
	assert.ok(await count(page, '#rows tr.hollow') > 0);
	await shot(page, 'silent');
	run(['exec', '--lab', world.name, 'c0', '--', 'ip', 'link', 'set', 'eth0', 'up']);
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
	const { port } = new URL(world.url);
	await world.lab.kill();
	await until(page, 'lost');
	assert.match(await text(page, '#notice'), /does not answer; trying again\. What you see is \d+ s old/);
	await page.waitForTimeout(400);
	await shot(page, 'disconnected');
	await startLab('skewed', port);
	await until(page, 'live', 20_000);
	await page.waitForFunction((name) => document.querySelector('#lab-name').textContent === name, world.name);
	await page.waitForFunction(() => document.querySelector('#talkers b')?.textContent === 'c3');
});

look('the old lab’s token is refused with a sentence', async (page) => {
	if (!await page.isVisible('#act'))
		await page.click('#act-open');
	await page.click('#act-start');
	await said(page, /^This token is not the lab’s/);
	await page.click('#act-close');
});

look('a culprit made in the running lab is soon on the screen', async (page) => {
	const traffic = new Child(['traffic', '--lab', world.name, '--client', '14', '--rate', '3kpps', '--size', '1000', '--duration', '8s']);
	await page.waitForFunction(() => document.querySelector('#talkers b').textContent === 'c14');
	await page.waitForFunction(() => /^for \d.s$/.test(document.querySelector('#talkers .since').textContent));
	await resting(page);
	await shot(page, 'culprit');
	await traffic.kill('SIGINT');
});

/** Asks for something and never reads the answer. */
function deaf(path, times) {
	const socket = connect(Number(new URL(world.url).port), '127.0.0.1');
	socket.pause();
	socket.on('error', () => {}); // given up by the server: as it should be
	socket.write(`GET ${path} HTTP/1.1\r\nHost: ${new URL(world.url).host}\r\n\r\n`.repeat(times));
	return socket;
}

look('slow and stuck pages hold up nobody: others stay live, new ones come up, samples keep their pace', async (page) => {
	const samples = async () => (await (await fetchAlone(`${world.url}api/v1/flows?top=1`)).json()).elapsed_s;
	// A hundred times the script is more than any socket holds: the server's writes to these block.
	const stuck = Array.from({ length: 20 }, () => deaf('/app.js', 100));
	const mute = Array.from({ length: 8 }, () => deaf('/api/v1/feed', 1));
	const slow = await newTab(world.context);
	await until(slow, 'live');
	const session = await world.context.newCDPSession(slow);
	await session.send('Debugger.enable');
	await session.send('Debugger.pause');
	void slow.evaluate(() => 1).catch(() => {}); // runs into the pause
	const began = await samples();
	const context = await world.browser.newContext(); // a browser of its own, with a stream of its own
	const other = await newTab(context);
	await until(other, 'live');
	await newSamples(page, 4);
	assert.ok(await samples() >= began + 3);
	assert.equal(await state(page), 'live');
	for (const socket of [...stuck, ...mute])
		socket.destroy();
	await session.send('Debugger.disable');
	await slow.close();
	await context.close();
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

endLook();
