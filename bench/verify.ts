import { createAttachments } from '../src/clients/registry/attachments.ts';
import { createRegistry } from '../src/clients/registry/registry.ts';
import { createSigning } from '../src/clients/signing/signing.ts';
import { Place } from '../src/core/place.ts';
import { Settings } from '../src/core/settings.ts';
import { checkImage } from '../src/images/gate.ts';
import { pinnedImage } from '../src/images/pinned.ts';
import { attest } from '../src/images/proof.ts';
import { alpine, password, startCosign, startReferrers } from '../test/support/image-kit.ts';
import { type Figure, quantile } from './figures.ts';

const images = 10;
const rounds = 15;
const warmUps = 3;
const signal = new AbortController().signal;

const predicate = {
  scanner: { uri: '', version: '1', db: { uri: '', version: '2', lastUpdate: '' }, result: { findings: [] } },
  metadata: { scanStartedOn: '2026-11-01T00:00:00Z', scanFinishedOn: '2026-11-01T00:00:00Z' },
};

async function timed(act: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}

/** Signature, scan and policy of ten images, all at once as ten deploys ask for them, against `cosign verify` of one. */
export async function verify(): Promise<Figure> {
  const [registry, cosign] = await Promise.all([startReferrers(), startCosign()]);
  try {
    const key = await cosign.keyPair('bench');
    const on = {
      registry: createRegistry(),
      attachments: createAttachments(),
      signing: createSigning({ key: key.key, password }),
    };
    const settings = Settings.parse({
      apps: { web: { image: `${registry.host}/web` } },
      environments: {
        production: { namespace: 'production', verify: { keys: [key.pub], require: ['signature', 'scan'] } },
      },
      images: { scan: { critical: 'block', high: 'warn' } },
    });
    const place = Place.parse({
      env: 'production',
      cluster: 'default',
      namespace: 'production',
      rolloutTimeoutSeconds: 60,
      app: 'web',
      workload: 'web',
      container: 'web',
    });
    const all: { reference: string; digest: string }[] = [];
    for (let n = 0; n < images; n++) {
      const { pinned, digest } = await registry.push('web', `v${n}`, alpine({ musl: `1.${n}` }));
      await cosign.sign(key, pinned, false);
      await attest(on, pinnedImage(`${registry.host}/web:v${n}`, digest), { proof: 'scan', predicate, at: 0 }, signal);
      all.push({ reference: `${registry.host}/web:v${n}`, digest });
    }
    const context = { on, place, settings, now: Date.now, signal };
    const ours = () => Promise.all(all.map(({ reference, digest }) => checkImage(context, reference, digest)));
    const theirs = () => cosign.verify(key, `${registry.host}/web@${all[0]?.digest}`, false);
    const samples = { ours: [] as number[], floor: [] as number[] };
    for (let n = 0; n < rounds + warmUps; n++) {
      const [mine, floor] = [await timed(ours), await timed(theirs)];
      if (n >= warmUps) samples.ours.push(mine) && samples.floor.push(floor);
    }
    const [mine, floor] = [quantile(samples.ours, 0.5), quantile(samples.floor, 0.5)];
    return { name: 'verify', ours: mine, floor, unit: 'ms for ten images against cosign’s one, median', limit: 1.5 };
  } finally {
    await Promise.all([registry.stop(), cosign.stop()]);
  }
}
