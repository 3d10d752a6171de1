// SPDX-License-Identifier: Apache-2.0
// The panel from which the lab is changed: start, change and stop traffic, take links down or impair them. Without the token it says
// that the page is read-only, and how to change that.

import { readToken } from '../url.js';
import { linkOf } from '../topology.js';
import { linkWords } from '../words.js';
import { byId, make, setText } from './dom.js';
import { createGuess } from './guess.js';

const LISTED_MAX = 60;

/** What a form's named fields say; empty ones are left out. */
function valuesOf(form) {
	return Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value !== ''));
}

function fill(form, values) {
	for (const [name, value] of Object.entries(values)) {
		if (form.elements[name])
			form.elements[name].value = value;
	}
}

function options(select, values) {
	const chosen = select.value;
	select.replaceChildren(...values.map(([value, text]) => make('option', { value }, text ?? value)));
	if (values.some(([value]) => value === chosen))
		select.value = chosen;
}

/** `onFound(client)`: the riddle of the lab is solved (guess.js). */
export function createActPanel(orders, { onFound }) {
	const panel = byId('act');
	const button = byId('act-open');
	const [traffic, link, tokenForm] = [byId('act-traffic'), byId('act-link'), byId('act-token')];
	const list = byId('act-running');
	const said = byId('act-said');
	let lab = null;
	let latest = null; // what render() was told
	let changing = null; // the id of traffic that the form replaces

	function say(text, failed = false) {
		setText(said, text);
		said.classList.toggle('failed', failed);
	}

	const fail = ({ message }) => say(`${message[0].toUpperCase()}${message.slice(1)}.`.replace(/\.\.$/, '.'), true);

	async function tell(order, done) {
		try {
			await order();
			say(done);
		} catch (error) {
			fail(error);
		}
	}

	function allow() {
		const allowed = Boolean(orders.token);
		panel.classList.toggle('read-only', !allowed);
		byId('act-read-only').hidden = allowed;
		byId('act-forms').hidden = !allowed;
		setText(button.lastChild, allowed ? 'Act' : 'Read-only');
	}

	function open(yes) {
		panel.hidden = !yes;
		if (yes && latest)
			render(...latest);
		button.setAttribute('aria-expanded', String(yes));
		if (yes)
			(orders.token ? traffic.elements.client : tokenForm.elements.token).focus();
		else
			button.focus();
	}

	function change(one) {
		changing = one.id;
		fill(traffic, { client: one.from, to: one.to.length === 1 ? one.to[0] : 'all', proto: one.proto, rate: one.rate, size: one.size, duration: '' });
		setText(byId('act-start'), `Change ${one.name}`);
		byId('act-cancel').hidden = false;
		traffic.elements.rate.focus();
		traffic.elements.rate.select();
	}

	function settle() {
		changing = null;
		setText(byId('act-start'), 'Start');
		byId('act-cancel').hidden = true;
	}

	function makeItem(one) {
		const peers = one.peers > 1 ? `${one.peers} clients` : one.to[0] ?? 'nobody';
		const item = make('li', { 'data-traffic': one.id }, make('b', {}, one.name),
			make('span', {}, `${one.from} → ${peers} · ${one.proto} · ${one.rate} · ${one.size} B`));
		const change_ = make('button', { type: 'button', 'aria-label': `Change ${one.name} of ${one.from}` }, 'Change');
		change_.addEventListener('click', () => change(one));
		const stop = make('button', { type: 'button', 'aria-label': `Stop ${one.name} of ${one.from}` }, 'Stop');
		stop.addEventListener('click', () => tell(() => orders.stopTraffic(one.id), `Stopped ${one.name} of ${one.from}.`));
		item.append(make('span', { class: 'do' }, change_, stop));
		return item;
	}

	function renderList() {
		const running = lab.traffic.filter(({ state }) => !['done', 'free', 'draining'].includes(state));
		const key = JSON.stringify(running.slice(0, LISTED_MAX).map(({ id, rate, state, size }) => [id, rate, state, size]));
		if (list.dataset.key === key)
			return;
		list.dataset.key = key;
		list.replaceChildren(...running.slice(0, LISTED_MAX).map(makeItem));
		if (!running.length)
			list.append(make('li', { class: 'none' }, 'No traffic runs.'));
		if (running.length > LISTED_MAX)
			list.append(make('li', { class: 'none' }, `and ${running.length - LISTED_MAX} more`));
	}

	function renderLink() {
		const host = lab.hosts.find(({ name }) => name === link.elements.host.value);
		setText(byId('act-link-now'), host ? `Now: ${linkWords(linkOf(host.link))}` : '');
	}

	const guess = createGuess(orders, { say, fail, open: () => open(true), onFound });

	function render(newLab, selected) {
		latest = [newLab, selected];
		guess.render(newLab, selected);
		if (panel.hidden)
			return;
		const sized = lab?.hosts.length !== newLab.hosts.length || lab?.name !== newLab.name;
		lab = newLab;
		if (sized) {
			options(link.elements.host, lab.hosts.map(({ name }) => [name]));
			byId('act-clients').replaceChildren(...lab.clients.slice(0, 500).map(({ name, host, vni }) =>
				make('option', { value: name }, `${host}, VNI ${vni}`)));
		}
		if (selected && panel.dataset.selected !== selected) {
			panel.dataset.selected = selected;
			if (lab.hosts.some(({ name }) => name === selected))
				link.elements.host.value = selected;
			if (lab.clients.some(({ name }) => name === selected) && changing === null)
				traffic.elements.client.value = selected;
		}
		renderList();
		renderLink();
	}

	traffic.addEventListener('submit', async (event) => {
		event.preventDefault();
		const { size, ...values } = valuesOf(traffic);
		const body = { ...values, ...(size ? { size: /^\d+$/.test(size) ? Number(size) : size } : {}) };
		const old = changing;
		await tell(async () => {
			await orders.startTraffic(body);
			if (old !== null)
				await orders.stopTraffic(old);
		}, old === null ? `Started: ${values.client} sends ${values.rate}.` : `Changed: ${values.client} now sends ${values.rate}.`);
		if (!said.classList.contains('failed'))
			settle();
	});
	byId('act-cancel').addEventListener('click', settle);
	link.addEventListener('submit', (event) => {
		event.preventDefault();
		const { host, ...values } = valuesOf(link);
		const how = event.submitter?.value;
		const body = how === 'down' ? { down: true } : how === 'up' ? { down: false } : how === 'reset' ? { reset: true } : values;
		if (!Object.keys(body).length)
			return say('Say a rate, a delay or a loss.', true);
		const done = { down: `${host} is cut off.`, up: `${host} is back.`, reset: `${host}’s link is as new.` }[how];
		return tell(() => orders.changeLink(host, body), done ?? `${host}’s link is changed.`);
	});
	link.elements.host.addEventListener('change', renderLink);
	tokenForm.addEventListener('submit', (event) => {
		event.preventDefault();
		const text = valuesOf(tokenForm).token ?? '';
		const token = readToken(`#${text.replace(/^.*#/, '')}`);
		if (!token)
			return say('That is no token: it is the long number that tunlab run printed.', true);
		orders.use(token);
		tokenForm.reset();
		allow();
		say('');
		return traffic.elements.client.focus();
	});
	button.addEventListener('click', () => open(panel.hidden));
	byId('act-close').addEventListener('click', () => open(false));
	panel.addEventListener('keydown', (event) => {
		if (event.key === 'Escape') {
			event.stopPropagation();
			open(false);
		}
	});
	allow();

	return {
		get allowed() {
			return Boolean(orders.token);
		},
		render,
	};
}
