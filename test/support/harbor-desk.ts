import { createHarbor } from '../../src/clients/harbor/harbor.ts';
import { readSecret } from '../../src/config/secrets.ts';
import { Settings } from '../../src/core/settings.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk, type Desk } from './desk.ts';
import { type TestEngine, testEngine } from './engine.ts';
import { type HarborServer, harborAccount, startHarbor } from './harbor-server.ts';

export type HarborDesk = {
  server: HarborServer;
  engine: TestEngine;
  desk: Desk;
  /** What was given to askers alone. */
  given: string[];
  /** Goes back on a run, as its plan says. */
  undo(run: Awaited<ReturnType<Desk['done']>>): ReturnType<Desk['done']>;
  end(): Promise<void>;
};

/** An engine whose Harbor is the real client before the fake behind HTTP, which holds each call against Harbor's contract. */
export async function harborDesk(
  redisUrl: string,
  { env = {}, logins = {}, log }: { env?: Record<string, string>; logins?: object; log?: Engine['log'] } = {},
): Promise<HarborDesk> {
  const server = await startHarbor();
  const world = fakeWorld();
  const settings = Settings.parse({
    apps: {},
    environments: {},
    harbor: { url: server.url, logins },
    policy: [{ name: 'all' }],
  });
  const harbor = createHarbor({
    settings: () => settings.harbor,
    ...harborAccount,
    secret: (ref) => readSecret(ref, env),
  });
  const reaches = (origin: { surface: string }) => origin.surface === 'slack';
  const hand = { reaches, give: world.clients.hand.give };
  const engine = await testEngine(
    redisUrl,
    { ...world.clients, harbor, hand },
    { settings: () => settings, ...(log && { log }) },
  );
  const desk = createDesk(engine);
  return {
    server,
    engine,
    desk,
    given: world.given,
    undo: async (run) => {
      const { operation = '', input = {} } = run.plan?.undo ?? {};
      return await desk.done(operation, input);
    },
    end: async () => {
      await desk.leases.stop();
      engine.close();
      await server.end();
    },
  };
}
