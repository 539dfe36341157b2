import { expect, test } from 'vitest';
import { byWeight, countText, type Finding, newSince, sift } from '../../src/core/scan.ts';
import { Allowance, ScanRules } from '../../src/core/trust-settings.ts';

const finding = (id: string, severity: Finding['severity'], more: Partial<Finding> = {}): Finding => ({
  kind: 'vulnerability',
  severity,
  id,
  title: '',
  where: 'musl',
  fixed: '2',
  ...more,
});
const where = { app: 'web', env: 'production' };
const noon = Date.parse('2027-01-31T12:00:00Z');
const allow = (more: Partial<Allowance> = {}) =>
  Allowance.parse({ id: 'A', reason: 'not reachable', until: '2027-01-31', ...more });
const ids = (found: Finding[]) => found.map(({ id }) => id);

test('the worst comes first, and what can be mended before what cannot', () => {
  const found = [finding('C', 'low'), finding('B', 'high', { fixed: undefined }), finding('A', 'high')];
  expect(ids(byWeight(found))).toEqual(['A', 'B', 'C']);
  expect(countText(found)).toBe('2 high, 1 low');
  expect(countText([])).toBe('nothing');
});

test('the same vulnerability in another package is new; another version of the same is not', () => {
  const before = [finding('A', 'high', { installed: '1' })];
  const after = [finding('A', 'high', { installed: '2' }), finding('A', 'high', { where: 'curl' })];
  expect(newSince(after, before)).toEqual([after[1]]);
});

test('rules decide by severity; secrets have their own, and a misconfiguration only ever warns', () => {
  const rules = ScanRules.parse({ critical: 'block', high: 'warn', secrets: 'block' });
  const found = [
    finding('critical', 'critical'),
    finding('high', 'high'),
    finding('low', 'low'),
    finding('secret', 'low', { kind: 'secret' }),
    finding('advice', 'critical', { kind: 'misconfiguration' }),
  ];
  const { blocked, warned } = sift(found, rules, [], where, noon);
  expect(ids(blocked)).toEqual(['critical', 'secret']);
  expect(ids(warned)).toEqual(['advice', 'high']);
});

test('what nothing mends yet warns only, where the rules say so', () => {
  const found = [finding('A', 'critical', { fixed: undefined })];
  const blocks = (rules: object) =>
    ids(sift(found, ScanRules.parse({ critical: 'block', ...rules }), [], where, noon).blocked);
  expect(blocks({})).toEqual(['A']);
  expect(blocks({ unfixed: false })).toEqual([]);
});

test('an allowance holds to the end of its last day, for its apps and environments; afterwards it is named', () => {
  const rules = ScanRules.parse({ critical: 'block' });
  const blocked = (allowance: Allowance, now = noon) =>
    ids(sift([finding('A', 'critical')], rules, [allowance], where, now).blocked);
  expect(blocked(allow())).toEqual([]);
  expect(blocked(allow(), Date.parse('2027-01-31T23:59:59Z'))).toEqual([]);
  expect(blocked(allow(), Date.parse('2027-02-01T00:00:00Z'))).toEqual(['A']);
  expect(blocked(allow({ apps: ['api'] }))).toEqual(['A']);
  expect(blocked(allow({ apps: ['we*'], environments: ['prod*'] }))).toEqual([]);
  expect(blocked(allow({ apps: ['web-*'] }))).toEqual(['A']);
  expect(blocked(allow({ environments: ['preview-*'] }))).toEqual(['A']);
  expect(blocked(allow({ environments: ['staging'] }))).toEqual(['A']);
  expect(blocked(allow({ id: 'B' }))).toEqual(['A']);
  const later = sift([finding('A', 'critical')], rules, [allow()], where, noon + 86_400_000);
  expect(later.lapsed).toEqual([allow()]);
});

test.each([
  [{ reason: ' ' }, /reason/],
  [{ until: 'soon' }, /day such as/],
  [{ until: '2027-02-30' }, /day such as/],
])('an allowance %j is not taken', (more, message) => {
  expect(() => allow(more)).toThrow(message);
});
