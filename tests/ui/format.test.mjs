// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { amount, cell, count, cut, duration, encapName, grouped, share } from '../../ui/web/format.js';
import { test } from '../lib/tap.mjs';

const plain = (text) => text.replace(/[\u00a0\u202f]/g, ' ');
const gives = (fn, ...rows) => {
	for (const [want, ...args] of rows)
		assert.equal(plain(fn(...args)), want);
};

test('amounts carry three digits and their unit', () => gives(amount,
	['0 B/s', 0, 'bytes', 'rate'], ['999 B', 999, 'bytes', 'total'], ['1.00 kB', 1000, 'bytes', 'total'],
	['1.00 MB/s', 999999, 'bytes', 'rate'], ['1.23 MB/s', 1234567, 'bytes', 'rate'], ['7.14 MB', 7140000, 'bytes', 'total'],
	['500 pps', 500, 'packets', 'rate'], ['0.333 pps', 1 / 3, 'packets', 'rate'], ['12.5 kpps', 12500, 'packets', 'rate'],
	['1 packet', 1, 'packets', 'total'], ['6 000 packets', 6000, 'packets', 'total'], ['2.00 PB', 2e15, 'bytes', 'total']));

test('table cells leave out what the head says', () => gives(cell,
	['1 234 567', 1234567, 'packets', 'total'], ['500 pps', 500, 'packets', 'rate'], ['12.0 kB', 12000, 'bytes', 'total']));

test('shares say 0 and 100 only when it is so', () => gives(share,
	['0 %', 0, 5], ['100 %', 5, 5], ['84 %', 84.2, 100], ['<0.1 %', 1, 1e6], ['>99.9 %', 1e6 - 1, 1e6],
	['99.7 %', 99.7, 100], ['9.5 %', 9.5, 100], ['–', 1, 0]));

test('durations', () => gives(duration,
	['0 s', -1], ['8 s', 8.9], ['3 min 05 s', 185], ['2 h 07 min', 7620]));

test('counts, groups and names', () => {
	gives(count, ['1 host', 1, 'host'], ['1 200 clients', 1200, 'client']);
	gives(grouped, ['999', 999], ['65 536', 65536], ['1 000 000', 1e6]);
	gives(encapName, ['VXLAN', 'vxlan'], ['6in4', '6in4']);
});

test('a name that is too long loses its end', () => gives(cut, ['host12', 'host12', 6], ['host…', 'host12', 5], ['hos…', 'host12', 1]));
