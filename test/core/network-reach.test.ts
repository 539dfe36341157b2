import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holds } from '../../src/core/cidr.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { type End, type Port, reach } from '../../src/core/network-reach.ts';

type Pods = Extract<End, { kind: 'pods' }>;
const pods = (namespace: string, app: string, more: Partial<Pods> = {}): Pods => ({
  kind: 'pods',
  namespace,
  namespaceLabels: { 'kubernetes.io/metadata.name': namespace, team: namespace === 'shop' ? 'red' : 'blue' },
  labels: { app },
  addresses: ['10.244.0.7'],
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  ...more,
});
const api = pods('shop', 'api', { addresses: ['10.244.0.5'] });
const web = pods('shop', 'web');
const stranger = pods('lab', 'api');
const tcp = (port: number): Port => ({ port, protocol: 'TCP' });

const policy = (name: string, spec: JsonObject, namespace = 'shop'): JsonObject => ({
  metadata: { name, namespace },
  spec,
});
const onWeb = { podSelector: { matchLabels: { app: 'web' } } };
const ingress = (rule: JsonObject) => policy('p', { ...onWeb, ingress: [rule] });
const fromApi = { from: [{ podSelector: { matchLabels: { app: 'api' } } }] };
const asked = (policies: JsonObject[], from: End = api, to: End = web, port = tcp(8080)) =>
  reach(policies, { from, to, port }).reaches;

