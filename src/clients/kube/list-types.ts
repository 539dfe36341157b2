import { at, isObject, type Json, type JsonObject, text } from '../../core/json.ts';
import type { ObjectRef } from '../../core/kube.ts';
import { type ListType, type ListTypes, wholeLists } from '../../core/list-types.ts';
import { after, within } from '../../core/within.ts';
import type { Connection } from './connection.ts';

/** A document is forgotten after this; which list types are known decides how a difference reads, never whether it shows. */
const keptMs = 5 * 60_000;
/** After a failure it is not asked again before this. */
const failedMs = 30_000;
/** Plans wait no longer for it. */
const askMs = 5_000;
const mostBytes = 8_000_000;
/** A cluster with more group-versions than this forgets the oldest. */
const mostKept = 64;

/** What a schema says of lists: of itself, of its fields, of its entries or values, or by another schema's name. */
type Shape = { list?: ListType; fields?: Map<string, Shape>; values?: Shape; entries?: Shape; same?: string };
type KindOf = Pick<ObjectRef, 'apiVersion' | 'kind'>;
type Shapes = { named: Map<string, Shape>; kinds: Map<string, string> };

function listTypeOf(schema: JsonObject): ListType | undefined {
  const [type, keys] = [schema['x-kubernetes-list-type'], schema['x-kubernetes-list-map-keys']];
  if (type === 'set') return { kind: 'set' };
  if (type !== 'map' || !Array.isArray(keys)) return undefined;
  const names = keys.filter((key) => typeof key === 'string');
  return names.length > 0 ? { kind: 'map', keys: names } : undefined;
}

const prefix = '#/components/schemas/';
/** Deeper than this no schema is read. */
const deepest = 100;

/** The little of a schema that tells of lists; undefined where it tells nothing. */
function shapeOf(schema: Json | undefined, depth = 0): Shape | undefined {
  if (!isObject(schema) || depth > deepest) return undefined;
  const refs = [schema, ...(Array.isArray(schema.allOf) ? schema.allOf : [])].map((each) => text(at(each, '$ref')));
  const ref = refs.find((each) => each.startsWith(prefix));
  if (ref !== undefined) return { same: ref.slice(prefix.length) };
  const fields = Object.entries(isObject(schema.properties) ? schema.properties : {}).flatMap(
    ([name, each]): [string, Shape][] => {
      const shape = shapeOf(each, depth + 1);
      return shape ? [[name, shape]] : [];
    },
  );
  const entries = shapeOf(schema.items, depth + 1);
  const values = shapeOf(schema.additionalProperties, depth + 1);
  const list = listTypeOf(schema);
  if (!list && !entries && !values && fields.length === 0) return undefined;
  return {
    ...(list && { list }),
    ...(entries && { entries }),
    ...(values && { values }),
    ...(fields.length > 0 && { fields: new Map(fields) }),
  };
}

const kindKey = (apiVersion: string, kind: string) => `${apiVersion} ${kind}`;

/** What an OpenAPI v3 document of a group-version says of the lists of its kinds. */
export function shapesOf(document: JsonObject): Shapes {
  const schemas = Object.entries(Object(at(document, 'components', 'schemas')));
  const named = new Map<string, Shape>();
  const kinds = new Map<string, string>();
  for (const [name, schema] of schemas) {
    if (!isObject(schema)) continue;
    const shape = shapeOf(schema);
    if (shape) named.set(name, shape);
    const of = schema['x-kubernetes-group-version-kind'];
    for (const each of Array.isArray(of) ? of : []) {
      const [group, version, kind] = ['group', 'version', 'kind'].map((field) => text(at(each, field)));
      kinds.set(kindKey(group ? `${group}/${version}` : `${version}`, `${kind}`), name);
    }
  }
  return { named, kinds };
}

/** The list types of one kind. */
export function listTypesIn({ named, kinds }: Shapes, { apiVersion, kind }: KindOf): ListTypes {
  const resolved = (shape: Shape | undefined): Shape | undefined => {
    let here = shape;
    for (let hops = 0; here?.same !== undefined && hops < deepest; hops++) here = named.get(here.same);
    return here;
  };
  const into = (shape: Shape | undefined, field: string): Shape | undefined => {
    let here = shape;
    while (here?.entries) here = resolved(here.entries);
    return resolved(here?.fields?.get(field) ?? here?.values);
  };
  const root = kinds.get(kindKey(apiVersion, kind));
  if (root === undefined) return wholeLists;
  return (fields) => fields.reduce(into, resolved({ same: root }))?.list ?? { kind: 'atomic' };
}

/** `until`: what could not be read is tried again then. */
type Kept = { hash: string; shapes: Shapes; until?: number };
const nothing: Shapes = { named: new Map(), kinds: new Map() };

/** Addresses of documents by group-version, `apis/apps/v1`; the query of each is the hash of its content. */
async function readIndex(connection: Connection, signal: AbortSignal): Promise<Map<string, string>> {
  const { paths } = await connection.call({ method: 'GET', path: '/openapi/v3', limitBytes: mostBytes, signal });
  return new Map(
    Object.entries(Object(paths)).map(([name, each]) => [
      name,
      text(at(isObject(each) ? each : {}, 'serverRelativeURL')),
    ]),
  );
}

/**
 * The list types of each kind, custom ones as well, from the API server's OpenAPI documents: read when they are needed, and
 * read again where their hash in the index is another one. Without them lists are compared whole: nothing is hidden then
 * either, so what cannot be had is no fault.
 */
export function createListTypes(connection: Connection, now: () => number = () => performance.now()) {
  const kept = new Map<string, Kept>();
  let index: Promise<Map<string, string>> | undefined;
  let until = 0;
  const indexNow = (): Promise<Map<string, string>> => {
    if (index && now() < until) return index;
    until = now() + keptMs;
    index = readIndex(connection, after(askMs)).catch(() => {
      until = now() + failedMs;
      return new Map<string, string>();
    });
    return index;
  };
  const keep = (name: string, found: Kept): void => {
    kept.delete(name);
    kept.set(name, found);
    const [oldest] = kept.keys();
    if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest);
  };
  const shapesFor = async (name: string, address: string, signal: AbortSignal): Promise<Shapes> => {
    const known = kept.get(name);
    if (known?.hash === address && (known.until === undefined || now() < known.until)) return known.shapes;
    const { pathname, searchParams } = new URL(address, 'http://cluster');
    const query = Object.fromEntries(searchParams);
    const document = await connection.call({ method: 'GET', path: pathname, query, limitBytes: mostBytes, signal });
    const shapes = shapesOf(document);
    keep(name, { hash: address, shapes });
    return shapes;
  };
  return async ({ apiVersion, kind }: KindOf, signal: AbortSignal): Promise<ListTypes> => {
    const name = apiVersion.includes('/') ? `apis/${apiVersion}` : `api/${apiVersion}`;
    const address = (await indexNow()).get(name);
    if (address === undefined || !address.startsWith('/openapi/v3/')) return wholeLists;
    try {
      const limited = within(signal, askMs);
      return listTypesIn(await shapesFor(name, address, limited), { apiVersion, kind });
    } catch {
      keep(name, { hash: address, shapes: nothing, until: now() + failedMs });
      return wholeLists;
    }
  };
}
