import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { readSettings } from '../src/config/settings-file.ts';
import { isPattern } from '../src/core/name-pattern.ts';
import { catalogue } from '../src/operations/catalogue.ts';
import { leastPrivilege, manifestText } from './least-privilege.ts';

/**
 * Writes deploy/k8s/cluster-role.yaml from the catalogue, for the namespaces of shipmate.example.yaml. With `--check` it only
 * says whether that is stale; with the path of a shipmate.yaml it prints the manifest for that one's namespaces.
 */
const file = new URL('../deploy/k8s/cluster-role.yaml', import.meta.url);
const [given] = process.argv.slice(2);
const own = given === undefined || given === '--check';
const path = own ? fileURLToPath(new URL('../shipmate.example.yaml', import.meta.url)) : given;

const settings = await readSettings(path, [...catalogue.keys()]);
const namespaces = [...new Set(Object.values(settings.environments).map(({ namespace }) => namespace))].sort();
const everywhere = Object.keys(settings.environments).some(isPattern);
const personal = Object.values(settings.environments).some(({ impersonate }) => impersonate);
const people = Object.values(settings.people).flatMap(({ kubernetes }) => (kubernetes && personal ? [kubernetes] : []));
const wanted = manifestText(
  leastPrivilege(catalogue, { namespaces, home: 'shipmate', people, everywhere }),
  everywhere,
);

if (!own) {
  process.stdout.write(wanted);
} else if (given === '--check') {
  const found = await readFile(file, 'utf8').catch(() => '');
  if (found !== wanted) {
    console.error('deploy/k8s/cluster-role.yaml is stale: call `npm run docs` and commit the result.');
    process.exitCode = 1;
  }
} else {
  await writeFile(file, wanted);
}
