// SPDX-License-Identifier: Apache-2.0
// Parts of the page in a browser, without a lab: what they show is told by the test, so rows go and moments leave memory when it wants.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { endLook, look, openBrowser, resting, world } from './browser.mjs';

const WEB = new URL('../../ui/web/', import.meta.url).pathname;
const require = createRequire(new URL('../../build/web/', import.meta.url));
const SIZES = [{ width: 1280, height: 800 }, { width: 1920, height: 1080 }];

function bundle(contents) {
	return require('esbuild').buildSync({ stdin: { contents, resolveDir: WEB }, bundle: true, format: 'iife', write: false }).outputFiles[0].text;
}

/** The page's own document with nothing in it but a table, a timeline's moments and what they called back. */
async function open(viewport = SIZES[0]) {
	const page = await world.browser.newPage({ viewport });
	page.setDefaultTimeout(10_000);
	await page.setContent(readFileSync(`${WEB}index.html`, 'utf8').replace(/<(link|script|img)\b[^>]*>(<\/script>)?/g, ''));
	await page.addStyleTag({ content: readFileSync(`${WEB}style.css`, 'utf8') });
	await page.addScriptTag({ content: bundle(`
		import { createMoments } from './draw/moments.js';
		import { createTable } from './draw/table.js';
		import { figures } from './figures.js';
		import { amount, lab, sums, view } from '../../tests/ui/fixture.mjs';
		const said = globalThis.said = { pointed: [], selected: [], looked: [] };
		const key = (cell) => cell && cell.key;
		const table = createTable({ onSort() {}, onPoint: (cell) => said.pointed.push(key(cell)), onSelect: (cell) => said.selected.push(key(cell)) });
		const moments = createMoments(document.getElementById('timeline'), { onLook: (seq) => said.looked.push(seq) });
		globalThis.show = (pairs, wide) => {
			document.body.dataset.view = wide ? 'table' : 'chord';
			document.getElementById('picture').hidden = wide;
			const where = lab(1 + Math.max(...pairs.flat()));
			const shown = figures(sums(pairs.map(([from, to], i) => amount(from, to, 1000 - i))), where, view());
			table.render({ figures: shown, unit: 'packets', mode: 'rate', seconds: 3, lab: where }, { by: 'sent', down: true }, wide);
		};
		globalThis.happen = (times) => moments.render(times.map((time) => ({ time, x: 100 + time, seq: time, says: 'at ' + time })));
	`) });
	return page;
}

const show = (page, pairs, wide = true) => page.evaluate(([list, how]) => globalThis.show(list, how), [pairs, wide]);
const here = (page) => page.evaluate(() => document.activeElement.dataset.row ?? (document.activeElement.id || document.activeElement.getAttribute('aria-label')));
const said = (page, what) => page.evaluate((name) => globalThis.said[name].at(-1), what);

look('a row that is pointed at tells what it shows, also when that changes and when it goes', async () => {
	await openBrowser();
	const page = await open();
	await show(page, [[0, 1], [0, 2], [0, 3]]);
	await page.hover('[data-row="host0>host2"] .sent');
	assert.equal(await said(page, 'pointed'), 'host0>host2');
	await show(page, [[0, 1], [0, 3], [0, 2]]);
	assert.equal(await said(page, 'pointed'), 'host0>host3');
	await show(page, [[0, 1]]);
	assert.equal(await said(page, 'pointed'), null);
	await page.close();
});

look('the focus never lies on another pair than before: where its row goes the table has it, and Enter does nothing', async () => {
	const page = await open();
	const [a, b, c] = [[0, 1], [0, 2], [0, 3]];
	for (const [what, left] of [['the last row went', [a, b]], ['its place is taken', [a, b, [1, 0]]]]) {
		await show(page, [a, b, c]);
		await page.focus('#figures');
		await page.keyboard.press('End');
		assert.equal(await here(page), 'host0>host3');
		await show(page, left);
		assert.equal(await here(page), 'figures', what);
		assert.equal(await said(page, 'pointed'), null, what);
		await page.keyboard.press('Enter');
		assert.equal(await said(page, 'selected'), undefined, what);
	}
	await page.keyboard.press('ArrowDown');
	assert.equal(await here(page), 'host0>host1', 'the keyboard goes on');
	await show(page, [b, c, a]);
	assert.equal(await here(page), 'host0>host1', 'and follows a row to its new place');
	await page.keyboard.press('Enter');
	assert.equal(await said(page, 'selected'), 'host0>host1');
	await page.close();
});

look('the focus stays on its moment; when that leaves memory the oldest that is left has it, in the end the timeline', async () => {
	const page = await open();
	const happen = (...times) => page.evaluate((all) => globalThis.happen(all), times);
	await happen(1, 2, 3);
	await page.focus('.moments :nth-child(2)');
	await happen(2, 3, 4);
	assert.equal(await here(page), 'at 2', 'one left, one came');
	await happen(3, 4, 5);
	assert.equal(await here(page), 'at 3');
	assert.deepEqual(await page.$$eval('.moments button', (all) => all.map((one) => [one.title, one.tabIndex])), [['at 3', 0], ['at 4', -1], ['at 5', -1]]);
	await page.keyboard.press('Enter');
	assert.equal(await said(page, 'looked'), 3);
	await happen();
	assert.equal(await here(page), 'timeline');
	await page.close();
});

look('every row is as high as is reckoned with, and the last of many comes in sight, on a desk and on a full screen', async () => {
	const pairs = Array.from({ length: 100 }, (_, i) => [0, i + 1]);
	for (const size of SIZES) {
		const page = await open(size);
		for (const [wide, high] of [[true, 30], [false, 45]]) {
			const how = `${size.width}, ${wide ? 'wide' : 'beside the picture'}`;
			await show(page, pairs, wide);
			await page.focus('#figures');
			await page.keyboard.press('End');
			assert.equal(await here(page), 'host0>host100', how);
			const { heights, hidden } = await page.evaluate(() => ({
				heights: [...document.querySelectorAll('#rows tr:not(.spare)')].map((row) => row.getBoundingClientRect().height),
				hidden: document.activeElement.getBoundingClientRect().bottom - document.querySelector('tfoot').getBoundingClientRect().top,
			}));
			assert.deepEqual([...new Set(heights)], [high], how);
			assert.ok(hidden < 1, `${how}: ${hidden} px of the last row are out of sight`);
		}
		await page.close();
	}
});

look('a picture rests while only its words change; one that never rests is not waited for without end', async () => {
	const page = await open();
	const change = (attribute) => page.evaluate((name) => {
		const shape = document.querySelector('#chord').appendChild(document.createElementNS('http://www.w3.org/2000/svg', 'rect'));
		const turn = (time) => {
			shape.setAttribute(name, time);
			requestAnimationFrame(turn);
		};
		requestAnimationFrame(turn);
	}, attribute);
	await change('aria-label');
	await resting(page);
	await page.evaluate(() => {
		const later = globalThis.setTimeout;
		globalThis.setTimeout = (fn) => later(fn, 100); // ten seconds pass sooner
	});
	await change('x');
	await assert.rejects(resting(page), /after 10 s the picture still moves/);
	await page.close();
});

endLook();
