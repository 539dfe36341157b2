import { describe, expect, test } from 'vitest';
import { crossFaults } from '../../src/config/settings-faults.ts';
import { environmentEntry } from '../../src/core/apps.ts';
import { environmentsOf } from '../../src/core/effects/sites.ts';
import { Fault } from '../../src/core/errors.ts';
import { type Site, siteCalled } from '../../src/core/place.ts';
import { Settings } from '../../src/core/settings.ts';

type Environments = Record<string, { namespace: string; cluster?: string }>;

const given = (environments: Environments): Settings => Settings.parse({ apps: {}, environments });

/** Where a name leads; nowhere where it is refused. */
function called(settings: Settings, name: string): Site | undefined {
  try {
    return siteCalled(settings, name);
  } catch (thrown) {
    if (thrown instanceof Fault) return undefined;
    throw thrown;
  }
}

/** Names that may be meant by somebody: those written out, namespaces, and what patterns make of those, twice. */
function namesOf(settings: Settings): string[] {
  const { environments } = settings;
  const grown = (names: readonly string[]) =>
    names.flatMap((name) => [
      name,
      ...Object.keys(environments).map((key) => key.replace('*', name)),
      ...Object.values(environments).map(({ namespace }) => namespace.replaceAll('{env}', name)),
    ]);
  const seeds = ['x', ...Object.keys(environments).filter((key) => !key.includes('*'))];
  return [...new Set(grown(grown([...seeds, ...Object.values(environments).map((its) => its.namespace)])))].filter(
    (name) => !name.includes('{'),
  );
}

const where = (site: Site | undefined) => site && `${site.cluster}/${site.namespace}`;

/** Names that lead to one place, and by the environment that was found to another; and namespaces whose environments are elsewhere. */
const strays = (settings: Settings): string[] =>
  namesOf(settings).filter((name) => {
    const site = called(settings, name);
    if (!site) return false;
    const again = [site.env, ...environmentsOf(settings, site.cluster, site.namespace)];
    // What is refused is nowhere else.
    return again.some((env) => (where(called(settings, env)) ?? where(site)) !== where(site));
  });

describe('what comes out of resolving a name resolves to the same place', () => {
  test.each<[string, Environments]>([
    [
      'without patterns',
      { production: { namespace: 'prod' }, prod: { namespace: 'b' }, b: { namespace: 'production' } },
    ],
    ['two in one namespace', { eu: { namespace: 'web' }, us: { namespace: 'web' }, 'web-*': { namespace: '{env}' } }],
    ['a pattern beside', { 'live-preview': { namespace: 'live' }, 'preview-*': { namespace: 'shop-{env}' } }],
    [
      'a chain of patterns',
      { 'a-*': { namespace: 'b-{env}' }, 'b-*': { namespace: 'c-{env}' }, '*-c': { namespace: '{env}' } },
    ],
    ['the same namespace by a pattern', { production: { namespace: 'prod' }, '*': { namespace: '{env}' } }],
    [
      'written out too',
      { live: { namespace: 'pr-live' }, 'pr-live': { namespace: 'z' }, 'pr-*': { namespace: 'shop-{env}' } },
    ],
  ])('%s', (_, environments) => {
    const settings = given(environments);
    expect(crossFaults(settings, [])).toEqual([]);
    expect(strays(settings)).toEqual([]);
  });

  test.each<[string, Environments]>([
    ['another namespace', { live: { namespace: 'pr-live' }, 'pr-*': { namespace: 'shop-{env}' } }],
    ['another cluster', { live: { namespace: 'pr-live' }, 'pr-*': { namespace: '{env}', cluster: 'b' } }],
    [
      'two patterns alike',
      { live: { namespace: 'pr-live' }, 'pr-*': { namespace: '{env}' }, '*-live': { namespace: 'b-{env}' } },
    ],
  ])('a namespace that is also a pattern’s name for %s is refused', (_, environments) => {
    const settings = given(environments);
    const problem = expect.stringContaining(
      'a pattern makes another environment of the name “pr-live”: write that one',
    );
    expect(crossFaults(settings, [])).toEqual([{ path: ['environments', 'live', 'namespace'], problem }]);
    const mended = given({ ...environments, 'pr-live': { namespace: 'elsewhere' } });
    expect([crossFaults(mended, []), strays(mended)]).toEqual([[], []]);
  });

  test('nor does a fleet have the name of what a pattern makes of another namespace', () => {
    const faults = (namespace: string) =>
      crossFaults({ ...given({ 'pr-*': { namespace } }), fleets: { 'pr-all': ['pr-1', 'pr-2'] } }, []);
    expect(faults('shop-{env}')).toEqual([
      { path: ['fleets', 'pr-all'], problem: 'an environment has that name; a fleet needs one of its own.' },
    ]);
    expect(faults('{env}')).toEqual([]);
  });

  test('the measure tells', () => {
    const settings = given({ live: { namespace: 'pr-live' }, 'pr-*': { namespace: 'shop-{env}' } });
    expect(strays(settings)).toContain('shop-pr-live');
    expect(environmentEntry(settings, 'pr-live')?.key).toBe('pr-*');
  });
});
