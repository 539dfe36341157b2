import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AuditEntry, type AuditRecord, beforeFirst, chain, verifyChain } from '../../src/core/audit.ts';

const entry = (n: number): AuditEntry => ({
  at: 1_700_000_000_000 + n,
  kind: 'state',
  text: `happening ${n}`,
  actor: { kind: 'slack', team: 'T1', user: 'UANA' },
  surface: 'slack',
  operation: 'deploy',
});
const records = chain(
  beforeFirst,
  Array.from({ length: 20 }, (_, n) => entry(n)),
);
const head = { seq: 20, hash: records.at(-1)?.hash ?? '' };
const index = fc.integer({ min: 0, max: 19 });

test('a whole chain is whole, also in portions and from its middle', () => {
  expect(verifyChain(records, head)).toEqual({ count: 20, head, faults: [] });
  expect(
    chain(
      { seq: 10, hash: records[9]?.hash ?? '' },
      records.slice(10).map((_, n) => entry(10 + n)),
    ),
  ).toEqual(records.slice(10));
  expect(verifyChain(records.slice(5), head).faults).toEqual([]);
});

test('any edited record is found', () => {
  const change = fc.constantFrom<Partial<AuditRecord>>(
    { text: 'nothing' },
    { at: 1 },
    { operation: 'status' },
    { run: 'other' },
    { actor: { kind: 'slack', team: 'T1', user: 'UBEN' } },
  );
  fc.assert(
    fc.property(index, change, (at, edit) => {
      const edited = records.map((record, n) => (n === at ? { ...record, ...edit } : record));
      expect(verifyChain(edited, head).faults.map(({ seq }) => seq)).toContain(at + 1);
    }),
  );
});

test('an edited record that was hashed anew is found by the next one, or by the head', () => {
  fc.assert(
    fc.property(index, (at) => {
      const before = at === 0 ? beforeFirst : { seq: at, hash: records[at - 1]?.hash ?? '' };
      const [forged] = chain(before, [{ ...entry(at), text: 'nothing' }]);
      const edited = records.map((record, n) => (n === at && forged ? forged : record));
      expect(verifyChain(edited, head).faults).not.toEqual([]);
    }),
  );
});

test('any removed, doubled or reordered record is found; a cut end by the head', () => {
  fc.assert(
    fc.property(index, index, (a, b) => {
      expect(
        verifyChain(
          records.filter((_, n) => n !== a),
          head,
        ).faults.length > 0,
      ).toBe(a !== 0);
      expect(
        verifyChain(
          records.flatMap((record, n) => (n === a ? [record, record] : [record])),
          head,
        ).faults,
      ).not.toEqual([]);
      const swapped = records.map((record, n) => (n === a ? records[b] : n === b ? records[a] : undefined) ?? record);
      if (a !== b) expect(verifyChain(swapped, head).faults).not.toEqual([]);
    }),
  );
  expect(verifyChain(records.slice(0, 15)).faults).toEqual([]);
  expect(verifyChain(records.slice(0, 15), head).faults).toMatchObject([{ seq: 15 }]);
  expect(verifyChain(records.slice(1)).faults).toEqual([]);
  const beginning = records.map((record, n) => (n === 0 ? { ...record, prev: 'f'.repeat(64) } : record));
  expect(verifyChain(beginning).faults.length).toBeGreaterThan(0);
});
