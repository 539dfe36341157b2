import { z } from 'zod';
import { isObject, type JsonObject, text } from '../../core/json.ts';
import { didYouMean } from '../../core/near.ts';
import { defineOperation, type RunContext, route } from '../../core/operation.ts';
import { EnvRef, ObjectName } from '../../core/place.ts';
import type { Report } from '../../core/report.ts';
import { mask, soundsSecret } from '../../core/secret-names.ts';
import {
  type Consumer,
  consumerPermissions,
  consumersOf,
  consumersText,
  type Keeper,
  secretConsumerPermissions,
} from './consumers.ts';
import { dataOf, keeperRef } from './keeper.ts';
import { ageOf, byName, nameIn, sizeText } from './reading.ts';
import { missing } from './writes.ts';

type ShowRun = RunContext<'kube', 'read'>;

function noteOf(object: JsonObject, consumers: readonly Consumer[], now: number): string {
  const type = text(object.type);
  return [
    ...(type && type !== 'Opaque' ? [type] : []),
    ...(object.immutable === true ? ['immutable: to change it, make a new one under another name'] : []),
    `${ageOf(object, now)} old`,
    consumers.length > 0 ? `read by ${consumersText(consumers)}` : 'nobody reads it',
  ].join(' · ');
}

async function found(run: ShowRun, kind: Keeper, name: string): Promise<{ object: JsonObject; note: string }> {
  const kube = run.on.kube(run.site.cluster);
  const { namespace } = run.site;
  const ref = keeperRef(kind, namespace, name);
  const [object, consumers] = await Promise.all([
    kube.read(ref, run.signal),
    consumersOf(kube, { ...ref, kind }, run.signal),
  ]);
  if (object) return { object, note: noteOf(object, consumers, run.now()) };
  if (kind === 'Secret') throw missing(ref); // To compare names it would have to list Secrets, which it is not allowed to.
  const known = await kube.list({ apiVersion: 'v1', kind, namespace }, run.signal);
  throw missing(ref, didYouMean(name, known.map(nameIn)));
}

const bytesOf = (value: unknown) => Buffer.byteLength(String(value));

async function showConfig(run: ShowRun, name: string): Promise<Report> {
  const { object, note } = await found(run, 'ConfigMap', name);
  const binary = isObject(object.binaryData) ? object.binaryData : {};
  const rows = [
    ...Object.entries(dataOf(object)).map(([key, value]) => [
      key,
      soundsSecret(key) ? mask : String(value),
      sizeText(bytesOf(value)),
    ]),
    ...Object.entries(binary).map(([key, value]) => [
      key,
      '(binary)',
      sizeText(Buffer.from(String(value), 'base64').length),
    ]),
  ];
  return { kind: 'table', title: `ConfigMap/${name}`, columns: ['Key', 'Value', 'Size'], rows, note };
}

async function listConfigs(run: ShowRun): Promise<Report> {
  const { cluster, namespace, env } = run.site;
  const objects = await run.on.kube(cluster).list({ apiVersion: 'v1', kind: 'ConfigMap', namespace }, run.signal);
  const rows = objects.sort(byName).map((object) => {
    const values = Object.values({ ...dataOf(object), ...(isObject(object.binaryData) && object.binaryData) });
    const size = sizeText(values.reduce((sum: number, value) => sum + bytesOf(value), 0));
    return [
      nameIn(object),
      String(values.length),
      size,
      ageOf(object, run.now()),
      object.immutable === true ? 'yes' : '',
    ];
  });
  return {
    kind: 'table',
    title: `ConfigMaps in ${env}`,
    columns: ['ConfigMap', 'Keys', 'Size', 'Age', 'Immutable'],
    rows,
  };
}

async function showSecret(run: ShowRun, name: string) {
  const { object, note } = await found(run, 'Secret', name);
  // Only names and sizes leave this function: the step's result is stored.
  const rows = Object.entries(dataOf(object)).map(([key, value]) => [
    key,
    sizeText(Buffer.from(String(value), 'base64').length),
  ]);
  return { kind: 'table' as const, title: `Secret/${name}`, columns: ['Key', 'Size'], rows, note };
}

const reading = { effect: 'read', needs: ['kube'], steps: ['read'] } as const;
const looking = async () => ({ summary: 'looks', changes: [], takesOver: [] });

export const configShow = defineOperation({
  ...reading,
  name: 'config-show',
  summary: 'Show a ConfigMap with who reads it, or list all',
  input: z.strictObject({ name: ObjectName.optional().describe('The ConfigMap'), env: EnvRef }),
  usage: '[<name>] in <env>',
  examples: ['app-config in staging', 'in staging'],
  routes: [
    route({
      method: 'GET',
      path: '/configmaps/:namespace/:name',
      summary: 'A ConfigMap and who reads it',
      request: z.object({ namespace: EnvRef, name: ObjectName }),
      input: ({ namespace, name }) => ({ name, env: namespace }),
    }),
  ],
  permissions: ['get,list configmaps', ...consumerPermissions],
  target: ({ env }) => ({ env }),
  plan: looking,
  run: (run, { name }) => run.step('read', () => (name === undefined ? listConfigs(run) : showConfig(run, name))),
});

export const secretShow = defineOperation({
  ...reading,
  name: 'secret-show',
  summary: 'Show the keys of a Secret and who reads it, never values',
  input: z.strictObject({ name: ObjectName.describe('The Secret'), env: EnvRef }),
  usage: '<name> in <env>',
  examples: ['app-secrets in staging'],
  routes: [
    route({
      method: 'GET',
      path: '/secrets/:namespace/:name',
      summary: 'The keys of a Secret and who reads it, never values',
      request: z.object({ namespace: EnvRef, name: ObjectName }),
      input: ({ namespace, name }) => ({ name, env: namespace }),
    }),
  ],
  permissions: ['get secrets', ...secretConsumerPermissions],
  target: ({ env }) => ({ env }),
  plan: looking,
  run: (run, { name }) => run.step('read', () => showSecret(run, name)),
});
