import { setTimeout as sleep } from 'node:timers/promises';
import type { AppSettings } from '../../src/core/app-settings.ts';
import { appEntry, appsBehind } from '../../src/core/apps.ts';
import { Fault, fault } from '../../src/core/errors.ts';
import { parseImage, repositoryOf } from '../../src/core/image.ts';
import { digestOf, type JsonObject } from '../../src/core/json.ts';
import { linearPattern } from '../../src/core/linear-pattern.ts';
import { after } from '../../src/core/within.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { request } from '../../src/engine/request.ts';
import { sameText } from './same-text.ts';

const readMs = 2_500;
const looksAfterMs = [0, 300, 1_500];

export type Ask = { operation: string; input: JsonObject };
export type Taken = { started: number; refused: string[] };

/** An image that a registry says was pushed. Without a digest, it is what the registry has now. */
export type Pushed = {
  /** Whether an app's image, as `registry` and `repository`, is this one. */
  isOf: (image: { registry?: string; repository: string }) => boolean;
  /** The repository without its registry, as the app's image may have it. */
  paths: readonly string[];
  tag: string;
  digest?: string | undefined;
  /** What is the same when the registry says it again, and another at another push. */
  delivery: string;
  /** When it was pushed, in ms; undefined where that is not said. */
  at: number | undefined;
};

/** Half of how long a delivery is remembered: what comes again is either remembered, or too old to be taken. */
const oldestMs = 12 * 3_600_000;
const skewMs = 10 * 60_000;

/** Why a delivery is not taken for the time that it tells: sent again a day later it would bring back an image that was replaced since. */
export function staleness(at: number | undefined, now: number): string | undefined {
  if (at === undefined || !Number.isFinite(at)) return 'it does not say when it happened';
  if (at < now - oldestMs) return 'it happened more than 12 hours ago';
  return at > now + skewMs ? 'it says that it will happen later' : undefined;
}

/** Who sends no secret, or another one, is not listened to. */
export function checkSecret(system: string, variable: string, secret: string | undefined, given: string | undefined) {
  if (secret === undefined) throw fault('HOOK_OFF', { system, variable });
  if (given === undefined || !sameText(given, secret)) throw fault('HOOK_REFUSED', { system, variable });
}

/** `v*` is every tag that begins with a v. */
export function fitsTag(pattern: string, tag: string): boolean {
  const source = pattern.split('*').map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'));
  return linearPattern(source.join('.*')).fits(tag);
}

/** The deploy of exactly what was pushed, where the app's rule is for that tag: a tag that is moved meanwhile changes nothing. */
export function deployOf(app: string, its: AppSettings, tag: string, digest: string): Ask[] {
  const push = its.on?.push;
  if (!push || !fitsTag(push.tags, tag)) return [];
  return [{ operation: 'deploy', input: { app, env: push.env, image: `${its.image}:${tag}@${digest}` } }];
}

/**
 * Puts what a delivery leads to through the front door, as `webhook:SOURCE`. One delivery counts once, however often it is
 * sent; what the policy refuses is refused, and noted where all refusals are.
 */
export async function ask(engine: Engine, source: string, delivery: string, asks: readonly Ask[]): Promise<Taken> {
  const refused: string[] = [];
  for (const { operation, input } of asks) {
    const key = `hook:${source}:${digestOf([delivery, operation, input])}`;
    const actor = { kind: 'webhook' as const, source };
    try {
      await request(engine, { actor, operation, input, origin: { surface: 'webhook', source }, key });
    } catch (thrown) {
      if (!(thrown instanceof Fault) || thrown.retry === 'later') throw thrown;
      refused.push(`${operation}: ${thrown.code}`);
      engine.log.warn({ source, operation, input, code: thrown.code }, 'what a webhook led to was refused');
    }
  }
  return { started: asks.length - refused.length, refused };
}

/** What a registry has under the tag now; undefined where it shows nothing. */
async function tagged({ clients, log }: Engine, source: string, app: string, image: string) {
  try {
    return await clients.registry.resolve(image, app, after(readMs));
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.retry === 'later') throw thrown;
    log.warn({ source, image, code: thrown.code }, 'a push was told of that its registry does not show');
    return undefined;
  }
}

/**
 * What the app's own registry has under the tag, if it is what the delivery says; its word is not enough. Looked at more than once:
 * the CNCF registry tells of a push just before it puts the tag on it.
 */
async function confirmed(engine: Engine, source: string, app: string, image: string, said: string | undefined) {
  for (const waitMs of looksAfterMs) {
    await sleep(waitMs);
    const digest = await tagged(engine, source, app, image);
    if (digest !== undefined && (said === undefined || said === digest)) return digest;
  }
  engine.log.info({ source, image, said }, 'a push was told of that its tag is not, or no longer, on');
  return undefined;
}

/** The apps whose image it is and whose rule (`on: push`) is for that tag. */
function appsOf({ settings }: Engine, pushed: Pushed): { app: string; its: AppSettings; repository: string }[] {
  const { isOf, paths, tag } = pushed;
  const apps = new Set(paths.flatMap((path) => appsBehind(settings(), ({ image }) => image && pathOf(image), path)));
  return [...apps].flatMap((app) => {
    const its = appEntry(settings(), app)?.its;
    if (!its?.image || !its.on?.push || !fitsTag(its.on.push.tags, tag)) return [];
    const home = parseImage(its.image);
    return isOf(home) ? [{ app, its, repository: repositoryOf(home) }] : [];
  });
}

/** An image, which may have a blank for the app's name, without its registry. */
function pathOf(image: string): string {
  const { registry } = parseImage(image.replaceAll('{app}', 'app'));
  return registry === undefined ? image : image.slice(image.indexOf('/') + 1);
}

/** What pushes lead to: the deploys of the apps that they are about. */
export async function takePushes(engine: Engine, source: string, pushes: readonly Pushed[]): Promise<Taken> {
  const taken: Taken = { started: 0, refused: [] };
  for (const push of pushes) {
    const { tag, digest: said, delivery, at } = push;
    const apps = appsOf(engine, push);
    const stale = apps.length > 0 ? staleness(at, engine.now()) : undefined;
    if (stale !== undefined) {
      taken.refused.push(`deploy: ${tag}: ${stale}`);
      engine.log.warn({ source, tag, stale }, 'a push was told of that is not taken');
      continue;
    }
    for (const { app, its, repository } of apps) {
      const digest = await confirmed(engine, source, app, `${repository}:${tag}`, said);
      if (digest === undefined) continue;
      const { started, refused } = await ask(engine, source, delivery, deployOf(app, its, tag, digest));
      taken.started += started;
      taken.refused.push(...refused);
    }
  }
  return taken;
}
