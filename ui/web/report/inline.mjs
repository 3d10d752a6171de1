// SPDX-License-Identifier: Apache-2.0
// Makes one file of the report's template, style and script, and writes their hashes into its Content-Security-Policy, which so
// allows them and nothing else. The licences of what is in it stand in a comment: node inline.mjs TEMPLATE STYLE SCRIPT LICENCES
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const [template, style, script, licences] = process.argv.slice(2).map((file) => readFileSync(file, 'utf8').trim());
const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

for (const [name, text] of Object.entries({ style, script })) {
	if (text.includes(`</${name}`) || /\{\{[a-z]+\}\}/.test(text))
		throw new Error(`the ${name} would end its element, or has a mark of the template in it`);
}
const values = { '{{licences}}': licences.replace(/-(?=-)/g, '- '), '{{style}}': style, '{{script}}': script, '{{style-hash}}': hash(style), '{{script-hash}}': hash(script) };
process.stdout.write(`${template.replace(/\{\{(licences|(style|script)(-hash)?)\}\}/g, (mark) => values[mark])}\n`);