/** What the documentation says, a line each. */
test.each<[string, JsonObject[], boolean, { from?: End; to?: End; port?: Port }?]>([
  ['no policy: everybody reaches everybody', [], true],
  ['a policy that selects pods isolates them', [policy('p', onWeb)], false],
  ['a policy of another namespace says nothing here', [policy('p', onWeb, 'lab')], true],
  ['a policy on other pods says nothing', [policy('p', { podSelector: { matchLabels: { app: 'db' } } })], true],
  ['the empty selector selects all pods of the namespace', [policy('p', { podSelector: {} })], false],
  ['a selector left out is the empty one', [policy('p', {})], false],
  ['an empty rule lets all in', [ingress({})], true],
  ['no rule lets nothing in', [policy('p', { ...onWeb, ingress: [] })], false],
  ['pods by label, in the policy’s own namespace', [ingress(fromApi)], true],
  ['the same labels in another namespace are not meant', [ingress(fromApi)], false, { from: stranger }],
  ['an empty podSelector is all pods of the own namespace', [ingress({ from: [{ podSelector: {} }] })], true],
  ['and none of another', [ingress({ from: [{ podSelector: {} }] })], false, { from: stranger }],
  [
    'an empty namespaceSelector is all namespaces',
    [ingress({ from: [{ namespaceSelector: {} }] })],
    true,
    { from: stranger },
  ],
  [
    'a namespace by label',
    [ingress({ from: [{ namespaceSelector: { matchLabels: { team: 'blue' } } }] })],
    true,
    { from: stranger },
  ],
  [
    'both selectors in one peer must fit',
    [
      ingress({
        from: [{ namespaceSelector: { matchLabels: { team: 'blue' } }, podSelector: { matchLabels: { app: 'web' } } }],
      }),
    ],
    false,
    { from: stranger },
  ],
  [
    'two peers are alternatives',
    [
      ingress({
        from: [
          { namespaceSelector: { matchLabels: { team: 'blue' } } },
          { podSelector: { matchLabels: { app: 'api' } } },
        ],
      }),
    ],
    true,
  ],
  [
    'In',
    [policy('p', { podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['web', 'db'] }] } })],
    false,
  ],
  [
    'NotIn fits what lacks the label too',
    [policy('p', { podSelector: { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['x'] }] } })],
    false,
  ],
  ['Exists', [policy('p', { podSelector: { matchExpressions: [{ key: 'tier', operator: 'Exists' }] } })], true],
  [
    'DoesNotExist',
    [policy('p', { podSelector: { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] } })],
    false,
  ],
  ['a port that fits', [ingress({ ports: [{ port: 8080 }] })], true],
  ['a port that does not', [ingress({ ports: [{ port: 80 }] })], false],
  [
    'a port is TCP unless it says otherwise',
    [ingress({ ports: [{ port: 8080 }] })],
    false,
    { port: { port: 8080, protocol: 'UDP' } },
  ],
  [
    'a protocol alone is all its ports',
    [ingress({ ports: [{ protocol: 'UDP' }] })],
    true,
    { port: { port: 53, protocol: 'UDP' } },
  ],
  ['a named port is the one of the pods reached', [ingress({ ports: [{ port: 'http' }] })], true],
  ['a name that they lack', [ingress({ ports: [{ port: 'metrics' }] })], false],
  ['endPort: first', [ingress({ ports: [{ port: 8000, endPort: 8080 }] })], true, { port: tcp(8000) }],
  ['endPort: last', [ingress({ ports: [{ port: 8000, endPort: 8080 }] })], true],
  ['endPort: beyond', [ingress({ ports: [{ port: 8000, endPort: 8080 }] })], false, { port: tcp(8081) }],
  ['peers and ports of one rule go together', [ingress({ ...fromApi, ports: [{ port: 80 }] })], false],
  ['policies are a union', [policy('deny', { podSelector: {} }), ingress(fromApi)], true],
  [
    'a block of addresses',
    [ingress({ from: [{ ipBlock: { cidr: '203.0.113.0/24' } }] })],
    true,
    { from: { kind: 'address', address: '203.0.113.9' } },
  ],
  [
    'but not its exceptions',
    [ingress({ from: [{ ipBlock: { cidr: '203.0.113.0/24', except: ['203.0.113.8/29'] } }] })],
    false,
    { from: { kind: 'address', address: '203.0.113.9' } },
  ],
  [
    'an address is no pod',
    [ingress({ from: [{ namespaceSelector: {} }] })],
    false,
    { from: { kind: 'address', address: '203.0.113.9' } },
  ],
  [
    'IPv6',
    [ingress({ from: [{ ipBlock: { cidr: '2001:db8::/32' } }] })],
    true,
    { from: { kind: 'address', address: '2001:db8:1::5' } },
  ],
  [
    'egress rules without policyTypes isolate both ways',
    [
      policy('p', {
        podSelector: { matchLabels: { app: 'api' } },
        egress: [{ to: [{ ipBlock: { cidr: '198.51.100.0/24' } }] }],
      }),
    ],
    false,
  ],
  [
    'an empty list of egress rules without policyTypes says nothing of egress',
    [policy('p', { podSelector: { matchLabels: { app: 'api' } }, egress: [] })],
    true,
  ],
  [
    'policyTypes Egress without rules lets nothing out',
    [policy('p', { podSelector: { matchLabels: { app: 'api' } }, policyTypes: ['Egress'] })],
    false,
  ],
  [
    'policyTypes Ingress alone lets all out, whatever egress rules say',
    [
      policy('p', {
        podSelector: { matchLabels: { app: 'api' } },
        policyTypes: ['Ingress'],
        egress: [{ to: [], ports: [{ port: 1 }] }],
      }),
    ],
    true,
  ],
  [
    'both ends must let it through',
    [policy('out', { podSelector: { matchLabels: { app: 'api' } }, policyTypes: ['Egress'] }), ingress(fromApi)],
    false,
  ],
  [
    'a named port of an egress rule is the target’s',
    [
      policy('out', {
        podSelector: { matchLabels: { app: 'api' } },
        policyTypes: ['Egress'],
        egress: [{ ports: [{ port: 'http' }] }],
      }),
    ],
    true,
  ],
])('%s', (_name, policies, reaches, { from, to, port } = {}) => {
  expect(asked(policies, from, to, port)).toBe(reaches);
});

test('it names the policies that decide', () => {
  const policies = [policy('deny', { podSelector: {} }), policy('a', { ...onWeb, ingress: [fromApi] })];
  expect(reach(policies, { from: api, to: web, port: tcp(80) })).toEqual({
    reaches: true,
    egress: { kind: 'open' },
    ingress: { kind: 'allowed', by: ['a'] },
  });
  expect(reach(policies, { from: stranger, to: web, port: tcp(80) }).ingress).toEqual({
    kind: 'denied',
    by: ['deny', 'a'],
  });
});

