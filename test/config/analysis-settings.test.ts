import { expect, test } from 'vitest';
import { ConfigurationError } from '../../src/config/configuration-error.ts';
import { parseSettings } from '../../src/config/settings-file.ts';
import { analysisFor, analysisOf, usualAnalysis } from '../../src/core/analysis/template.ts';

const parse = (text: string) => parseSettings(text, { name: 'shipmate.yaml', folder: '/srv/config' }, []);

function faultsOf(text: string): readonly string[] {
  try {
    parse(text);
    return [];
  } catch (thrown) {
    if (thrown instanceof ConfigurationError) return thrown.faults;
    throw thrown;
  }
}

const withAnalysis = (metrics: string, more = '') =>
  `apps: {web: {image: r/web, analysis: strict}}\nenvironments: {production: {namespace: prod}}\nanalyses: {strict: {metrics: ${metrics}${more}}}\n`;

test('a template is read with all that it leaves out, and durations and percentages as people write them', () => {
  const { analyses } = parse(
    withAnalysis(
      '[{kind: success-rate, min: 99%}, {kind: latency, max: 800ms}]',
      ', falseRollback: 0.5%, unknownLimit: 2m',
    ),
  );
  expect(analyses.strict).toMatchObject({
    source: 'istio',
    falseRollback: 0.5,
    unknownLimit: 120_000,
    onUnknown: 'rollback',
    metrics: [
      { kind: 'success-rate', smallestDifference: 1, min: 99, failures: '5..|0' },
      { kind: 'latency', quantile: 0.95, smallestDifference: 20, max: 800 },
    ],
  });
});

test.each([
  ['[{kind: success-rate, failures: "(5"}]', 'must be a regular expression over codes'],
  ['[{kind: success-rate, smallestDifference: 0}]', 'smallestDifference'],
  ['[{kind: success-rate}, {kind: success-rate}]', 'has two metrics of one name'],
  ['[{kind: promql, name: q, query: up}]', 'needs min, max or against'],
  [
    '[{kind: web-hook, name: h, url: "http://judge.internal/x"}]',
    'over https, or at a host that stands under hookHosts',
  ],
  ['[{kind: web-hook, name: h, url: "https://me:secret@judge.example.com"}]', 'must hold no credentials'],
  ['[{kind: web-hook, name: h, url: "file:///etc/passwd"}]', 'url'],
  ['[]', 'metrics'],
])('%s is refused', (metrics, problem) => {
  const faults = faultsOf(withAnalysis(metrics));
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain(problem);
});

test('a web hook over plain http is taken where its host was named, and only that one', () => {
  const hook = (hosts: string) =>
    `${withAnalysis('[{kind: web-hook, name: h, url: "http://judge.internal:8080/x"}]')}hookHosts: ${hosts}\n`;
  expect(faultsOf(hook('["http://judge.internal:8080"]'))).toEqual([]);
  expect(faultsOf(hook('["http://judge.internal"]'))).toHaveLength(1);
});

test('a template that nothing bears is named with what was probably meant', () => {
  const text = withAnalysis('[{kind: success-rate}]').replace('analysis: strict', 'analysis: strikt');
  expect(faultsOf(text)).toEqual([
    'shipmate.yaml:1 apps.web.analysis: there is no analysis “strikt”. Did you mean “strict”?',
  ]);
  const environment = text.replace('strikt', 'default').replace('namespace: prod', 'namespace: prod, analysis: nobody');
  expect(faultsOf(environment)).toEqual([
    'shipmate.yaml:2 environments.production.analysis: there is no analysis “nobody”.',
  ]);
});

test('“none” is said where nothing judges, and is no template’s name', () => {
  const text = withAnalysis('[{kind: success-rate}]').replace('analysis: strict', 'analysis: none');
  expect(faultsOf(text)).toEqual([]);
  expect(faultsOf(text.replace('strict:', 'none:'))).toEqual([
    expect.stringContaining('analyses.none: “none” is said where nothing judges; use another name.'),
  ]);
});

test('the app’s template goes before the environment’s, and the built-in one is used where something is measured', () => {
  expect(analysisFor({ analysis: 'a' }, { analysis: 'b' }, true)).toBe('a');
  expect(analysisFor({}, { analysis: 'b' }, true)).toBe('b');
  expect(analysisFor({}, {}, true)).toBe('default');
  expect(analysisFor({}, {}, false)).toBeUndefined();
  expect(analysisOf({}, 'default')).toBe(usualAnalysis);
  expect(analysisOf({}, 'toString')).toBeUndefined();
  const own = { ...usualAnalysis, falseRollback: 2 };
  expect(analysisOf({ default: own }, 'default')).toBe(own);
});
