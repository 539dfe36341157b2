import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { AuditRecord, verifyChain } from '../../src/core/audit.ts';
import { boundedText } from '../../src/core/bounded-text.ts';
import { linesOf } from '../../src/core/lines.ts';
import { createRedact } from '../../src/core/redact.ts';
import { atBlank, inOrder, lineReader, lineText, newest, withoutKeys } from '../../src/operations/pods/log-lines.ts';
import { json, pieces, text } from '../inputs.ts';
import { holds, type Target, target } from '../target.ts';

const raw = text([
  '2026-11-30T04:00:00.123456789Z ',
  '2026-13-99T99:99:99Z ',
  '-----BEGIN RSA PRIVATE KEY-----',
  '-----END RSA PRIVATE KEY-----',
  '\n',
  '\r\n',
  'error',
  '{"level":"info"}',
  'password=hunter22',
  'eyJ',
  '-',
  '.',
]);

async function all(parts: readonly Uint8Array[], rest: boolean): Promise<string[]> {
  const stream = (async function* () {
    yield* parts;
  })();
  const found: string[] = [];
  for await (const line of linesOf(stream, { rest })) found.push(line);
  return found;
}

export const logs: readonly Target[] = [
  target(
    'lines',
    'A stream has the lines of its text, however it is cut.',
    pieces(raw.map((said) => Buffer.from(said))),
    async ({ whole, parts }) => {
      holds(isDeepStrictEqual(await all(parts, true), await all([whole], true)), 'they are other lines');
      const stream = (async function* () {
        yield* parts;
      })();
      holds((await boundedText(stream, whole.length)) === new TextDecoder().decode(whole), 'it is another text');
    },
  ),
  target(
    'log-lines',
    'Each line has a time that never runs back, and a bounded length; of a private key nothing is left.',
    fc.array(raw, { maxLength: 10 }),
    (lines) => {
      const read = lineReader('a');
      const found = lines.flatMap((line) => read(line) ?? []);
      holds(
        found.every(({ seconds }, n) => n === 0 || seconds >= (found[n - 1]?.seconds ?? 0)),
        'time runs back',
      );
      holds(
        found.every(({ text: said }) => !said.includes('-----BEGIN RSA PRIVATE KEY-----')),
        'a key is left',
      );
      const order = inOrder(found);
      holds(
        order.length === found.length && newest(order, { lines: 5, letters: 500 }).length <= 5,
        'there are too many',
      );
      for (const line of order) holds(atBlank(lineText(line), 100).length <= 100, 'it is longer than it may be');
    },
  ),
  target(
    'private-keys',
    'Of keys that go over many lines nothing is left, whatever stands around them.',
    fc.array(fc.constantFrom('-----BEGIN RSA PRIVATE KEY-----', '-----END RSA PRIVATE KEY-----', ' ', 'x', '\n'), {
      maxLength: 12,
    }),
    (parts) => {
      const clean = withoutKeys();
      const lines = `${parts.join('')}\n-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\n-----END RSA PRIVATE KEY-----`.split(
        '\n',
      );
      holds(!lines.some((line) => clean(line)?.includes('c2VjcmV0')), 'a key is left');
      const open = `${parts.join('')}-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0`.split('\n');
      const other = withoutKeys();
      holds(!open.some((line) => other(line)?.includes('c2VjcmV0')), 'an open key is left');
    },
  ),
  target(
    'redact',
    'What is given and what looks like a secret is gone from any text.',
    fc.tuple(raw, fc.string({ minLength: 8, maxLength: 40 })),
    ([said, secret]) => {
      const clean = createRedact([secret])(`${said}${secret}${said}`);
      holds(secret === '[redacted]' || '[redacted]'.includes(secret) || !clean.includes(secret), 'it is left');
    },
  ),
  target(
    'audit-line',
    'A line of the audit is a record, or is refused by its schema; a chain of any is looked through.',
    fc.array(json(['seq', 'prev', 'hash', 'run']), { maxLength: 5 }),
    (lines) => {
      const records = lines.flatMap((line) => AuditRecord.safeParse(line).data ?? []);
      verifyChain(records);
    },
  ),
];
