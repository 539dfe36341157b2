import { request } from 'undici';
import { at, isObject, type Json, type JsonObject, text } from '../../src/core/json.ts';
import { list } from '../../src/operations/kubernetes/reading.ts';

/** What an Envoy was told, as its own config dump has it. https://www.envoyproxy.io/docs/envoy/latest/api-v3/admin/v3/config_dump.proto */

async function dump(admin: string): Promise<JsonObject[]> {
  const { body } = await request(`${admin}/config_dump`);
  const whole: unknown = await body.json();
  return isObject(whole) ? list(whole.configs) : [];
}

const sectionOf = (configs: readonly JsonObject[], type: string) =>
  configs.find((each) => text(each['@type']).endsWith(`.${type}`));

/** The routes for a host, in their order, without those that Envoy has for itself. */
export async function envoyRoutes(admin: string, host: string): Promise<JsonObject[]> {
  const section = sectionOf(await dump(admin), 'RoutesConfigDump');
  const hosts = list(section?.dynamic_route_configs).flatMap((each) => list(at(each, 'route_config', 'virtual_hosts')));
  return hosts
    .filter(({ domains }) => JSON.stringify(domains).includes(`"${host}"`))
    .flatMap(({ routes }) => list(routes));
}

/** A cluster of Istio's: `outbound|80||shop.NS.svc.cluster.local`. */
export async function envoyCluster(admin: string, name: string): Promise<JsonObject | undefined> {
  const section = sectionOf(await dump(admin), 'ClustersConfigDump');
  const all = list(section?.dynamic_active_clusters).flatMap(({ cluster }) => (isObject(cluster) ? [cluster] : []));
  return all.find((cluster) => cluster.name === name);
}

/** The sum of an Envoy's counters whose names end so, as `fault.delays_injected`; 0 where it has none yet. */
export async function envoyCount(admin: string, ending: string): Promise<number> {
  const { body } = await request(`${admin}/stats`, { query: { filter: `${ending.replaceAll('.', '\\.')}$` } });
  const lines = (await body.text()).split('\n');
  return lines.reduce((sum, line) => sum + Number(line.split(': ')[1] ?? 0), 0);
}

/** A listener, also one that this Envoy could not open. */
export async function envoyListener(admin: string, name: string): Promise<JsonObject | undefined> {
  const section = sectionOf(await dump(admin), 'ListenersConfigDump');
  const found = list(section?.dynamic_listeners).find((each) => each.name === name);
  // What it refused would otherwise look like what it never heard of.
  const refused = at(found, 'error_state', 'details');
  if (refused !== undefined && !/address already in use/i.test(text(refused)))
    throw new Error(`${name}: ${text(refused)}`);
  const states = ['warming_state', 'active_state'].map((state) => at(found, state, 'listener'));
  const listener = states.find((each) => each !== undefined) ?? at(found, 'error_state', 'failed_configuration');
  return isObject(listener) ? listener : undefined;
}

/** All objects in a tree that a test likes. */
export function everyObject(tree: Json | undefined, like: (object: JsonObject) => boolean): JsonObject[] {
  if (Array.isArray(tree)) return tree.flatMap((part) => everyObject(part, like));
  if (!isObject(tree)) return [];
  return [...(like(tree) ? [tree] : []), ...Object.values(tree).flatMap((part) => everyObject(part, like))];
}
