// SPDX-License-Identifier: Apache-2.0
// The HTML report of a run, opened from disk in a real browser that has no network: as good as the page, and safe whatever a scenario
// has in it.
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { labName, run, scratch } from '../lib/lab.mjs';
import { DESK, count, drawn, endLook, look, openBrowser, pointAt, resting, text, violations, world } from './browser.mjs';

const dir = scratch('report');

const SCENARIO = `; A run that fails: <b>"one"</b> & two </script><script>document.title='taken'</script>
[lab]
hosts = 4
vnis = 7, 8
duration = 3s
[link host2]
loss = 20%
[traffic pings]
from = host0
to = all
rate = 60pps
size = 200
[traffic <img src=x onerror=alert(1)>]
from = c1
to = host3
proto = udp
rate = 200pps
size = 500
[event cable out]
at = 1s
do = link host3 down
[event cable in]
at = 2s
do = link host3 up
[assert nothing lost </script><script>document.title=1</script>]
check = loss() == 0%
[assert the stream is complete]
check = packets(from=c1 proto=udp) == 600
[assert nobody else talks]
check = unplanned() == 0
`;

let ran = null;
const file = `${dir}/report.html`;

async function open(options = {}) {
	const context = await world.browser.newContext({ viewport: DESK, offline: true, ...options });
	const page = await context.newPage();
	page.setDefaultTimeout(10_000);
	page.on('request', (request) => request.url().startsWith('file:') || world.strangers.push(request.url()));
	page.on('pageerror', (error) => world.problems.push(`error: ${error.stack}`));
	page.on('console', (message) => ['error', 'warning'].includes(message.type()) && world.problems.push(message.text()));
	page.on('dialog', (dialog) => {
		world.problems.push(`dialog: ${dialog.message()}`);
		return dialog.dismiss();
	});
	await page.goto(`file://${file}`);
	return page;
}

