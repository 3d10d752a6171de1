// SPDX-License-Identifier: Apache-2.0
// The keyboard in a picture: one stop of the Tab key, arrow keys from there on. Left and right go along the row, down to the parts
// of what is focused, up back to it.

/**
 * `root`'s elements carry data-key. `rows()`: [{ key, parts: [key] }] as they are now; `below()`: how many rows without parts stand
 * side by side, up and down then lead over so many; `activate(key)` on Enter and Space,
 * `point(key, x, y)` when the focus comes, with the middle of what has it (null when it goes).
 */
export function createRover(root, { rows, below = () => 0, activate, point }) {
	let current = null;
	let parent = null;

	const find = (key) => root.querySelector(`[data-key="${CSS.escape(key)}"]`);

	function stop(key) {
		const before = current !== null && find(current);
		if (before && current !== key)
			before.setAttribute('tabindex', '-1');
		current = key;
		find(key)?.setAttribute('tabindex', '0');
	}

	function go(key) {
		stop(key);
		find(key)?.focus();
	}

	/** The row whose part is focused: the one the way led through, or any that has it. */
	function rowOf(all) {
		return all.find(({ key, parts }) => key === parent && parts.includes(current)) ?? all.find(({ parts }) => parts.includes(current));
	}

	function along(step) {
		const all = rows();
		const line = all.some(({ key }) => key === current) ? all.map(({ key }) => key) : rowOf(all)?.parts ?? [];
		const i = line.indexOf(current);
		if (line.length)
			go(line[(i + step + line.length) % line.length]);
	}

	/** Over a line of what stands side by side; where there is none, along. */
	function across(all, here, direction) {
		const to = all[all.indexOf(here) + direction * below()];
		if (!below() || here.parts.length)
			return direction < 0 ? along(-1) : undefined;
		return to ? go(to.key) : undefined;
	}

	function move(event) {
		const all = rows();
		const here = all.find(({ key }) => key === current);
		switch (event.key) {
		case 'ArrowRight': return along(1);
		case 'ArrowLeft': return along(-1);
		case 'ArrowDown':
			if (!here)
				return along(1);
			parent = here.key;
			return here.parts.length ? go(here.parts[0]) : across(all, here, 1);
		case 'ArrowUp': return here ? across(all, here, -1) : go(rowOf(all)?.key ?? all[0].key);
		case 'Home': return all.length ? go(all[0].key) : undefined;
		case 'End': return all.length ? go(all.at(-1).key) : undefined;
		case 'Enter':
		case ' ': return current === null ? undefined : activate(current);
		}
		return null;
	}

	root.addEventListener('keydown', (event) => {
		if (event.altKey || event.ctrlKey || event.metaKey || !event.target.closest('[data-key]'))
			return;
		if (move(event) !== null)
			event.preventDefault();
	});
	// On the parent: an SVG element that listens for focus becomes a stop of the Tab key itself.
	root.parentElement.addEventListener('focusin', (event) => {
		const element = event.target.closest('[data-key]');
		if (!element || !root.contains(element))
			return;
		if (element.dataset.key !== current)
			stop(element.dataset.key);
		if (!element.matches(':focus-visible'))
			return;
		const box = element.getBoundingClientRect();
		point(element.dataset.key, box.x + box.width / 2, box.y + box.height / 2);
	});
	root.parentElement.addEventListener('focusout', () => point(null));

	return {
		/** After each drawing: exactly one element can be reached by Tab. `had`: the focus was here before it. An element that was
		 *  moved has lost it; where one has gone, what it was a part of takes over. */
		update(had) {
			const all = rows();
			const here = current === null ? null : find(current);
			if (here && had && !root.contains(document.activeElement))
				here.focus();
			if (here || !all.length)
				return;
			const { key } = all.find((row) => row.key === parent) ?? all[0];
			current = null;
			if (had)
				go(key);
			else
				stop(key);
		},
		focus: go,
		hasFocus: () => root.contains(document.activeElement),
	};
}
