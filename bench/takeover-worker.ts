import { setTimeout as sleep } from 'node:timers/promises';
import { engineGround } from './engine-ground.ts';

/** The victim of `takeover`: a worker whose rollouts never end. */
const ground = await engineGround(process.env.REDIS_URL ?? '', (process.env.APPS ?? '').split(','));
const kube = ground.engine.clients.kube('default');
ground.engine.clients.kube = () => ({
  ...kube,
  follow: async (_ref, _options, signal) => {
    await sleep(600_000, undefined, { signal });
    return { kind: 'complete', replicas: 1, updated: 1, ready: 1 };
  },
});
await ground.worker();
console.log('ready victim');
