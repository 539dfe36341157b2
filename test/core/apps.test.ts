import { expect, test } from 'vitest';
import { appEntry, appsBehind, environmentEntry } from '../../src/core/apps.ts';
import { Settings } from '../../src/core/settings.ts';

const settings = Settings.parse({
  apps: {
    old: { image: 'r.io/old', build: { args: { NAME: `\${app}` } }, rollout: { service: '{app}' } },
    '*': { image: 'r.io/{app}', build: { args: { NAME: '{app}' } }, rollout: { service: 'svc-{app}' } },
  },
  environments: {
    staging: { namespace: 'staging', debug: { images: ['b:1'], command: ['sh', '-c', `echo \${env}`] } },
    'pr-*': { namespace: 'shop-{env}', debug: { images: ['b:1'], command: ['echo', '{env}'] } },
  },
});

test('what is written out stays as it is written; what a pattern says has the name in it', () => {
  expect(appEntry(settings, 'old')).toEqual({ key: 'old', its: settings.apps.old });
  expect(environmentEntry(settings, 'staging')).toEqual({ key: 'staging', its: settings.environments.staging });
  expect(appEntry(settings, 'cart')?.its).toMatchObject({ image: 'r.io/cart', build: { args: { NAME: 'cart' } } });
  expect(environmentEntry(settings, 'pr-7')?.its).toMatchObject({
    namespace: 'shop-pr-7',
    debug: { command: ['echo', 'pr-7'] },
  });
});

test('an app is found by what its entry says, letter for letter where that is written out', () => {
  const behind = (service: string) => appsBehind(settings, ({ rollout }) => rollout?.service, service);
  expect(behind('{app}')).toEqual(['old']);
  expect(behind('old')).toEqual([]);
  expect(behind('svc-cart')).toEqual(['cart']);
});
