// SPDX-License-Identifier: Apache-2.0
// Every sentence the page says. Pure: facts in, text out.

import { amount, count, duration, encapName, grouped, share } from './format.js';

export const LINK_WORDS = {
	connecting: 'Connecting', live: 'Live', paused: 'Paused', stale: 'Stale', lost: 'Disconnected',
	full: 'Waiting for a place', ended: 'Lab ended',
};

/** What is wrong, and how old the figures are: [fixed sentence, changing sentence]. */
export function notice(condition, age, hasFigures) {
	const old = hasFigures ? `What you see is ${duration(age)} old.` : '';
	switch (condition) {
	case 'stale': return ['The lab is connected but sends no figures.', old];
	case 'lost': return ['The lab does not answer; trying again.', old];
	case 'full': return ['The lab serves as many pages as it can; trying again.', old];
	case 'ended': return ['The lab has ended.', hasFigures ? 'These are its last figures.' : ''];
	default: return ['', ''];
	}
}

export function labFacts(lab) {
	const encap = lab.encap ? `${encapName(lab.encap)} over ${lab.underlay}` : '';
	return [count(lab.hosts.length, 'host'), count(lab.clients.length, 'client'), count(lab.vnis.length, 'VNI'), encap]
		.filter(Boolean).join(' · ');
}

/** What the big figure counts. */
export function totalWords({ mode, seconds }, history) {
	if (mode === 'rate')
		return `sent, over the last ${seconds.toFixed(1)}\u00a0s`;
	const { base, samples } = history;
	const span = duration(samples.at(-1).elapsed_s - (base?.elapsed_s ?? 0));
	return base ? `sent in the ${span} since cleared` : `sent in ${span}`;
}

/** A node for who cannot see it. */
export function nodeWords(node, { figures, unit, mode }) {
	const what = [node.name, node.tag, node.address].filter(Boolean).join(', ');
	const enter = { host: ' Enter shows its inner addresses.', inner: ` Enter closes ${node.host}.` }[node.kind] ?? '';
	return `${what}: sends ${amount(node.sent, unit, mode)}, ${share(node.sent, figures.total[unit])} of all;`
		+ ` is sent ${amount(node.got, unit, mode)}.${enter}`;
}

/** The words inside the ring while there is nothing to draw: [title, text, command], title '' for none. */
export function middleWords({ condition, picture, lab, view, cleared }) {
	if (!picture && condition === 'lost')
		return ['No lab', 'Nothing answers at this address. Start one:', 'sudo tunlab run'];
	if (!picture)
		return [condition === 'ended' ? 'The lab has ended' : 'Measuring…', '', ''];
	if (picture.figures.total.packets > 0 || condition === 'ended')
		return ['', '', ''];
	if (view.mode === 'total' && cleared)
		return ['Nothing since cleared', '', ''];
	const where = view.vni === 'all' ? '' : ` in VNI ${view.vni ?? 'none'}`;
	const client = lab.clients.find(({ vni }) => vni === view.vni) ?? lab.clients[3] ?? lab.clients.at(-1);
	if (!client)
		return [`No tunnelled traffic${where}`, '', ''];
	return [`No traffic${where}`, 'Make some from another terminal:',
		`tunlab traffic --client ${client.id} --rate 500pps`];
}

/** The monitor's own figures: [[name, value, explanation]]. */
export function healthWords({ monitor, other }) {
	return [
		['seen', grouped(monitor.seen), 'frames the monitor was given'],
		['flows', `${grouped(monitor.flows)} of ${grouped(monitor.capacity)}`, 'flow table in use'],
		['not tunnelled', grouped((other?.packets ?? 0) + (other?.received?.packets ?? 0)),
			'frames that were no tunnel packets: sent and received, like those seen'],
		['lost', grouped(monitor.lost), 'frames not counted because the flow table was full'],
		['truncated', grouped(monitor.truncated), 'frames too short to read'],
		['unknown', grouped(monitor.unknown), 'tunnel packets of a kind not understood'],
		['for others', grouped(monitor.otherhost ?? 0), 'frames flooded to a host they were not for'],
	];
}

/** Why the monitor's figures cannot be trusted, '' when they can. */
export function healthWarning({ monitor }) {
	return monitor.lost > 0 ? 'Some frames were not counted: the flow table is full. Figures are too low.' : '';
}
