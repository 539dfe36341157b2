import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { WebClient } from '@slack/web-api';
import type { Logger } from 'pino';
import { createMetrics } from '../handlers/http/metrics.ts';
import { createHttpServer } from '../handlers/http/server.ts';
import { createAnnouncer } from '../handlers/slack/announcer.ts';
import { createSlackSurface, type SlackSurface } from '../handlers/slack/app.ts';
import { createHand } from '../handlers/slack/hand.ts';
import { createSlackPeople } from '../handlers/slack/people.ts';
import { createSettingsNotice } from '../handlers/slack/settings-notice.ts';
import { type UserGroups, watchUserGroups } from '../handlers/slack/user-groups.ts';
import { withoutSlack } from '../handlers/slack/without-slack.ts';
import { startAuditFile } from '../jobs/audit-file.ts';
import { startAuditor } from '../jobs/auditor.ts';
import { startNotifier } from '../jobs/notifier.ts';
import { createRunQueue } from '../jobs/queue.ts';
import { startSweeper } from '../jobs/sweeper.ts';
import { createWorker } from '../jobs/worker.ts';
import { ConfigurationError } from './config/configuration-error.ts';
import { readEnvironment } from './config/environment.ts';
import { type SettingsChange, type SettingsWatch, watchSettings } from './config/settings-watch.ts';
import { type Environment, secretsOf } from './config/variables.ts';
import { Fault } from './core/errors.ts';
import { createRedact } from './core/redact.ts';
import type { Settings } from './core/settings.ts';
import { advance } from './engine/advance.ts';
import type { Engine } from './engine/engine.ts';
import { createLeases } from './engine/leases.ts';
import { newRunId } from './engine/run-id.ts';
import { wakingRuns } from './engine/steer.ts';
import { createLog } from './log.ts';
import { catalogue } from './operations/catalogue.ts';
import { createOutside } from './outside.ts';
import { warnOfRedis } from './store/check-redis.ts';
import { type Connection, connectStore, connectWorker } from './store/connection.ts';
import { queuePrefix } from './store/keys.ts';
import { startSeal } from './store/reseal.ts';
import { createStores } from './store/stores.ts';

/** Stops what was started, newest first. */
type Stops = { add(stop: () => Promise<unknown>): void; all(): Promise<void> };

function createStops(log: Logger): Stops {
  const stops: (() => Promise<unknown>)[] = [];
  return {
    add: (stop) => void stops.unshift(stop),
    all: async () => {
      for (const stop of stops) await stop().catch((problem: unknown) => log.warn({ problem }, 'did not stop cleanly'));
    },
  };
}

/** Waits for Redis for as long as it takes: it may well start after us. */
async function opened(redis: Connection, log: Logger, stops: Stops): Promise<Connection> {
  redis.on('error', (problem) => log.warn({ problem: problem.message }, 'Redis connection'));
  stops.add(async () => redis.disconnect());
  if (redis.status !== 'ready') await new Promise((resolve) => redis.once('ready', resolve));
  return redis;
}

async function createEngine(env: Environment, settings: () => Settings, log: Logger, stops: Stops) {
  const redis = await opened(connectStore(env.REDIS_URL), log, stops);
  await warnOfRedis(redis, log);
  const metrics = createMetrics();
  const outside = createOutside(env, settings);
  stops.add(outside.close);
  const seal = await startSeal(redis, env, log);
  const queue = createRunQueue(await opened(connectStore(env.REDIS_URL), log, stops), queuePrefix, seal);
  stops.add(queue.close);
  const { store, audit, remembered, notices, alerts } = createStores(redis, seal, log);
  const { SLACK_BOT_TOKEN: token, SLACK_API_URL: apiUrl } = env;
  const slack = token === undefined ? undefined : createSlackPeople({ token, apiUrl }, Date.now);
  const engine: Engine = {
    catalogue,
    settings,
    store: metrics.counting(store),
    audit,
    delegations: remembered.delegations,
    clients: {
      ...remembered,
      runs: wakingRuns(store, queue.wake),
      ...outside.clients,
      hand: createHand(slack?.client),
    },
    membership: slack?.members.membership ?? withoutSlack({ settings: settings(), works: env.ROLE !== 'bot' }, log),
    wake: queue.wake,
    redact: createRedact(secretsOf(env)),
    now: Date.now,
    newId: newRunId,
    log,
  };
  return { engine, slack, audit, metrics, seal, notices, alerts };
}

type Core = Awaited<ReturnType<typeof createEngine>>;

async function startWorker(env: Environment, { engine, audit, seal }: Core, log: Logger, stops: Stops): Promise<void> {
  const leases = createLeases(engine.store, `${hostname()}/${process.pid}/${randomBytes(4).toString('hex')}`, log);
  const connection = await opened(connectWorker(env.REDIS_URL), log, stops);
  const worker = createWorker(connection, { engine, leases, prefix: queuePrefix, log, seal });
  stops.add(worker.close);
  const sweeper = startSweeper({
    store: engine.store,
    // Where the queue takes nothing, with Redis full, the run is looked at here: what is under way can still end.
    wake: (runId) => engine.wake(runId).catch(() => advance(engine, leases, runId)),
    log,
  });
  stops.add(sweeper.stop);
  const auditor = startAuditor({ audit, log });
  stops.add(auditor.stop);
  if (env.AUDIT_FILE !== undefined) stops.add(startAuditFile({ audit, path: env.AUDIT_FILE, log }).stop);
}