const label = fc.record({ app: fc.constantFrom('web', 'api', 'db') }, { requiredKeys: [] });
const selector = fc.oneof(
  fc.constant({}),
  label.map((matchLabels) => ({ matchLabels })),
);
const peer = fc.oneof(
  selector.map((podSelector) => ({ podSelector })),
  fc.record({ namespaceSelector: selector, podSelector: selector }),
  fc.constantFrom('10.244.0.0/24', '10.244.0.4/30', '0.0.0.0/0').map((cidr) => ({ ipBlock: { cidr } })),
);
const port = fc.record({ port: fc.constantFrom(80, 8080, 'http') });
const rules = (peers: 'from' | 'to') =>
  fc.array(fc.record({ [peers]: fc.array(peer, { maxLength: 2 }), ports: fc.array(port, { maxLength: 2 }) }), {
    maxLength: 2,
  });
const types = fc.subarray(['Ingress', 'Egress'], { minLength: 1 });
const anyPolicy = fc
  .record({ podSelector: selector, policyTypes: types, ingress: rules('from'), egress: rules('to') })
  .map((spec) => policy('p', JSON.parse(JSON.stringify(spec)), 'shop'));
const policies = fc.array(anyPolicy, { maxLength: 4 });
const end = fc.constantFrom<End>(api, web, stranger, { kind: 'address', address: '203.0.113.9' });
const question = fc.record({ from: end, to: end, port: fc.constantFrom(80, 8080, 9090).map(tcp) });

describe('whatever the policies', () => {
  test('their order does not matter, and one said twice says the same', () => {
    fc.assert(
      fc.property(policies, question, (given, asks) => {
        const { reaches } = reach(given, asks);
        expect(reach([...given].reverse(), asks).reaches).toBe(reaches);
        expect(reach([...given, ...given], asks).reaches).toBe(reaches);
      }),
    );
  });

  test('a rule more lets more through, never less, once pods are isolated', () => {
    const isolated = policy('deny', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
    fc.assert(
      fc.property(policies, anyPolicy, question, (given, more, asks) => {
        const before = reach([isolated, ...given], asks).reaches;
        if (before) expect(reach([isolated, ...given, more], asks).reaches).toBe(true);
      }),
    );
  });

  test('a default denial and an allowance of all is as if there were none', () => {
    const all = { podSelector: {}, policyTypes: ['Ingress', 'Egress'], ingress: [{}], egress: [{}] };
    fc.assert(
      fc.property(policies, question, (given, asks) => {
        expect(reach([...given, policy('all', all)], { ...asks, from: api, to: web }).reaches).toBe(true);
      }),
    );
  });

  test('what is allowed is allowed by a policy that would do it alone', () => {
    fc.assert(
      fc.property(policies, question, (given, asks) => {
        const { ingress: side } = reach(given, asks);
        const alone = given.map((each) => reach([each], asks).ingress.kind);
        if (side.kind === 'allowed') expect(alone).toContain('allowed');
        if (side.kind === 'denied') expect(alone).not.toContain('allowed');
        if (side.kind === 'open') expect(new Set([...alone, 'open'])).toEqual(new Set(['open']));
      }),
    );
  });
});

test('blocks hold what node’s own BlockList says they hold', () => {
  const families = [
    { family: 'ipv4', address: fc.ipV4(), bits: 32 },
    { family: 'ipv6', address: fc.ipV6(), bits: 128 },
  ] as const;
  for (const { family, address, bits } of families)
    fc.assert(
      fc.property(address, address, fc.integer({ min: 1, max: bits }), (base, one, length) => {
        const node = new BlockList();
        node.addSubnet(base, length, family);
        expect(holds(`${base}/${length}`, one)).toBe(node.check(one, family));
        expect(holds(`${base}/${length}`, base)).toBe(true);
      }),
    );
  expect(holds('0.0.0.0/0', '203.0.113.9')).toBe(true);
  expect(holds('10.0.0.0/8', '::1')).toBe(false);
  expect(holds('10.0.0.0/33', '10.0.0.1')).toBe(false);
  expect(holds('nonsense', '10.0.0.1')).toBe(false);
});
