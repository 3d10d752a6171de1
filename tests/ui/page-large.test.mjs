// SPDX-License-Identifier: Apache-2.0
// The page of labs that are large, and of one with a riddle.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { DESK, begin, choose, count, drawn, endLook, figures, look, newTab, resting, shot, sum, text, until, violations, world } from './browser.mjs';

const FILE = `/tmp/tunlab-large-${process.pid}.ini`;
const search = (page) => page.evaluate(() => decodeURIComponent(location.search));

look('a lab of a hundred hosts: who is loud stands out, all others stand together, and every figure is there', async () => {
	writeFileSync(FILE, `[lab]
hosts = 100
wiring = direct
[link host7]
rate = 20mbit
[traffic mesh]
from = all
to = random
proto = udp
rate = 2pps
size = 300
[traffic culprit]
from = c40
to = host70
proto = udp
rate = 400pps
size = 1000
`);
	await begin(FILE);
	const { page } = world;
	await page.waitForFunction(() => parseFloat(document.querySelector('#talkers .share')?.textContent) > 30);
	await page.waitForSelector('[data-arc="host20-29"]', { state: 'attached' });
	await page.click('#live');
	await resting(page);
	const { arcs, ribbons, sent } = await figures(page);
	assert.ok(arcs.includes('host10') && arcs.includes('host70'), 'who is loud');
	assert.ok(arcs.length <= 16, `${arcs.length} arcs`);
	assert.ok(Math.abs(sum(Object.values(ribbons)) - sent) <= 1e-9 * sent, 'ribbons add up to the total');
	assert.match(await text(page, '#figures-words'), /% lost · [\d.]+ % encapsulation/);
	assert.match(await text(page, '[data-label="host20-29"]'), /^host20–29 ?10 active$/);
	await shot(page, 'large-chord');
	await page.click('#live');
});

look('a group of hosts can be looked into, and left again', async (page) => {
	await page.focus('[data-arc="host20-29"]');
	await page.keyboard.press('Enter');
	await page.waitForSelector('[data-arc=host23]', { state: 'attached' });
	assert.equal(await search(page), '?f=host:host20-29');
	assert.equal(await text(page, '#chips .turn'), 'host20-29');
	await resting(page);
	await shot(page, 'large-drill');
	await page.keyboard.press('Escape');
	await page.waitForSelector('[data-arc="host20-29"]', { state: 'attached' });
	assert.equal(await search(page), '');
});

look('its topology has every host as a tile, and whole those that matter', async (page) => {
	await choose(page, 'view', 'Topology');
	await drawn(page);
	assert.equal(await count(page, '#topology .tile'), 100);
	const whole = () => page.$$eval('#topology .host', (all) => all.map((one) => one.dataset.host));
	assert.ok((await whole()).includes('host10') && (await whole()).includes('host70'), 'the loud');
	assert.equal(await count(page, '[data-key="tile host7"].impaired'), 1, 'a link that is spoilt shows');
	await page.click('[data-key="tile host7"]');
	await page.waitForSelector('.host[data-host=host7]', { state: 'attached' });
	assert.match(await search(page), /select=host7/);
	assert.equal(await text(page, '.host[data-host=host7] .badge'), '20mbit');
	await resting(page);
	await shot(page, 'large-topology');
	await page.focus('[data-key="tile host7"]');
	await page.keyboard.press('ArrowRight');
	assert.equal(await page.evaluate(() => document.activeElement.dataset.key), 'tile host8');
	const row = await page.evaluate(() => {
		const at = (i) => document.querySelector(`[data-key="tile host${i}"]`).getAttribute('y');
		return [...Array(100).keys()].findIndex((i) => at(i) !== at(0));
	});
	await page.keyboard.press('ArrowDown');
	assert.equal(await page.evaluate(() => document.activeElement.dataset.key), `tile host${8 + row}`);
	await page.keyboard.press('Escape');
	assert.doesNotMatch(await search(page), /select/);
	const { tall, room } = await page.$eval('#lab-picture', (box) => ({ tall: box.scrollHeight, room: box.clientHeight }));
	assert.ok(tall <= room + 2, 'nothing to scroll');
});

look('large labs shut out nobody, on a desk or on a phone', async () => {
	for (const [viewport, scheme] of [[DESK, 'light'], [{ width: 390, height: 844 }, 'dark']]) {
		const context = await world.browser.newContext({ viewport, colorScheme: scheme, reducedMotion: 'reduce' });
		const page = await newTab(context);
		await page.waitForSelector('.ribbon', { state: 'attached' });
		for (const view of ['Chord', 'Topology', 'Table']) {
			await choose(page, 'view', view);
			await resting(page);
			assert.deepEqual(await violations(page), [], `${view}, ${viewport.width}`);
			assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${view} fits`);
			await shot(page, `large-${view.toLowerCase()}-${viewport.width < 560 ? 'phone' : 'desk'}-${scheme}`);
		}
		await context.close();
	}
	rmSync(FILE);
});

endLook();
