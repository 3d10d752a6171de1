// SPDX-License-Identifier: Apache-2.0
// Every sentence the page says. Pure: facts in, text out.

import { amount, count, duration, encapName, share } from './format.js';
import { isLab } from './names.js';

export const LINK_WORDS = {
	connecting: 'Connecting', live: 'Live', past: 'Looking back', stale: 'Stale', lost: 'Disconnected',
	full: 'Waiting for a place', ended: 'Lab ended', capture: 'Capture',
};

export function linkText(condition, lab) {
	return condition === 'ended' && lab && !isLab(lab) ? 'Monitor ended' : LINK_WORDS[condition];
}

/** How to read a picture. */
export const LEGENDS = {
	chord: 'A ribbon has its sender’s colour and points at the receiver. Click an arc to look inside, a ribbon to select it.',
	topology: 'Thick lines are busy. Gauges compare uplinks.',
};

/** More of the topology's. */
export const GAUGES = 'A gauge shows what an uplink carries, beside the busiest one of the lab or, where it has a limit, beside that.';

/** The same where hosts stand together. */
export const FOLDED = 'Too many for one circle: hosts with little traffic stand together. Click such a group to look into it.';

/** What is wrong, and how old the figures are: [fixed sentence, changing sentence]. */
export function notice(condition, age, hasFigures, noun = 'lab') {
	const old = hasFigures ? `What you see is ${duration(age)} old.` : '';
	switch (condition) {
	case 'stale': return [`The ${noun} is connected but sends no figures.`, old];
	case 'lost': return [`The ${noun} does not answer; trying again.`, old];
	case 'full': return [`The ${noun} serves as many pages as it can; trying again.`, old];
	case 'ended': return [`The ${noun} has ended.`, hasFigures ? 'These are its last figures.' : ''];
	default: return ['', ''];
	}
}

/** A machine's interfaces: which, and which are waited for. A capture: how long a step of its time is. */
function watchedFacts({ kind, hosts, vnis, devices, interval_s }) {
	const seen = [count(hosts.length, 'host'), count(vnis.length, 'VNI')];
	if (kind === 'capture')
		return ['capture', ...seen, `steps of ${duration(interval_s)}`].join(' · ');
	const names = (devices ?? []).map(({ name, attached }) => (attached ? name : `waiting for ${name}`));
	return [`watching ${names.join(', ')}`, ...seen].join(' · ');
}

export function labFacts(lab) {
	if (!isLab(lab))
		return watchedFacts(lab);
	const encap = lab.encap ? `${encapName(lab.encap)} over ${lab.underlay}` : '';
	return [count(lab.hosts.length, 'host'), count(lab.clients.length, 'client'), count(lab.vnis.length, 'VNI'), encap]
		.filter(Boolean).join(' · ');
}

/** "3:05" on the lab's clock, "1:03:05" from an hour on. */
export function clock(seconds) {
	const two = (n) => String(Math.floor(n)).padStart(2, '0');
	return seconds < 3600 ? `${Math.floor(seconds / 60)}:${two(seconds % 60)}`
		: `${Math.floor(seconds / 3600)}:${two(seconds / 60 % 60)}:${two(seconds % 60)}`;
}

/** The time that figures are of. */
export function intervalWords(span, at) {
	if (span.mode === 'total')
		return `in ${duration(span.end.elapsed_s)} since the start`;
	const length = `${span.seconds.toFixed(1)}\u00a0s`;
	return at === null ? `over the last ${length}` : `over ${length} until ${clock(span.end.elapsed_s)}`;
}

/** A node for who cannot see it. */
export function nodeWords(node, { figures, unit, mode }) {
	const what = [node.name, node.tag, node.address].filter(Boolean).join(', ');
	const enter = { host: node.host && ' Enter shows its inner addresses.', inner: ` Enter shows the clients of VNI ${node.vni}.`,
		client: ' Enter shows it alone.', group: ' Enter looks into them.' }[node.kind] ?? '';
	return `${what}: sends ${amount(node.sent, unit, mode)}, ${share(node.sent, figures.total[unit])} of all;`
		+ ` is sent ${amount(node.got, unit, mode)}.${enter}`;
}

/** A ribbon for who cannot see it. */
export function cellWords(cell, { figures, unit, mode }, loss) {
	const marks = [cell.unplanned && ', not planned', cell.silent === cell.flows && ', planned, but silent'].filter(Boolean).join('');
	return `${cell.from.name} to ${cell.to.name}: ${amount(cell[unit], unit, mode)}, ${share(cell[unit], figures.total[unit])} of all`
		+ `${loss > 0 ? `, ${share(loss, 1)} lost` : ''}${marks}. Enter selects the pair.`;
}

/** The words in the picture while there is nothing to draw: [title, text, command], title '' for none. */
export function middleWords({ condition, picture, lab, filtered, canAct, view }) {
	if (!picture && condition === 'lost')
		return ['No lab', 'Nothing answers at this address. Start one:', 'sudo tunlab run'];
	if (!picture)
		return [condition === 'ended' ? 'The lab has ended' : 'Measuring…', '', ''];
	if (view === 'topology')
		return lab.hosts.length ? ['', '', ''] : ['No hosts', 'These figures are of no lab that could be drawn.', ''];
	const { total, cells } = picture.figures;
	if (!isLab(lab) && !filtered && cells.length === 0)
		return ['No tunnelled packets', lab.kind === 'capture' ? 'in this span of the capture.' : 'crossed these interfaces in this time.', ''];
	if (total.packets > 0 || cells.length > 0 || condition === 'ended')
		return ['', '', ''];
	if (filtered)
		return ['Nothing matches', 'No traffic passes your filters at this time.', ''];
	const client = lab.clients[3] ?? lab.clients.at(-1);
	if (!client)
		return ['No tunnelled traffic', '', ''];
	return ['No traffic', canAct ? 'Make some with Act, or from another terminal:' : 'Make some from another terminal:',
		`tunlab traffic --client ${client.id} --rate 500pps`];
}

/** Since when somebody has been as loud as now. */
export function sinceWords({ seconds, open, start }) {
	if (seconds < 1)
		return '';
	if (open && start)
		return 'since start';
	if (seconds < 60)
		return `${open ? 'for over' : 'for'} ${duration(seconds)}`;
	return open ? `for over ${Math.floor(seconds / 60)}\u00a0min` : `for ${clock(seconds)}\u00a0min`;
}

/** What a link has, for people: "down", "50mbit · 10ms · 1% loss". */
export function linkWords(link) {
	if (!link)
		return 'unimpaired';
	return [link.down && 'down', link.rate, link.delay, link.loss && `${link.loss} loss`].filter(Boolean).join(' · ');
}

/** What the lab says to a guess at who is secret. */
export function guessWords({ right, client, guesses, host, vni, traffic }) {
	const nth = guesses === 1 ? 'at the first guess' : `after ${guesses} guesses`;
	if (!right)
		return `No, it is not ${client}. ${count(guesses, 'guess').replace(/guesss$/, 'guesses')} so far.`;
	return `Yes: ${client} on ${host}, VNI ${vni}, sends ${traffic.proto} to ${traffic.to.join(', ')} at ${traffic.rate}. Found ${nth}.`;
}
