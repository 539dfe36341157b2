import { at, type JsonObject, text } from '../../core/json.ts';
import { isOurs } from '../../core/ours.ts';
import { byName, entries, list, nameIn, words } from '../kubernetes/reading.ts';
import { showsEnvironment } from '../kubernetes/shows-environment.ts';
import { isMark } from './fault-edits.ts';
import { keeperOf, type MeshKind, meshList } from './objects.ts';
import { isForAll } from './workloads.ts';

const kinds = [
  'PeerAuthentication',
  'VirtualService',
  'DestinationRule',
  'Gateway',
  'ServiceEntry',
  'AuthorizationPolicy',
  'RequestAuthentication',
  'Telemetry',
] as const satisfies readonly MeshKind[];

const selected = (object: JsonObject) =>
  isForAll(object)
    ? 'the whole namespace'
    : entries(at(object, 'spec', 'selector', 'matchLabels'))
        .map(([key, value]) => `${key}=${value}`)
        .join(', ');

/** What an object is about, and what it says, in a few words. */
function wordsOf(object: JsonObject): [string, string] {
  const spec = object.spec ?? {};
  const hosts = words(at(spec, 'hosts')).join(', ');
  switch (object.kind) {
    case 'VirtualService': {
      const routes = list(at(spec, 'http'));
      const faults = routes.filter(({ fault }) => fault !== undefined).length;
      return [hosts, `${routes.length} routes${faults > 0 ? `, ${faults} with a fault on purpose` : ''}`];
    }
    case 'DestinationRule': {
      const subsets = list(at(spec, 'subsets')).map(({ name }) => text(name));
      const policy = Object.keys(Object(at(spec, 'trafficPolicy')));
      return [
        text(at(spec, 'host')),
        [...policy, subsets.length > 0 ? `subsets ${subsets.join(', ')}` : ''].filter(Boolean).join(', '),
      ];
    }
    case 'Gateway': {
      const servers = list(at(spec, 'servers'));
      const all = servers.map(
        (server) => `${words(server.hosts).join(', ')} at ${String(at(server, 'port', 'number'))}`,
      );
      return [
        all.join('; '),
        servers
          .map((server) => text(at(server, 'tls', 'credentialName')) || text(at(server, 'port', 'protocol')))
          .join(', '),
      ];
    }
    case 'ServiceEntry':
      return [
        hosts,
        list(at(spec, 'ports'))
          .map(({ number, protocol }) => `${String(number)} ${text(protocol)}`)
          .join(', '),
      ];
    case 'PeerAuthentication':
      return [selected(object), `mTLS ${text(at(spec, 'mtls', 'mode')) || 'as the mesh has it'}`];
    case 'AuthorizationPolicy':
      return [selected(object), `${text(at(spec, 'action')) || 'ALLOW'}, ${list(at(spec, 'rules')).length} rules`];
    case 'RequestAuthentication':
      return [
        selected(object),
        list(at(spec, 'jwtRules'))
          .map(({ issuer }) => text(issuer))
          .join(', '),
      ];
    default:
      return [
        selected(object),
        Object.keys(Object(spec))
          .filter((key) => key !== 'selector')
          .join(', '),
      ];
  }
}

const hasFault = (object: JsonObject) => entries(at(object, 'metadata', 'annotations')).some(([name]) => isMark(name));

export const mesh = showsEnvironment({
  name: 'mesh',
  summary: 'Show all that the mesh is told in an environment: routes, policies, gateways, outside hosts',
  rest: { path: '/mesh/:namespace', summary: 'All that the mesh is told in a namespace' },
  permissions: [
    'list virtualservices.networking.istio.io,destinationrules.networking.istio.io,gateways.networking.istio.io',
    'list serviceentries.networking.istio.io,telemetries.telemetry.istio.io',
    'list peerauthentications.security.istio.io,authorizationpolicies.security.istio.io,requestauthentications.security.istio.io',
  ],
  look: async (run, signal) => {
    const { cluster, namespace, env } = run.site;
    const kube = run.on.kube(cluster);
    const found = (await Promise.all(kinds.map((kind) => meshList(kube, kind, namespace, signal)))).map((all) =>
      all.sort(byName),
    );
    const rows = found.flat().map((object) => {
      const [about, says] = wordsOf(object);
      const maker = keeperOf(object) ?? (isOurs(object) ? 'Shipmate' : '');
      return [`${text(object.kind)}/${nameIn(object)}`, about, says, maker];
    });
    const faults = found.flat().filter(hasFault).map(nameIn);
    const note = faults.length > 0 ? `Requests go wrong on purpose by ${faults.join(', ')}.` : undefined;
    return {
      kind: 'table' as const,
      title: `The mesh in ${env}`,
      columns: ['Object', 'About', 'Says', 'Made by'],
      rows,
      ...(rows.length === 0 ? { note: 'Nothing is set: the mesh’s own values hold.' } : note && { note }),
    };
  },
});
