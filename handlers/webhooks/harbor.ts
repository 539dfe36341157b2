import type { FastifyInstance } from 'fastify';
import { Fault, fault } from '../../src/core/errors.ts';
import { digestOf, isObject, type JsonObject, text } from '../../src/core/json.ts';
import type { Settings } from '../../src/core/settings.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { request } from '../../src/engine/request.ts';
import { HarborPayload, type Heard, heardIn } from './harbor-payload.ts';
import { sameText } from './same-text.ts';

export type HarborDeps = {
  engine: Engine;
  /** What Harbor must send as its Authorization header, as it is; without it every delivery is refused. */
  token?: string | undefined;
};

const source = 'harbor';
const bodyLimit = 262_144;
const readMs = 8_000;

/** Harbor sends what its “Auth Header” holds, raw: with or without a word such as Bearer before it. */
function checkHeader(token: string | undefined, authorization: string | undefined): void {
  if (token === undefined) throw fault('HARBOR_HOOK_OFF', {});
  if (authorization === undefined || !sameText(authorization, token)) throw fault('HARBOR_HOOK_REFUSED', {});
}

function payloadOf(body: unknown): HarborPayload {
  const parsed = HarborPayload.safeParse(body);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.slice(0, 10).map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw fault('BAD_INPUT', { problem: `This is not a webhook of Harbor in its default form: ${problems.join('; ')}.` });
}

/** The apps whose images are kept in that repository of Harbor. */
function appsOf({ apps, harbor }: Settings, repository: string): string[] {
  if (!harbor) return [];
  const image = `${harbor.registry ?? new URL(harbor.url).host}/${repository}`;
  return Object.entries(apps).flatMap(([app, its]) => (its.image === image ? [app] : []));
}

/** `v*` is every tag that begins with a v. */
export function fitsTag(pattern: string, tag: string): boolean {
  const source = pattern.split('*').map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${source.join('.*')}$`).test(tag);
}

type Ask = { operation: string; input: JsonObject };

/** What is asked for of one image that was pushed, as Harbor itself now has it: the delivery's word is not enough. */
async function asksOfPush({ engine }: HarborDeps, { repository, references }: Heard, apps: string[]): Promise<Ask[]> {
  const settings = engine.settings();
  const asks: Ask[] = [];
  for (const reference of references) {
    const [project = '', ...rest] = repository.split('/');
    const path = ['projects', project, 'repositories', rest.join('/'), 'artifacts', reference];
    const found = await engine.clients.harbor.read(path, { with_tag: 'true' }, AbortSignal.timeout(readMs));
    if (!isObject(found) || text(found.digest) === '') {
      engine.log.warn({ repository, reference }, 'Harbor told of a push of which it knows nothing');
      continue;
    }
    for (const app of apps) {
      const push = settings.apps[app]?.on?.push;
      const news = { repository, reference, about: 'push', aloud: true, app };
      asks.push({ operation: 'harbor-news', input: news });
      if (push && !reference.startsWith('sha256:') && fitsTag(push.tags, reference))
        asks.push({ operation: 'deploy', input: { app, env: push.env, tag: reference } });
    }
  }
  return asks;
}

async function asksOf(deps: HarborDeps, heard: Heard): Promise<Ask[]> {
  const { about, repository, references } = heard;
  const apps = appsOf(deps.engine.settings(), repository);
  if (about === 'push') return apps.length === 0 ? [] : await asksOfPush(deps, heard, apps);
  const of = apps.length === 0 ? [{}] : apps.map((app) => ({ app }));
  if (about === 'quota')
    return of
      .slice(0, 1)
      .map((app) => ({ operation: 'harbor-news', input: { repository, about, aloud: true, ...app } }));
  // A scan of what is nobody's app interests nobody here.
  if (apps.length === 0) return [];
  return of.flatMap((app) =>
    references.map((reference) => ({
      operation: 'harbor-news',
      input: { repository, reference, about, aloud: true, ...app },
    })),
  );
}

/**
 * Puts what a delivery leads to through the front door, as `webhook:harbor`. One delivery counts once, however often it is
 * sent; what the policy refuses is refused, and noted where all refusals are.
 */
async function take(deps: HarborDeps, body: unknown): Promise<{ started: number; refused: string[] }> {
  const heard = heardIn(payloadOf(body));
  const asks = heard ? await asksOf(deps, heard) : [];
  const delivery = digestOf(body);
  const refused: string[] = [];
  for (const { operation, input } of asks) {
    const key = `hook:${source}:${digestOf([delivery, operation, input])}`;
    const ask = {
      actor: { kind: 'webhook' as const, source },
      operation,
      input,
      origin: { surface: 'webhook' as const, source },
      key,
    };
    try {
      await request(deps.engine, ask);
    } catch (thrown) {
      if (!(thrown instanceof Fault) || thrown.retry === 'later') throw thrown;
      refused.push(`${operation}: ${thrown.code}`);
      deps.engine.log.warn({ operation, input, code: thrown.code }, 'what Harbor’s webhook led to was refused');
    }
  }
  return { started: asks.length - refused.length, refused };
}

/** POST /webhooks/harbor. 5xx only where it may help that Harbor sends it again. */
export function harborWebhook(deps: HarborDeps) {
  return async (app: FastifyInstance): Promise<void> => {
    app.post(
      '/webhooks/harbor',
      // Before the body is read: who has no token costs next to nothing.
      { bodyLimit, onRequest: async (request) => checkHeader(deps.token, request.headers.authorization) },
      async (request) => ({ data: { taken: true, ...(await take(deps, request.body)) } }),
    );
  };
}
