import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { forbidden } from '../../src/clients/kube/forbidden.ts';

/** What scripts/cluster-role.ts prints for somebody's own shipmate.yaml. */

const run = promisify(execFile);
const script = fileURLToPath(new URL('../../scripts/cluster-role.ts', import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shipmate-role-'));
  return () => rm(folder, { recursive: true });
});

const Bound = z.object({
  kind: z.string(),
  metadata: z.object({ name: z.string(), namespace: z.string().optional() }),
});

/** What it says of where the role holds, and the namespaces that the role “shipmate” is bound in; `undefined` is all of them. */
async function boundIn(environments: string): Promise<{ said: string; namespaces: (string | undefined)[] }> {
  const file = join(folder, 'shipmate.yaml');
  await writeFile(file, `clusters: {}\napps: {}\nenvironments:\n${environments}`);
  const { stdout } = await run(process.execPath, [script, file], { timeout: 60_000 });
  const namespaces = parseAllDocuments(stdout)
    .map((each) => Bound.parse(each.toJS()))
    .filter(({ kind, metadata }) => kind.endsWith('Binding') && metadata.name === 'shipmate')
    .map(({ metadata }) => metadata.namespace);
  return { said: stdout.split('\n').find((line) => line.includes('“shipmate”')) ?? '', namespaces };
}

test('environments by name bind the role in their namespaces alone', async () => {
  expect(await boundIn('  staging: { namespace: staging }\n  production: { namespace: prod }\n')).toEqual({
    said: expect.stringContaining('holds in the namespaces of the environments alone'),
    namespaces: ['prod', 'staging'],
  });
});

test('environments by pattern bind it in all: what has no name yet can’t be named', async () => {
  expect(await boundIn("  staging: { namespace: staging }\n  'preview-*': { namespace: '{env}' }\n")).toEqual({
    said: expect.stringContaining('holds in all namespaces'),
    namespaces: [undefined],
  });
});

test('where a cluster forbids something this script is named, and not the role for the namespaces of the example', () => {
  const said = 'User "s" cannot patch resource "namespaces" in API group "" at the cluster scope';
  for (const problem of [said, 'RBAC: nobody knows']) {
    const { hint } = forbidden('default', problem, undefined, undefined);
    expect(hint).toContain('for those by pattern: “node scripts/cluster-role.ts shipmate.yaml | kubectl apply -f -”');
    expect(hint).not.toContain('.yaml has');
  }
});
