import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { decide } from '../src/core/analysis/judge.ts';
import { AnalysisTemplate } from '../src/core/analysis/template.ts';
import { type Shot, startTraffic } from '../test/support/traffic.ts';
import type { Figure } from './figures.ts';
import type { Ground } from './ground.ts';
import { meshGround, namespace } from './mesh-ground.ts';

const template = { source: 'envoy', scrapeInterval: '1s', metrics: [{ kind: 'success-rate' }] };

/** When the judge would have known, had it seen each request at once: nobody can be quicker with the same certainty. */
function knowableAt(shots: readonly Shot[], since: number): number {
  const parsed = AnalysisTemplate.parse(template);
  const arms = { canary: { requests: 0, failures: 0 }, stable: { requests: 0, failures: 0 } };
  for (const { at, ms, status, version } of shots.filter(({ at }) => at >= since)) {
    // A failure of the shop bears its version too.
    const arm = version === 'v4' ? arms.canary : arms.stable;
    arm.requests += 1;
    arm.failures += status >= 500 ? 1 : 0;
    const phases = [{ since, until: at + ms, ...structuredClone(arms) }];
    if (decide(parsed, { phases, values: [], unknown: [] }, at + ms).kind === 'fail') return at + ms;
  }
  return Number.NaN;
}

/** From a broken canary's first bad answer to all traffic back on stable, against when it could have been known at all. */
export async function detect(ground: Ground): Promise<Figure> {
  const mesh = await meshGround(ground, false);
  const file = join(ground.bed.dir, 'detect.yaml');
  const settings = {
    apps: { shop: { image: `${ground.bed.registry.host}/shop`, analysis: 'quick', rollout: { drain: '1s' } } },
    environments: { staging: { namespace } },
    analyses: { quick: template },
    policy: [{ name: 'anything goes' }],
  };
  await writeFile(file, stringify(settings));
  const shipmate = await ground.start('all', { SHIPMATE_CONFIG: file, METRICS_ENDPOINT: mesh.prometheus.url });
  const traffic = startTraffic(mesh.gateway.url, { perSecond: 200 });
  await ground.slack.command('U0ANA', 'C0SHIP', '/deploy shop:v4 staging strategy=canary weights=20,50 bake=10m');
  const lastOf = (version: string) => traffic.shots.findLast((shot) => shot.version === version);
  for (const end = Date.now() + 120_000; Date.now() < end; await sleep(500)) {
    const last = lastOf('v4');
    if (last && Date.now() - last.at > 4_000) break;
  }
  const shots = (await traffic.stop()).sort((a, b) => a.at - b.at);
  await shipmate.kill('SIGTERM');
  const first = shots.find(({ status }) => status >= 500)?.at ?? Number.NaN;
  const began = shots.find(({ version }) => version === 'v4')?.at ?? Number.NaN;
  const ours = (lastOf('v4')?.at ?? Number.NaN) - first;
  return { name: 'detect', ours, floor: knowableAt(shots, began) - first, unit: 'ms', limit: 10 };
}
