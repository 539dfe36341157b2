import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { Settings } from '../src/core/settings.ts';

/** Writes docs/shipmate.schema.json, for editors; with `--check` it only says whether it is stale. */
const file = new URL('../docs/shipmate.schema.json', import.meta.url);
const made = z.toJSONSchema(Settings.omit({ groups: true }), { io: 'input', unrepresentable: 'any' });
const wanted = `${JSON.stringify({ title: 'shipmate.yaml', ...made }, null, 2)}\n`;

if (process.argv.includes('--check')) {
  const found = await readFile(file, 'utf8').catch(() => '');
  if (found !== wanted) {
    console.error('docs/shipmate.schema.json is stale: call `npm run docs` and commit the result.');
    process.exitCode = 1;
  }
} else {
  await writeFile(file, wanted);
}
