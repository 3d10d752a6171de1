// SPDX-License-Identifier: Apache-2.0
// What the user has chosen, and how choices change it: one object, all of it in the page's address (url.js). Pure: the clock comes
// in as an argument, nothing is drawn here.

import { sameFilter } from './filter.js';
import { rangeOf } from './names.js';
import { newest } from './store.js';

/** Without a frame for this long, or three intervals, what is shown is old. */
export const STALE_S = 3;

export const VIEWS = ['chord', 'topology', 'table'];

export const newView = () => ({
	view: 'chord', // which of VIEWS
	level: 'outer', // what a node is: host, inner address or client (figures.js)
	open: [], // hosts whose inner addresses are shown on the outer level
	unit: 'bytes',
	over: 3, // the span, seconds, or 'all' (span.js)
	filters: [], // chips: [{ field, value, not }]
	search: '', // what stands in the search box
	select: null, // the one selection all views share: a name, or two joined by "~"
	stack: 'host', // layers of the timeline
	at: null, // seq that the span ends with; null: now
	sort: { by: 'sent', down: true },
});

/** The span of a fresh page: a capture is looked at as a whole. */
export const firstSpan = (lab) => (lab?.kind === 'capture' ? 'all' : newView().over);

/** Opens or closes a host. */
export function toggleOpen(view, host) {
	const open = view.open.includes(host) ? view.open.filter((one) => one !== host) : [...view.open, host];
	return { ...view, level: 'outer', open };
}

export function select(view, name) {
	return { ...view, select: view.select === name ? null : name };
}

/** Adds a filter; where it is there already, or its opposite, that one goes. */
export function addFilter(view, filter) {
	return { ...view, filters: [...view.filters.filter((one) => !sameFilter(one, filter)), filter] };
}

export function dropFilter(view, filter) {
	return { ...view, filters: view.filters.filter((one) => !sameFilter(one, filter)) };
}

/** The only VNI shown, 'all', or null for some. */
export function chosenVni({ filters }) {
	const own = filters.filter(({ field }) => field === 'vni');
	return own.length === 0 ? 'all' : own.length === 1 && !own[0].not ? own[0].value : null;
}

export function chooseVni(view, vni) {
	const filters = view.filters.filter(({ field }) => field !== 'vni');
	return { ...view, filters: vni === 'all' ? filters : [...filters, { field: 'vni', value: vni, not: false }] };
}

export function sortBy(view, by) {
	return { ...view, sort: { by, down: view.sort.by === by ? !view.sort.down : !['from', 'to', 'vni', 'proto'].includes(by) } };
}

/** One step in: a group of hosts is looked at alone, a host opens, an inner address leads to the clients of its VNI, a client to its own pairs. */
export function drillIn(view, node) {
	if (node.kind === 'group') {
		const filters = view.filters.filter(({ field, value, not }) => field !== 'host' || not || !rangeOf(value));
		return { ...view, filters: [...filters, { field: 'host', value: node.key, not: false }] };
	}
	if (node.kind === 'host' && node.host !== null)
		return toggleOpen(view, node.host);
	if (node.kind === 'inner' && node.vni !== null && view.level !== 'client')
		return { ...chooseVni(view, String(node.vni)), level: 'client', open: [], select: node.client ?? null };
	if (node.client)
		return addFilter({ ...view, select: node.client }, { field: 'client', value: node.client, not: false });
	return view;
}

/** One step out, the way drillIn() came; null where there is nothing to leave. */
export function drillOut(view) {
	const client = view.filters.findLast(({ field, not }) => field === 'client' && !not);
	if (client)
		return dropFilter(view, client);
	if (view.select)
		return { ...view, select: null };
	if (view.level === 'client' && chosenVni(view) !== 'all')
		return { ...chooseVni(view, 'all'), level: 'outer' };
	if (view.level !== 'outer')
		return { ...view, level: 'outer' };
	if (view.open.length)
		return { ...view, open: view.open.slice(0, -1) };
	const range = view.filters.findLast(({ field, value, not }) => field === 'host' && !not && rangeOf(value));
	return range ? dropFilter(view, range) : null;
}

/** What does not fit another lab goes; the user's taste stays. */
export function fitLab(view, lab) {
	const hosts = new Set(lab.hosts.map(({ name }) => name));
	const clients = new Set(lab.clients.map(({ name }) => name));
	const vnis = new Set(lab.vnis.map(({ vni }) => String(vni)));
	const fits = ({ field, value }) => (field === 'host' ? hosts.has(value) || rangeOf(value)?.first < lab.hosts.length : field === 'client' ? clients.has(value)
		: field === 'vni' ? vnis.has(value) || value === 'none' : true);
	return { ...view, open: view.open.filter((host) => hosts.has(host)), filters: view.filters.filter(fits) };
}

/** What the user has to know first: the connection's state, or that figures are old or held. `age`: seconds since the newest frame
 *  came. */
export function condition(store, view, age) {
	// All of a capture is here: it does not age, and nothing is missed when the server goes.
	if (store.lab?.kind === 'capture' && newest(store))
		return view.at === null ? 'capture' : 'past';
	if (store.link !== 'live')
		return store.link;
	const interval = newest(store)?.interval_s ?? 1;
	if (newest(store) && age > Math.max(STALE_S, 3 * interval))
		return 'stale';
	return view.at === null ? 'live' : 'past';
}
