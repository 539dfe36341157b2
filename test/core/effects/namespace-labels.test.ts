import { describe, expect, test } from 'vitest';
import type { PodSecurityLevel } from '../../../src/core/effects/pod-security.ts';
import { JsonObject } from '../../../src/core/json.ts';
import { changed } from '../../support/pod-objects.ts';

/** What labels of namespaces loosen. */

describe('a namespace', () => {
  const namespace = (labels: Record<string, string>, apiVersion = 'v1') =>
    JsonObject.parse({
      apiVersion,
      kind: 'Namespace',
      metadata: {
        name: 'shop',
        labels: Object.fromEntries(
          Object.entries(labels).map(([name, value]) => [`pod-security.kubernetes.io/${name}`, value]),
        ),
      },
    });
  const enforce = (level?: string) => namespace(level === undefined ? {} : { enforce: level });
  const version = (each: string) => namespace({ enforce: 'baseline', 'enforce-version': each });

  test.each<[string, JsonObject, JsonObject, PodSecurityLevel]>([
    ['than it was, though the level takes it', enforce('restricted'), enforce('baseline'), 'baseline'],
    ['than it was, in a privileged environment', enforce('baseline'), enforce('privileged'), 'privileged'],
    ['than it was, without the label', enforce('restricted'), enforce(), 'privileged'],
    ['than the level', enforce(), enforce('privileged'), 'baseline'],
    ['than its version knew', version('v1.30'), version('v1.20'), 'baseline'],
    ['than the latest knew', version('latest'), version('v1.20'), 'baseline'],
  ])('is not held to less %s', (_name, before, after, level) => {
    expect(changed(before, after, level).join()).toContain('the namespace shop would hold its pods to');
  });

  test.each<[string, JsonObject, JsonObject, PodSecurityLevel]>([
    ['more than before, if not to the level', enforce('privileged'), enforce('baseline'), 'restricted'],
    ['what the level asks', enforce(), enforce('baseline'), 'baseline'],
    ['as before', enforce('privileged'), enforce('privileged'), 'restricted'],
    ['a newer version', version('v1.20'), version('v1.30'), 'baseline'],
    [
      'nothing, being none of Kubernetes’ own',
      namespace({ enforce: 'restricted' }, 'servicebus.azure.com/v1'),
      namespace({}, 'servicebus.azure.com/v1'),
      'baseline',
    ],
  ])('may be held to %s', (_name, before, after, level) => {
    expect(changed(before, after, level)).toEqual([]);
  });
});
