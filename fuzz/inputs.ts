import fc from 'fast-check';

/** What an attacker, a broken program or an unlucky person sends. */

const nasty = [
  '',
  ' ',
  '\n',
  '\r\n',
  '\0',
  '\ufeff',
  '\u202e',
  '\ud800',
  '-',
  '--',
  '"',
  "'",
  '`',
  '\\',
  '/',
  '..',
  '%',
  '%zz',
  '$(x)',
  '<!channel>',
  '&amp;',
  '999999999999999999999',
  '-1',
  '1e999',
  'NaN',
  '__proto__',
  'constructor',
  'toString',
];

/** A text that is mostly made of `fragments`, in any order, and sometimes of one of them again and again. */
export function text(fragments: readonly string[], most = 4_000): fc.Arbitrary<string> {
  const part = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...fragments) },
    { weight: 2, arbitrary: fc.constantFrom(...nasty) },
    { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
  );
  const mixed = fc.array(part, { maxLength: 40 }).map((parts) => parts.join(''));
  const again = fc
    .tuple(part, part, part, fc.nat({ max: most }))
    .map(([before, repeated, after, times]) => before + repeated.repeat(Math.min(times, most)).slice(0, most) + after);
  return fc.oneof({ weight: 6, arbitrary: mixed }, { weight: 3, arbitrary: again }).map((all) => all.slice(0, most));
}

/** Stands for something that is nested so many times: as itself it could neither be printed nor made smaller. */
const deeply = '\0deep';

function nested(depth: number, asList: boolean): unknown {
  let value: unknown = 1;
  for (let n = 0; n < depth; n++) value = asList ? [value] : { a: value };
  return value;
}

/** An input with what is deep in it put in its place. */
export function whole<Input>(value: Input): Input;
export function whole(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => whole(each));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const { [deeply]: depth, list }: Record<string, unknown> = { ...value };
  if (typeof depth === 'number') return nested(Math.min(depth, 9_999), list === true);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, whole(each)]));
}

/** An input as a text of JSON, with what is deep in it put in its place. */
export const written = (value: unknown): string =>
  (JSON.stringify(value) ?? 'null').replace(/\{"\\u0000deep":(\d{1,4}),"list":(true|false)\}/g, (_, levels, list) => {
    const [opens, closes] = list === 'true' ? ['[', ']'] : ['{"a":', '}'];
    return `${opens.repeat(Number(levels))}1${closes.repeat(Number(levels))}`;
  });

/** Any JSON, as JSON.parse has it: with keys that mean something to JavaScript, and deeper than anybody writes. */
export function json(words: readonly string[] = []): fc.Arbitrary<unknown> {
  const word = fc.oneof(fc.constantFrom(...nasty, ...words), fc.string({ maxLength: 8 }));
  const leaf = fc.oneof(word, fc.integer(), fc.double(), fc.boolean(), fc.constant(null));
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.array(tie('tree'), { maxLength: 5 }),
      fc.array(fc.tuple(word, tie('tree')), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
    ),
  }));
  const deep = fc.record({ [deeply]: fc.nat({ max: 9_999 }), list: fc.boolean() });
  return fc.oneof({ weight: 30, arbitrary: tree }, { weight: 1, arbitrary: deep }).map(asJson);
}

/** Without what JSON has not, such as NaN. */
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value) ?? 'null');

type Place = { holder: object; key: string };

/** Where something stands in a value; what is deep in it stands where somebody put it. */
function placesOf(value: unknown, depth = 0): Place[] {
  if (typeof value !== 'object' || value === null || depth > 8) return [];
  return Object.entries(value).flatMap(([key, each]) => [{ holder: value, key }, ...placesOf(each, depth + 1)]);
}

/** One of the examples with something else in some places: what comes near to the real thing gets further in. */
export function mutated(examples: readonly unknown[], words: readonly string[] = []): fc.Arbitrary<unknown> {
  const change = fc.tuple(fc.nat(), fc.oneof(json(words), fc.constant(undefined)), fc.boolean());
  return fc.tuple(fc.constantFrom(...examples), fc.array(change, { maxLength: 4 })).map(([example, changes]) => {
    const copy: unknown = structuredClone(example);
    for (const [at, value, twice] of changes) {
      const places = placesOf(copy);
      const place = places[at % Math.max(1, places.length)];
      if (!place) continue;
      // A value that stands in two places, or in itself, is none of JSON.
      const own: unknown = structuredClone(value);
      if (twice && Array.isArray(place.holder)) place.holder.push(own);
      else Object.assign(place.holder, { [place.key]: own });
    }
    return asJson(copy);
  });
}

/** Bytes, cut into pieces anywhere. */
export const pieces = (whole: fc.Arbitrary<Buffer>): fc.Arbitrary<{ whole: Buffer; parts: Buffer[] }> =>
  fc.tuple(whole, fc.array(fc.nat({ max: 4_096 }), { maxLength: 12 })).map(([bytes, cuts]) => {
    const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
    const starts = [0, ...ends];
    return { whole: bytes, parts: starts.map((start, n) => bytes.subarray(start, ends[n] ?? bytes.length)) };
  });
