// SPDX-License-Identifier: Apache-2.0
// Orders to the lab: the requests that change it. They need the token, which is kept for this tab only.

const KEPT = 'tunlab-token';

/** The token of the address (taken out of it by the caller), or the one this tab was given before; null without. */
export function keptToken(given, storage) {
	try {
		if (given)
			storage.setItem(KEPT, given);
		return given ?? storage.getItem(KEPT);
	} catch {
		return given; // a browser that keeps nothing
	}
}

/** { token, startTraffic, stopTraffic, changeLink, guess }; each order resolves to the answer or throws an Error with the lab's sentence. */
export function createOrders(token, storage, fetch_ = fetch) {
	const orders = { token };

	async function order(method, path, body) {
		const answer = await fetch_(path, {
			method,
			headers: { Authorization: `Bearer ${orders.token}`, ...(body ? { 'Content-Type': 'application/json' } : {}) },
			body: body ? JSON.stringify(body) : undefined,
		}).catch(() => {
			throw new Error('the lab does not answer');
		});
		const said = await answer.json().catch(() => ({}));
		if (answer.ok)
			return said;
		if (answer.status === 403)
			throw new Error('this token is not the lab’s: it may have been started anew');
		throw new Error(said.error ?? `the lab answered ${answer.status}`);
	}

	orders.use = (given) => {
		orders.token = keptToken(given, storage);
	};
	orders.startTraffic = (values) => order('POST', '/api/v1/traffic', values);
	orders.stopTraffic = (id) => order('DELETE', `/api/v1/traffic/${id}`);
	orders.changeLink = (host, values) => order('POST', `/api/v1/link/${host}`, values);
	orders.guess = (who) => order('POST', '/api/v1/guess', { who });
	return orders;
}
