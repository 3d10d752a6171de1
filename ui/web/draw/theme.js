// SPDX-License-Identifier: Apache-2.0
// Dark or light: as the system says, or as the user does. Kept in this browser.

import { setAttribute } from './dom.js';

const KEPT = 'tunlab-theme';
const NEXT = { auto: 'dark', dark: 'light', light: 'auto' };

export function createTheme(button, onChange) {
	let theme = 'auto';
	try {
		theme = localStorage.getItem(KEPT) in NEXT ? localStorage.getItem(KEPT) : 'auto';
	} catch { /* a browser that keeps nothing: the system's choice it is */ }

	function apply() {
		setAttribute(document.documentElement, 'data-theme', theme === 'auto' ? null : theme);
		setAttribute(button, 'data-is', theme);
		setAttribute(button, 'aria-label', `Theme: ${theme}`);
		setAttribute(button, 'title', `Theme: ${theme === 'auto' ? 'as the system’s' : theme}`);
	}

	button.addEventListener('click', () => {
		theme = NEXT[theme];
		try {
			localStorage.setItem(KEPT, theme);
		} catch { /* as above */ }
		apply();
		onChange();
	});
	apply();
}
