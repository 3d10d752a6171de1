// SPDX-License-Identifier: Apache-2.0
// The riddle: somebody is noisy in secret. A user finds out who from the page alone, and says so.
import assert from 'node:assert/strict';
import { begin, count, endLook, look, newTab, resting, shot, text, until, violations, world } from './browser.mjs';

const said = (page, pattern) => page.waitForFunction((source) => new RegExp(source).test(document.querySelector('#act-said').textContent),
	pattern.source);

look('a lab with a riddle asks who it is, also where the page is read-only', async () => {
	await begin('mystery');
	const { page } = world;
	await page.waitForSelector('#riddle');
	await page.click('#riddle');
	assert.ok(await page.isVisible('#act-read-only') && !await page.isVisible('#act-guess'));
	await page.close();
});

look('the page does not tell, but shows: who is busiest is the answer', async () => {
	const page = world.page = await newTab(world.context, `#token=${world.token}`);
	await until(page, 'live');
	await page.waitForFunction(() => parseFloat(document.querySelector('#talkers .share')?.textContent) > 25);
	assert.equal(await count(page, '.mark'), 0, 'no mark points at it');
	const culprit = await text(page, '#talkers b');
	await page.click('#riddle');
	await page.fill('#act-guess [name=who]', culprit === 'c0' ? 'c1' : 'c0');
	await page.keyboard.press('Enter');
	await said(page, /^No, it is not c\d+\. 1.guess so far/);
	await page.fill('#act-guess [name=who]', 'nobody');
	await page.keyboard.press('Enter');
	await said(page, /^Cannot guess/);
	await page.fill('#act-guess [name=who]', culprit);
	await page.click('#act-guess button');
	await said(page, new RegExp(`^Yes: ${culprit} on host\\d, VNI 1000\\d, sends udp to c\\d+ at 300pps\\. Found after 2 guesses\\.`));
	assert.match(await page.evaluate(() => location.search), new RegExp(`select=${culprit}$`));
	await resting(page);
	assert.deepEqual(await violations(page), []);
	await shot(page, 'mystery');
});

endLook();
