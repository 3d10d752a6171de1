// SPDX-License-Identifier: Apache-2.0
// Things on their way from where they are to where they belong: angles, positions, widths.

const GLIDE_MS = 550;

const easeInOut = (t) => (t < 0.5 ? 4 * t * t * t : 1 - (2 - 2 * t) ** 3 / 2);

/** Numbers on their way, and how to draw them. */
class Glider {
	constructor(element, start, draw) {
		this.element = element;
		this.now = start;
		this.goal = null;
		this.draw = draw;
		this.used = true;
	}

	/** Sets out for `goal`; what is nearer than `near`, or farther than `far`, is reached at once. */
	aim(goal, near, far) {
		const fresh = this.goal === null;
		if (!fresh && goal.every((value, i) => value === this.goal[i]))
			return;
		this.from = this.now;
		this.goal = goal;
		const way = Math.max(...goal.map((value, i) => Math.abs(value - this.now[i])));
		if (way < near || way > far)
			this.now = goal;
		if (fresh || this.now === goal)
			this.draw(this.now);
	}

	get moving() {
		return this.now !== this.goal;
	}

	step(t) {
		if (!this.moving)
			return;
		this.now = t >= 1 ? this.goal : this.from.map((from, i) => from + (this.goal[i] - from) * t);
		this.draw(this.now);
	}
}

/** All that glides in one picture, by name. Begin a round with begin(), aim each thing, end it with end(). */
export function createGliders() {
	const all = new Map();
	let frame = 0;

	function settle() {
		cancelAnimationFrame(frame);
		for (const glider of all.values())
			glider.step(1);
	}

	function play() {
		cancelAnimationFrame(frame);
		const began = performance.now();
		const tick = (time) => {
			const t = Math.max(0, Math.min(1, (time - began) / GLIDE_MS));
			for (const glider of all.values())
				glider.step(easeInOut(t));
			if (t < 1)
				frame = requestAnimationFrame(tick);
		};
		frame = requestAnimationFrame(tick);
	}

	return {
		now: (id) => all.get(id)?.now,
		begin() {
			for (const glider of all.values())
				glider.used = false;
		},
		aim(id, element, { start, goal, near, far = Infinity, draw }) {
			let glider = all.get(id);
			if (!glider || glider.element !== element) {
				glider = new Glider(element, start(), draw);
				all.set(id, glider);
			}
			glider.aim(goal, near, far);
			glider.used = true;
		},
		/** `redraw`: what glides nowhere is drawn again too; `still`: everything arrives at once. */
		end({ redraw, still }) {
			for (const [id, glider] of all) {
				if (!glider.used)
					all.delete(id);
				else if (redraw)
					glider.draw(glider.now);
			}
			if (still)
				settle();
			else if ([...all.values()].some(({ moving }) => moving))
				play();
		},
	};
}
