// SPDX-License-Identifier: Apache-2.0
// The view in the page's address, so that a copied link opens the same view; and the token, which comes in the fragment, is taken
// out of sight and never goes into a query. Pure.

import { LEVELS } from './figures.js';
import { formatFilter, parseFilter } from './filter.js';
import { COLUMNS } from './rows.js';
import { SPANS } from './span.js';
import { VIEWS, newView } from './state.js';
import { STACKS } from './timeline.js';

const oneOf = (list, value, otherwise) => list.find((one) => String(one) === value) ?? otherwise;

/** "?view=table&f=vni:10003": only what differs from a fresh page, `plain`. */
export function writeView(view, plain = newView()) {
	const params = [];
	// What need not be escaped in a query stays readable.
	const escape = (text) => encodeURIComponent(text).replace(/%(3A|2C|2F)/g, decodeURIComponent);
	const put = (name, value) => params.push(`${name}=${escape(value)}`);
	for (const name of ['view', 'level', 'unit', 'over', 'stack']) {
		if (view[name] !== plain[name])
			put(name, view[name]);
	}
	if (view.open.length)
		put('open', view.open.join());
	for (const filter of view.filters)
		put('f', formatFilter(filter));
	if (view.search.trim())
		put('q', view.search.trim());
	if (view.select)
		put('select', view.select);
	if (view.at !== null)
		put('at', view.at);
	if (view.sort.by !== 'sent' || !view.sort.down)
		put('sort', `${view.sort.down ? '-' : ''}${view.sort.by}`);
	return params.length ? `?${params.join('&')}` : '';
}

/** The view of an address; what cannot be read is as on a fresh page. */
export function readView(query) {
	const params = new URLSearchParams(query);
	const view = newView();
	view.view = oneOf(VIEWS, params.get('view'), view.view);
	view.level = oneOf(LEVELS, params.get('level'), view.level);
	view.unit = oneOf(['bytes', 'packets'], params.get('unit'), view.unit);
	view.over = oneOf(SPANS, params.get('over'), view.over);
	view.stack = oneOf(STACKS, params.get('stack'), view.stack);
	view.open = (params.get('open') ?? '').split(',').filter(Boolean).slice(0, 64);
	view.filters = params.getAll('f').map(parseFilter).filter(Boolean).slice(0, 32);
	view.search = (params.get('q') ?? '').slice(0, 200);
	view.select = params.get('select')?.slice(0, 200) || null;
	if (/^\d{1,15}$/.test(params.get('at') ?? ''))
		view.at = Number(params.get('at'));
	const sort = /^(-?)([a-z]+)$/.exec(params.get('sort') ?? '');
	if (sort && COLUMNS.includes(sort[2]))
		view.sort = { by: sort[2], down: sort[1] === '-' };
	return view;
}

/** The token of "#token=…", null without. */
export function readToken(fragment) {
	return /^#(?:token=)?([0-9a-f]{16,128})$/i.exec(fragment)?.[1] ?? null;
}