async function startSlack(
  env: Environment,
  { engine, slack, notices, alerts }: Core,
  log: Logger,
  stops: Stops,
): Promise<SlackSurface | undefined> {
  if (env.SLACK_BOT_TOKEN === undefined || !slack) return undefined;
  const { client, members, installed } = slack;
  const connection = { token: env.SLACK_BOT_TOKEN, apiUrl: env.SLACK_API_URL };
  const announce = createAnnouncer({
    now: Date.now,
    client,
    catalogue: engine.catalogue,
    store: engine.store,
    alerts,
    order: engine.clients.order,
    settings: engine.settings,
    log,
    shownOf: notices.shown,
  });
  const notifier = await startNotifier({ notices, announce, log, standIn: env.ROLE === 'bot' });
  stops.add(notifier.stop);
  if (env.ROLE === 'worker') return undefined;
  const surface = await createSlackSurface(
    { engine, members, log },
    { ...connection, client, installed, signingSecret: env.SLACK_SIGNING_SECRET ?? '', appToken: env.SLACK_APP_TOKEN },
  );
  await surface.start();
  stops.add(surface.stop);
  return surface;
}

async function startHttp(
  env: Environment,
  core: Core,
  slack: SlackSurface | undefined,
  log: Logger,
  stops: Stops,
): Promise<void> {
  const { engine, metrics, notices, alerts } = core;
  const bot = env.ROLE !== 'worker';
  const clusterNames = new Set(Object.values(engine.settings().environments).map(({ cluster }) => cluster));
  const clusterChecks = [...clusterNames].map(
    (name) => [`cluster ${name}`, (signal: AbortSignal) => engine.clients.kube(name).version(signal)] as const,
  );
  const server = await createHttpServer({
    log,
    metrics,
    checks: { redis: engine.store.ping, ...(bot ? {} : Object.fromEntries(clusterChecks)) },
    slack: slack?.listener,
    ...(bot && {
      api: {
        engine,
        notices,
        tokens: { secret: env.JWT_SECRET, jwksUri: env.JWKS_URI, issuer: env.JWT_ISSUER, audience: env.JWT_AUDIENCE },
        publicUrl: env.PUBLIC_URL,
      },
      harbor: { engine, token: env.HARBOR_WEBHOOK_TOKEN },
      registries: {
        engine,
        registry: env.REGISTRY_WEBHOOK_TOKEN,
        github: env.GITHUB_WEBHOOK_SECRET,
        dockerHub: env.DOCKER_HUB_WEBHOOK_TOKEN,
      },
      alertmanager: { alerts, settings: engine.settings, now: engine.now, log, token: env.ALERTMANAGER_TOKEN },
    }),
  });
  const address = await server.listen({ port: env.PORT, host: env.HOST });
  stops.add(() => server.close());
  log.info({ address }, 'listening');
}

type Told = { settings?: (change: SettingsChange) => void; groups?: UserGroups };

/** What the settings need of Slack: who is in its user groups; and what Slack needs to know of them. */
async function watchSlack(
  client: WebClient,
  settings: SettingsWatch,
  told: Told,
  { engine }: Core,
  log: Logger,
  stops: Stops,
): Promise<void> {
  const groups = watchUserGroups(client, settings.current, log);
  told.groups = groups;
  stops.add(async () => groups.stop());
  await groups.refresh();
  const channel = () => settings.current().channel;
  const notice = createSettingsNotice({ client, store: engine.store, channel, log });
  told.settings = (change) => {
    void groups.refresh();
    void notice({ hash: change.hash, ...(change.kind === 'refused' && { faults: change.problem.faults }) });
  };
}

async function main(): Promise<void> {
  const env = readEnvironment(process.env);
  const redact = createRedact(secretsOf(env));
  const log = createLog(env.LOG_LEVEL, env.ROLE, redact);
  const stops = createStops(log);
  let stopping = false;
  const stop = async (signal: NodeJS.Signals) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping: running work is handed over');
    await stops.all();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));
  const told: Told = {};
  const changed = (change: SettingsChange) => told.settings?.(change);
  const settings = await watchSettings({ path: env.SHIPMATE_CONFIG, operations: [...catalogue.keys()], changed, log });
  stops.add(async () => settings.stop());
  const current = () => ({ ...settings.current(), groups: told.groups?.members() ?? {} });
  const core = await createEngine(env, current, log, stops);
  if (core.slack) await watchSlack(core.slack.client, settings, told, core, log, stops);
  if (env.ROLE !== 'bot') await startWorker(env, core, log, stops);
  const slack = await startSlack(env, core, log, stops);
  await startHttp(env, core, slack, log, stops);
  log.info({ slack: slack ? (slack.listener ? 'http' : 'socket') : 'off' }, 'ready');
}

main().catch((problem: unknown) => {
  const known = problem instanceof ConfigurationError || problem instanceof Fault;
  console.error(known ? problem.message : problem);
  process.exit(1);
});
