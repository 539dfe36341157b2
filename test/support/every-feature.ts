import { generateKeyPairSync } from 'node:crypto';

/** A key set with one key: Envoy refuses a whole listener for an empty one. */
const keySet = () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'a', use: 'sig', alg: 'RS256' }] });
};

const percentage = { value: 100 };

/** How the one route behaves; `x-fault` asks for a failure. */
const routes = [
  {
    match: [{ headers: { 'x-fault': { exact: 'yes' } } }],
    fault: { abort: { httpStatus: 418, percentage }, delay: { fixedDelay: '0.2s', percentage } },
    route: [{ destination: { host: 'shop', subset: 'v1' } }],
  },
  {
    timeout: '5s',
    retries: { attempts: 3, perTryTimeout: '1s', retryOn: '5xx' },
    mirror: { host: 'shop', subset: 'v1' },
    mirrorPercentage: { value: 10 },
    corsPolicy: { allowOrigins: [{ exact: 'https://shop.test' }], allowMethods: ['GET'] },
    headers: { response: { set: { 'x-mesh': 'yes' } } },
    route: [
      { destination: { host: 'shop', subset: 'v1' }, weight: 50 },
      { destination: { host: 'shop', subset: 'v2' }, weight: 50 },
    ],
  },
];

const trafficPolicy = {
  loadBalancer: { consistentHash: { httpHeaderName: 'x-user' } },
  connectionPool: {
    tcp: { maxConnections: 77, connectTimeout: '2s' },
    http: { http1MaxPendingRequests: 11, http2MaxRequests: 99, maxRetries: 7, maxRequestsPerConnection: 13 },
  },
  outlierDetection: { consecutive5xxErrors: 50, interval: '3s', baseEjectionTime: '5s', maxEjectionPercent: 50 },
};

type Where = { namespace: string; host: string; port: number; gateway: string; proxyNamespace: string };

/**
 * What Istio lets one say about a gateway and the Service `shop` behind it, all at once. `/admin` is forbidden, and
 * `/private` for those without a token. Replaces the Service's DestinationRule.
 */
export function everyFeature({ namespace, host, port, gateway, proxyNamespace }: Where): object[] {
  const selector = { matchLabels: { istio: gateway } };
  const make = (group: string, kind: string, name: string, spec: object, where = namespace) => ({
    apiVersion: `${group}.istio.io/v1`,
    kind,
    metadata: { name, namespace: where },
    spec,
  });
  const forbid = (name: string, path: string, from?: object[]) => {
    const rules = [{ ...(from && { from }), to: [{ operation: { paths: [path] } }] }];
    return make('security', 'AuthorizationPolicy', name, { selector, action: 'DENY', rules }, proxyNamespace);
  };
  const servers = [{ port: { number: port, name: 'http', protocol: 'HTTP' }, hosts: [host] }];
  const subsets = ['v1', 'v2'].map((version) => ({ name: version, labels: { version } }));
  const outside = {
    hosts: ['outside.test'],
    ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
    resolution: 'STATIC',
    location: 'MESH_EXTERNAL',
    endpoints: [{ address: '127.0.0.1', ports: { http: 9 } }],
  };
  const jwtRules = [{ issuer: 'https://id.test', jwks: keySet() }];
  const telemetry = { selector, accessLogging: [{ providers: [{ name: 'accesslog' }] }] };
  return [
    make('networking', 'Gateway', gateway, { selector: { istio: gateway }, servers }),
    make('networking', 'VirtualService', gateway, { hosts: [host], gateways: [gateway], http: routes }),
    make('networking', 'DestinationRule', 'shop', { host: 'shop', trafficPolicy, subsets }),
    make('networking', 'ServiceEntry', 'outside', outside),
    make('security', 'RequestAuthentication', gateway, { selector, jwtRules }, proxyNamespace),
    forbid('admin', '/admin'),
    forbid('private', '/private', [{ source: { notRequestPrincipals: ['*'] } }]),
    make('telemetry', 'Telemetry', gateway, telemetry, proxyNamespace),
  ];
}
