// SPDX-License-Identifier: Apache-2.0
// Writes the licences of what the bundle contains, as esbuild's metafile tells: node licences.mjs META NODE_MODULES
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const [meta, modules] = process.argv.slice(2);
const { outputs } = JSON.parse(readFileSync(meta, 'utf8'));
const inputs = Object.values(outputs).flatMap((output) => Object.keys(output.inputs));
const names = new Set(inputs.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]).filter(Boolean));
for (const name of [...names].sort()) {
	const { version, license } = JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8'));
	const file = readdirSync(join(modules, name)).find((entry) => /^licen[cs]e/i.test(entry));
	console.log(`${name} ${version} (${license})\n\n${readFileSync(join(modules, name, file), 'utf8').trim()}\n`);
}
