import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, digestOf, type JsonObject, text } from '../../core/json.ts';
import { didYouMean } from '../../core/near.ts';
import type { PlanContext } from '../../core/operation.ts';
import type { Settings } from '../../core/settings.ts';
import { number } from '../docker/reading.ts';

type On = PlanContext<'harbor'>['on'];
const most = 500;

export const EndpointName = z
  .string()
  .max(64, 'is longer than 64 characters')
  .regex(/^\w[\w. -]*$/, 'must be the name of an endpoint')
  .describe('An endpoint: another registry that Harbor replicates with')
  .meta({ examples: ['dr'] });

const isAddress = (said: string): boolean => {
  const url = URL.canParse(said) ? new URL(said) : undefined;
  return (
    url !== undefined && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash
  );
};

/** As Harbor keeps it: without the slash at its end. */
export const Address = z
  .string()
  .max(256)
  .refine(isAddress, 'must be https://HOST or http://HOST, without account, query or fragment')
  .transform((said) => {
    const { protocol, host, pathname } = new URL(said);
    return `${protocol}//${host}${pathname.replace(/(?<!\/)\/+$/, '')}`;
  })
  .describe('Where it is; its account is that of harbor.logins for this host')
  .meta({ examples: ['https://dr.example.com'] });

export const endpointsOf = ({ harbor }: On, signal: AbortSignal): Promise<JsonObject[]> =>
  harbor.list(['registries'], {}, most, signal);
export const rulesOf = ({ harbor }: On, signal: AbortSignal): Promise<JsonObject[]> =>
  harbor.list(['replication', 'policies'], {}, most, signal);

/** @throws Fault NO_SUCH_OBJECT with the nearest name */
export function calledIn(all: readonly JsonObject[], kind: string, name: string): JsonObject {
  const found = all.find((each) => each.name === name);
  const near = () =>
    didYouMean(
      name,
      all.map((each) => text(each.name)),
    );
  if (!found) throw fault('NO_SUCH_OBJECT', { kind, name, where: 'Harbor', near: near() });
  return found;
}

export const endpointIn = (all: readonly JsonObject[], name: string) => calledIn(all, 'endpoint', name);
export const ruleIn = (all: readonly JsonObject[], name: string) => calledIn(all, 'replication rule', name);

/** The rules that copy to or from an endpoint. */
export const usersOf = (endpoint: JsonObject, rules: readonly JsonObject[]): string[] =>
  rules
    .filter(({ src_registry: from, dest_registry: to }) => [at(from, 'id'), at(to, 'id')].includes(number(endpoint.id)))
    .map(({ name }) => text(name));

/** What can be said of an endpoint. Its password is told to nobody. */
export const endpointState = (found: JsonObject) => ({
  url: text(found.url),
  insecure: found.insecure === true,
  account: text(at(found, 'credential', 'access_key')),
});

/** Who Harbor is there. Undefined where the settings say nothing of that host. */
export function loginFor({ harbor }: Settings, url: string): string | undefined {
  const { host } = new URL(url);
  const logins = harbor?.logins ?? {};
  return Object.hasOwn(logins, host) ? logins[host]?.username : undefined;
}

/** The hash of that login: whose it is and where its password is kept. The password itself goes into no plan. */
export function loginHash({ harbor }: Settings, url: string): string {
  const { host } = new URL(url);
  const logins = harbor?.logins ?? {};
  return digestOf(Object.hasOwn(logins, host) ? logins[host] : null);
}

export const accountText = (account: string | undefined): string => account || 'none';

/** What whoever approves an endpoint ought to know. */
export function endpointWarnings(url: string, insecure: boolean, account: string | undefined): string[] {
  if (url.startsWith('http:'))
    return [`${url} is plain http: whoever is on the way reads ${account ? 'its password' : 'what is copied'}.`];
  return insecure ? [`The certificate of ${url} is not checked: whoever is on the way can take its place.`] : [];
}
