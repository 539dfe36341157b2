import { at, isObject, type Json, type JsonObject, text } from '../../core/json.ts';
import { entries, list, nameIn } from '../kubernetes/reading.ts';
import { isMark } from './fault-edits.ts';
import { matchText, type Route } from './find-routes.ts';
import { keeperOf } from './objects.ts';

/** What VirtualServices and DestinationRules say, as rows of a table: what, is, by. */

/** Some fields in words: `attempts 3, perTryTimeout 2s`. */
function said(value: Json | undefined): string {
  if (!isObject(value)) return value === undefined ? '' : String(value);
  return Object.entries(value)
    .map(([name, part]) =>
      isObject(part)
        ? `${name}: ${said(part)}`
        : `${name} ${Array.isArray(part) ? JSON.stringify(part) : String(part)}`,
    )
    .join(', ');
}

function sharesText(route: JsonObject): string {
  const sides = list(route.route);
  return sides
    .map(({ destination, weight }) => {
      const subset = at(destination, 'subset');
      const host = `${text(at(destination, 'host'))}${subset === undefined ? '' : ` (${String(subset)})`}`;
      return sides.length > 1 || weight !== undefined ? `${String(weight ?? 0)} % ${host}` : host;
    })
    .join(', ');
}

export function routeRows({ object, route, label }: Route): string[][] {
  const keeper = keeperOf(object);
  const by = `VirtualService/${nameIn(object)}${keeper === undefined ? '' : ` (${keeper})`}`;
  const match = matchText(route);
  const name = `Route ${label.split('/')[1] ?? ''}${match === '' ? '' : ` for ${match}`}`;
  const mirror = isObject(route.mirror)
    ? `${String(at(route.mirrorPercentage, 'value') ?? 100)} % to ${said(route.mirror)}`
    : undefined;
  const parts: [string, Json | undefined][] = [
    ['timeout', route.timeout],
    ['retries', route.retries],
    ['fault', route.fault],
    ['mirror', mirror],
  ];
  const rows = parts.flatMap(([what, value]) => (value === undefined ? [] : [[`  ${what}`, said(value), by]]));
  return [[name, `leads to ${sharesText(route)}`, by], ...rows];
}

export function policyRows(rule: JsonObject): string[][] {
  const by = `DestinationRule/${nameIn(rule)}`;
  const names: Record<string, string> = {
    loadBalancer: 'Balancing',
    outlierDetection: 'Circuit breaking',
    connectionPool: 'Connection pools',
    tls: 'TLS to it',
  };
  const policy = at(rule, 'spec', 'trafficPolicy');
  const rows = Object.entries(isObject(policy) ? policy : {}).map(([field, value]) => [
    names[field] ?? field,
    said(value),
    by,
  ]);
  const subsets = list(at(rule, 'spec', 'subsets')).map(({ name, labels }) => [
    `Subset ${String(name)}`,
    entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(', '),
    by,
  ]);
  return [...rows, ...subsets];
}

export const faultRows = (objects: readonly JsonObject[]): string[][] =>
  objects.flatMap((object) =>
    entries(at(object, 'metadata', 'annotations'))
      .filter(([name]) => isMark(name))
      .map(([, run]) => [
        'Fault on purpose',
        `run ${run} takes it away at its end`,
        `VirtualService/${nameIn(object)}`,
      ]),
  );