look('a run writes it: one file, in the size of a picture', async () => {
	writeFileSync(`${dir}/fails.ini`, SCENARIO);
	for (let i = 0; i < 5 && (i === 0 || ran.status === 4); i++) // 4: this machine was too busy for a verdict
		ran = run(['run', `${dir}/fails.ini`, '--headless', '--assert', '--name', labName('report'), '--report', `html:${file}`, '--report',
			`json:${dir}/report.json`]);
	assert.equal(ran.status, 1, ran.err);
	assert.ok(statSync(file).size < 400_000, `${statSync(file).size} bytes`);
	const html = readFileSync(file, 'utf8');
	assert.match(html, /http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-/);
	assert.doesNotMatch(html.replace(/xmlns|http:\/\/www\.w3\.org\/[\w/]+/g, ''), /(src|href)="?https?:|unsafe-inline/);
	await openBrowser();
	world.page = await open({ colorScheme: 'light' });
});

look('it says what failed and where packets stopped', async (page) => {
	assert.match(await text(page, '#verdict'), /^fail 1 of 3 checks does not hold\./i);
	assert.equal(await count(page, '#checks .fails'), 1);
	assert.equal(await count(page, '#checks .holds'), 2);
	assert.match(await text(page, '#checks .why'), /Expected == 0%.*Line 25 of the scenario/s);
	assert.equal(await count(page, '.path .here'), 1);
	// Below each other, beside their marks: the page has a .why of its own, in the middle of an empty table.
	assert.equal(await page.$eval('.path li b', (e) => getComputedStyle(e).textAlign), 'start');
	assert.match(await text(page, '.cause'), /host[23]/);
	assert.match(await text(page, '#truth'), /between host0 and host3: \d+ left, \d+ arrived/);
	assert.equal(await count(page, '#events tbody tr'), 2);
	const facts = await text(page, '#machine');
	for (const word of [/Linux/, /processors/, /TCP segmentation/]) assert.match(facts, word);
	assert.match(await text(page, '#monitor'), /frames seen.*lost 0|frames seen/s);
	assert.match(await text(page, '#scenario pre'), /\[event cable out\]\nat = 1s/);
});

look('what a scenario has in it stays text', async (page) => {
	assert.match(await page.title(), /fail – tunlab$/);
	assert.match(await text(page, '.lead'), /^A run that fails: <b>"one"<\/b> & two <\/script><script>/);
	assert.match(await text(page, '#checks .fails h3'), /nothing lost <\/script><script>document/);
	assert.equal(await count(page, 'img'), 0);
	assert.equal(await count(page, 'script'), 2);
});

look('the picture and the tables have the same figures as the JSON report', async (page) => {
	const doc = JSON.parse(readFileSync(`${dir}/report.json`, 'utf8'));
	assert.equal(doc.verdict, 'fail');
	assert.match(doc.facts.kernel, /^Linux/);
	assert.ok(doc.truth.length > 0);
	const ribbons = await page.evaluate(() => Object.fromEntries([...document.querySelectorAll('.ribbon')].map((one) =>
		[one.dataset.ribbon, Number(one.getAttribute('data-value'))])));
	assert.ok(ribbons['host0>host3'] > 0);
	await page.click('#unit label:has-text("packets")');
	await drawn(page);
	const packets = Number(await page.getAttribute('[data-ribbon="host0>host3"]', 'data-value'));
	const shown = await page.evaluate(() => [...document.querySelectorAll('#flows tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent)));
	const toHost3 = shown.filter(([from, to, , proto]) => /^c[01] /.test(from) && /^c[67] /.test(to) && proto !== 'arp');
	const number = (s) => Number(s.replace(/\D/g, ''));
	assert.equal(toHost3.reduce((sum, row) => sum + number(row[4]), 0), packets);
	await page.click('#unit label:has-text("bytes")');
});

look('it can be looked into: hosts open, moments are chosen, Escape leads back', async (page) => {
	const at = await pointAt(page, '[data-arc="host0"]');
	assert.match(await text(page, '#tooltip'), /host0.*sends/s);
	await page.mouse.click(at.x, at.y);
	await page.waitForSelector('.arc[data-arc*="192.168.0.1"]');
	await page.keyboard.press('Escape');
	await page.waitForSelector('[data-arc="host0"]');
	await page.click('#timeline', { position: { x: 600, y: 60 } });
	await page.waitForFunction(() => /until 0:0\d/.test(document.getElementById('moment').textContent));
	await page.click('#live');
	await page.waitForFunction(() => /in the whole run/.test(document.querySelector('.headline').textContent));
});

look('axe finds nothing wrong with it, light and dark; pictures are kept', async (page) => {
	await page.mouse.move(1, 1);
	await resting(page);
	assert.deepEqual(await violations(page), []);
	await page.screenshot({ path: 'build/screenshots/report-light.png', fullPage: true });
	const dark = await open({ colorScheme: 'dark' });
	await resting(dark);
	assert.deepEqual(await violations(dark), []);
	await dark.screenshot({ path: 'build/screenshots/report-dark.png', fullPage: true });
	await dark.context().close();
});

look('without JavaScript the verdict, the checks and the tables are there', async () => {
	const page = await open({ javaScriptEnabled: false });
	assert.match(await page.locator('#middle').innerText(), /need JavaScript/);
	assert.equal(await page.locator('#checks > ul > li').count(), 3);
	assert.ok(await page.locator('#truth tbody tr').count() > 5);
	assert.ok(await page.locator('#flows tbody tr').count() > 5);
	await page.context().close();
});

look('on a phone nothing is wider than the screen', async () => {
	const page = await open({ viewport: { width: 390, height: 800 } });
	await page.waitForTimeout(200);
	assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
	await page.screenshot({ path: 'build/screenshots/report-phone.png', fullPage: true });
	await page.context().close();
});

look('on paper it is light, whole, and has no buttons', async (page) => {
	await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
	await drawn(page);
	const seen = await page.evaluate(() => ({
		paper: getComputedStyle(document.querySelector('#checks')).backgroundColor, theme: getComputedStyle(document.getElementById('theme')).display,
		cut: [...document.querySelectorAll('.scroll, pre')].filter((one) => one.scrollHeight > one.clientHeight + 1).length,
	}));
	assert.deepEqual(seen, { paper: 'rgb(255, 255, 255)', theme: 'none', cut: 0 });
});

endLook();
