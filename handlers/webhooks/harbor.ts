import type { FastifyInstance } from 'fastify';
import { appEntry, appsOfRepository } from '../../src/core/apps.ts';
import { fault } from '../../src/core/errors.ts';
import { digestOf, isObject, text } from '../../src/core/json.ts';
import type { Settings } from '../../src/core/settings.ts';
import { after } from '../../src/core/within.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { HarborPayload, type Heard, heardIn } from './harbor-payload.ts';
import { type Ask, ask, checkSecret, deployOf, staleness, type Taken } from './push.ts';

export type HarborDeps = {
  engine: Engine;
  /** What Harbor must send as its Authorization header, as it is; without it every delivery is refused. */
  token?: string | undefined;
};

const bodyLimit = 262_144;
const readMs = 8_000;

function payloadOf(body: unknown): HarborPayload {
  const parsed = HarborPayload.safeParse(body);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.slice(0, 10).map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw fault('BAD_INPUT', { problem: `This is not a webhook of Harbor in its default form: ${problems.join('; ')}.` });
}

/** The apps whose images are kept in that repository of Harbor. */
function appsOf(settings: Settings, repository: string): string[] {
  const { harbor } = settings;
  if (!harbor) return [];
  const image = `${harbor.registry ?? new URL(harbor.url).host}/${repository}`;
  return appsOfRepository(settings, image);
}

/** What is asked for of one image that was pushed, as Harbor itself now has it: the delivery's word is not enough. */
async function asksOfPush({ engine }: HarborDeps, { repository, references }: Heard, apps: string[]): Promise<Ask[]> {
  const settings = engine.settings();
  const asks: Ask[] = [];
  for (const reference of references) {
    const [project = '', ...rest] = repository.split('/');
    const path = ['projects', project, 'repositories', rest.join('/'), 'artifacts', reference];
    const found = await engine.clients.harbor.read(path, { with_tag: 'true' }, after(readMs));
    if (!isObject(found) || text(found.digest) === '') {
      engine.log.warn({ repository, reference }, 'Harbor told of a push of which it knows nothing');
      continue;
    }
    for (const app of apps) {
      const its = appEntry(settings, app)?.its;
      const news = { repository, reference, about: 'push', aloud: true, app };
      asks.push({ operation: 'harbor-news', input: news });
      if (its && !reference.startsWith('sha256:')) asks.push(...deployOf(app, its, reference, text(found.digest)));
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

async function take(deps: HarborDeps, body: unknown): Promise<Taken> {
  const payload = payloadOf(body);
  const heard = heardIn(payload);
  const stale = staleness(payload.occur_at * 1_000, deps.engine.now());
  if (heard && stale !== undefined) {
    deps.engine.log.warn({ about: heard.about, repository: heard.repository, stale }, 'Harbor told of it too late');
    return { started: 0, refused: [`${heard.about}: ${stale}`] };
  }
  return await ask(deps.engine, 'harbor', digestOf(body), heard ? await asksOf(deps, heard) : []);
}

/** POST /webhooks/harbor. 5xx only where it may help that Harbor sends it again. */
export function harborWebhook(deps: HarborDeps) {
  return async (app: FastifyInstance): Promise<void> => {
    app.post(
      '/webhooks/harbor',
      // Before the body is read: who has no token costs next to nothing. Harbor sends what its “Auth Header” holds as it is.
      {
        bodyLimit,
        onRequest: async (request) =>
          checkSecret('Harbor', 'HARBOR_WEBHOOK_TOKEN', deps.token, request.headers.authorization),
      },
      async (request) => ({ data: { taken: true, ...(await take(deps, request.body)) } }),
    );
  };
}
