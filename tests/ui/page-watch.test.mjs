// SPDX-License-Identifier: Apache-2.0
// The page without a lab: a capture with a time axis of its own, and interfaces of this machine.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { pcap, vxlan, vxlanFrame } from '../lib/capture.mjs';
import { scratch } from '../lib/lab.mjs';
import { begin, choose, count, drawn, endLook, figures, look, newTab, resting, shot, startWithout, state, text, until, world } from './browser.mjs';

const folder = scratch('watch');
writeFileSync(`${folder}/names`, '10.0.0.1 alpha\n10.0.0.2 beta\n10.0.0.3 gamma\n192.168.0.1 shop\n127.0.0.1 here\n');

/** 100 s: alpha to beta ten packets a second, beta answers with five; from second 40 to 49 gamma is loud. */
function makeCapture() {
	const packets = [];
	for (let second = 0; second < 100; second++) {
		for (let i = 0; i < 10; i++)
			packets.push([second + i / 10, vxlanFrame({})]);
		for (let i = 0; i < 5; i++)
			packets.push([second + 0.9, vxlanFrame({ src: '10.0.0.2', dst: '10.0.0.1', innerSrc: '192.168.0.2', innerDst: '192.168.0.1' })]);
		for (let i = 0; i < 100 && second >= 40 && second < 50; i++)
			packets.push([second + 0.95, vxlanFrame({ src: '10.0.0.3', vni: 200, innerSrc: '192.168.0.3' })]);
	}
	writeFileSync(`${folder}/loud.pcap`, pcap(packets));
	return packets.length;
}

let whole;

look('a capture opens as a whole, with its names and its own time', async () => {
	whole = makeCapture();
	await begin(null, null, { start: () => startWithout('replay', `${folder}/loud.pcap`, '--serve', '--names', `${folder}/names`), first: 'capture' });
	const { page } = world;
	await choose(page, 'unit', 'packets');
	await drawn(page);
	assert.equal(await text(page, '#link-text'), 'Capture');
	assert.equal(await text(page, '#lab-name'), 'loud.pcap');
	assert.match(await text(page, '#lab-facts'), /capture · 3 hosts · 2 VNIs · steps of 1 s/);
	assert.match(await text(page, '#total'), new RegExp(`^${String(whole).replace(/(?=\d{3}$)/, '.?')} packets`));
	assert.match(await text(page, '#total-words'), /seen in 1 min 40 s/);
	assert.match(await text(page, '#memory'), /^1 min 40 s in steps of 1 s/);
	assert.equal(await count(page, '.arc'), 3);
	assert.ok(!await page.isVisible('#act-open') && !await page.isVisible('#live'));
	assert.equal(await page.locator('#notice').isVisible(), false);
	assert.equal(await page.locator('th.loss').isVisible(), false);
	const names = await page.locator('#rows .end b').allTextContents();
	assert.deepEqual(new Set(names), new Set(['alpha', 'beta', 'gamma']));
	await resting(page);
	await shot(page, 'capture');
});

look('its timeline looks back, and every view follows', async (page) => {
	const box = await page.locator('#timeline').boundingBox();
	await choose(page, 'over', '10 s');
	// The axis is a hundred seconds wide between 66 pixels on the left and 10 on the right.
	const at = (second) => box.x + 66 + (box.width - 76) * second / 100;
	await page.mouse.click(at(49.5), box.y + 30);
	await until(page, 'past');
	await drawn(page);
	const { rows } = await figures(page);
	assert.match(await text(page, '#moment'), /^Looking at 0:5\d$/);
	assert.deepEqual(Object.keys(rows), ['gamma>beta', 'alpha>beta', 'beta>alpha']);
	assert.match(await text(page, '#talkers li'), /192\.168\.0\.3.*gamma/);
	await page.mouse.click(at(30), box.y + 30);
	await drawn(page);
	assert.match(await text(page, '#talkers li'), /shop.*alpha/);
	await shot(page, 'capture-past');
	await page.click('#live');
	await until(page, 'capture');
	await page.fill('#search', 'vni:200');
	await page.keyboard.press('Enter');
	await choose(page, 'over', 'total');
	await drawn(page);
	assert.equal(Object.keys((await figures(page)).rows).length, 1);
	await page.fill('#search', '');
	await page.locator('#chips .drop').click();
});

look('a second tab has it all, and the topology shows who there was', async (page) => {
	const tab = await newTab(world.context, '?view=topology');
	await until(tab, 'capture');
	assert.equal(await count(tab, '#topology .host'), 3);
	await resting(tab);
	await shot(tab, 'capture-topology');
	await tab.close();
	assert.equal(await state(page), 'capture');
});

look('when the program has ended, the page still has the capture', async (page) => {
	await world.lab.kill('SIGINT');
	assert.equal(world.lab.exit.status, 130);
	await page.waitForTimeout(1500);
	assert.equal(await state(page), 'capture');
	assert.ok(!await page.isVisible('#notice'));
});

look('interfaces of this machine: counted once, named, read-only', async () => {
	const socket = createSocket('udp4');
	const sink = createSocket('udp4');
	await new Promise((resolve) => sink.bind(4789, '127.0.0.1', resolve).once('error', resolve)); // somebody listens, or ICMP answers
	try {
		await startWithout('monitor', '--dev', 'lo', '--names', `${folder}/names`);
		for (let i = 0; i < 100; i++)
			await new Promise((resolve) => socket.send(vxlan({ vni: 77 }), 4789, '127.0.0.1', resolve));
		const page = await newTab(world.context, '?unit=packets&over=all&f=vni:77');
		await until(page, 'live');
		await page.waitForFunction(() => document.querySelectorAll('.ribbon').length > 0);
		await page.waitForFunction(() => /^watching lo · 1.host/.test(document.querySelector('#lab-facts').textContent));
		// They cross the loopback out and in, and count once.
		await page.waitForFunction(() => /^100.packets$/.test(document.querySelector('#total').textContent));
		assert.match(await text(page, '#total-words'), /^seen in .* since the start/);
		assert.match(await text(page, '#talkers li'), /shop.*here · VNI 77/);
		assert.ok(!await page.isVisible('#act-open'));
		await resting(page);
		await shot(page, 'monitor');
		await world.lab.kill('SIGTERM');
		await until(page, 'ended');
		assert.equal(await text(page, '#link-text'), 'Monitor ended');
		await page.close();
	} finally {
		socket.close();
		sink.close();
	}
});

endLook();
