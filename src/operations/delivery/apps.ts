import { z } from 'zod';
import { appEntry, appNames } from '../../core/apps.ts';
import { Fault } from '../../core/errors.ts';
import { fewAtATime } from '../../core/few-at-a-time.ts';
import { oneLine } from '../../core/one-line.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { EnvRef } from '../../core/place.ts';
import type { Settings } from '../../core/settings.ts';
import { some } from '../../core/some.ts';
import { type Discovered, discoverIn, discoverPermissions } from '../workloads/discover.ts';
import { type Asking, type SharedSite, sitesAsked } from '../workloads/sites.ts';
import { runningOf } from './app-image.ts';

/** More rows are no list that anybody reads: an environment narrows it down. */
const most = 500;
/** Of what could not be looked at so many say why. */
const mostAway = 5;
/** So many namespaces are looked at at a time. */
const together = 8;

/** What runs, and the environments that it runs in. */
type Seen = Discovered & { site: SharedSite };

type Row = { app: string; state: string; owner: string; images: string[]; where: string[] };

/** `production and second 3/3`. */
const whereOf = ({ site, ready, replicas }: Seen): string => `${site.envs.join(' and ')} ${ready}/${replicas}`;

const calledBy = (seen: Discovered): string =>
  seen.state === 'unknown' ? `${seen.kind.toLowerCase()}/${seen.name}` : seen.app;

function stateOf(settings: Settings, seen: Discovered): string {
  switch (seen.state) {
    case 'known':
      return 'known';
    case 'found': {
      const running = runningOf(settings, seen.app, seen.object);
      return `found: ${seen.pattern}${running?.of === 'none' ? `, and what runs is of ${running.repository}` : ''}`;
    }
    case 'unknown':
      return seen.why === '' ? 'unknown' : `unknown: ${seen.why}`;
    default:
      return seen satisfies never;
  }
}

const ownerOf = (settings: Settings, seen: Discovered): string =>
  (seen.state === 'unknown' ? undefined : appEntry(settings, seen.app)?.its.owner) ?? oneLine(seen.said.owner);

/** One row an app: what it is counts, not where it is. */
function rowsOf(settings: Settings, all: readonly Seen[]): Row[] {
  const rows = new Map<string, Row>();
  for (const seen of all) {
    const [app, state] = [calledBy(seen), stateOf(settings, seen)];
    const row = rows.get(`${app} ${state}`) ?? { app, state, owner: '', images: [], where: [] };
    rows.set(`${app} ${state}`, {
      ...row,
      owner: row.owner || ownerOf(settings, seen),
      images: [...new Set([...row.images, ...seen.images])],
      where: [...row.where, whereOf(seen)],
    });
  }
  return [...rows.values()];
}

/** Apps that are written out and run nowhere that was looked at. */
function idle(settings: Settings, rows: readonly Row[]): Row[] {
  return appNames(settings)
    .filter((app) => !rows.some((row) => row.app === app))
    .map((app) => ({ app, state: 'known', owner: appEntry(settings, app)?.its.owner ?? '', images: [], where: [] }));
}

/** Those written out, those found, the others; each by name. */
const inOrder = (a: Row, b: Row): number => {
  const rank = ({ state }: Row) => ['known', 'found', 'unknown'].findIndex((word) => state.startsWith(word));
  return rank(a) - rank(b) || a.app.localeCompare(b.app);
};

async function lookAt(asking: Asking, env: string | undefined): Promise<{ seen: Seen[]; away: string[] }> {
  const { sites, away } = await sitesAsked(asking, env);
  const found = await fewAtATime(sites, together, async (site) => {
    try {
      return (await discoverIn(asking, site)).map((each) => ({ ...each, site }));
    } catch (thrown) {
      // One cluster that is away must not hide the others.
      if (!(thrown instanceof Fault) || sites.length === 1) throw thrown;
      away.push(`${site.envs.join(' and ')}: ${thrown.message}`);
      return [];
    }
  });
  return { seen: found.flat(), away };
}

export const apps = defineOperation({
  name: 'apps',
  summary: 'List what is known as an app, what patterns find, and what is unknown',
  effect: 'read',
  input: z.strictObject({ env: EnvRef.optional() }),
  usage: '[in <env>]',
  examples: ['', 'in staging'],
  routes: [
    route({
      method: 'GET',
      path: '/apps',
      summary: 'Apps known, found and unknown, in an environment or in all',
      request: z.object({ env: EnvRef.optional() }),
      input: (input) => input,
    }),
  ],
  needs: ['kube'],
  permissions: [...discoverPermissions, 'list,watch namespaces'],
  steps: ['read'],
  target: ({ env }) => (env === undefined ? {} : { env }),
  plan: async () => ({ summary: 'looks', changes: [], takesOver: [] }),
  run: async (run, { env }) =>
    run.step('read', async ({ signal }) => {
      const { seen, away } = await lookAt({ settings: run.settings, on: run.on, signal }, env);
      const rows = rowsOf(run.settings, seen);
      const all = [...rows, ...idle(run.settings, rows)].sort(inOrder);
      const unknown = all.some(({ state }) => state.startsWith('unknown'));
      const notes = [
        ...away.slice(0, mostAway),
        ...(away.length > mostAway ? [`${away.length - mostAway} more could not be looked at.`] : []),
        ...(all.length > most ? [`${all.length - most} more: name an environment.`] : []),
        ...(unknown ? ['What is unknown goes by KIND/NAME; /ship app adopt KIND/NAME in ENV shows its entry.'] : []),
      ];
      return {
        kind: 'table' as const,
        title: env === undefined ? 'Apps' : `Apps in ${run.site.env}`,
        columns: ['App', 'State', 'Owner', 'Images', 'Environments'],
        rows: all
          .slice(0, most)
          .map(({ app, state, owner, images, where }) => [app, state, owner, some(images), some(where)]),
        ...(notes.length > 0 && { note: notes.join(' ') }),
      };
    }),
});
