import { readFile, writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { manifestOf } from '../handlers/slack/manifest.ts';
import { catalogue } from '../src/operations/catalogue.ts';

/** Writes manifest.yml from the catalogue; with `--check` it only says whether it is stale. */
const file = new URL('../manifest.yml', import.meta.url);
const intro = `# The Slack app, generated from the catalogue by \`npm run manifest\`.
# In Slack: Your Apps, Create New App, From a manifest. Put your own address in place of shipmate.example.com,
# or switch Socket Mode on and leave the addresses as they are.
`;
const wanted =
  intro +
  stringify(manifestOf(catalogue, { requestUrl: 'https://shipmate.example.com/slack/events' }), { lineWidth: 0 });

if (process.argv.includes('--check')) {
  const found = await readFile(file, 'utf8').catch(() => '');
  if (found !== wanted) {
    console.error('manifest.yml is stale: call `npm run manifest` and commit the result.');
    process.exitCode = 1;
  }
} else {
  await writeFile(file, wanted);
}
