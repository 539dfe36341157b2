import { type Pass, shapePasses } from './secret-shapes.ts';
import { inPath } from './url-part.ts';

/**
 * Takes secrets out of a text. The passes are the same one by one: over a large text others want their turn in between
 * (`redactDeep`).
 */
export type Redact = { (text: string): string; readonly passes?: readonly Pass[] };

const gone = '[redacted]';
/** A shorter value would be found in words that have nothing to do with it. */
const shortest = 8;

/** The forms in which a value may turn up: as it is, as JSON has it, in URLs, and in base64. */
function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const base64 = bytes.toString('base64').replace(/={1,2}$/, '');
  return [value, JSON.stringify(value).slice(1, -1), inPath(value), base64, bytes.toString('base64url')];
}

/** Takes secrets out of a text: the given values, in whatever form they turn up, and whatever looks like one. */
export function createRedact(values: readonly (string | undefined)[]): Redact {
  const known = values.flatMap((value) => (value !== undefined && value.length >= shortest ? formsOf(value) : []));
  const longestFirst = [...new Set(known)].sort((a, b) => b.length - a.length);
  const passes: Pass[] = [
    ...longestFirst.map(
      (value): Pass =>
        (text) =>
          text.replaceAll(value, gone),
    ),
    ...shapePasses(gone),
  ];
  return Object.assign((text: string) => passes.reduce((clean, pass) => pass(clean), text), { passes });
}

/** Nobody else gets a turn for longer than about this: a worker's leases last three seconds, a person's click less. */
const turnMs = 8;
/** A text of this length takes a fraction of a turn. */
const short = 10_000;

/**
 * The same for all texts of a value, however deep. Names of fields stay. Logs and manifests are long: between two passes, and
 * between two texts, whoever waits gets a turn.
 */
export async function redactDeep<Value>(redact: Redact, value: Value): Promise<Value>;
export async function redactDeep(redact: Redact, value: unknown): Promise<unknown> {
  let since = performance.now();
  const breath = async () => {
    if (performance.now() - since < turnMs) return;
    await new Promise((resolve) => setImmediate(resolve));
    since = performance.now();
  };
  const textOf = async (text: string) => {
    let clean = text;
    for (const pass of redact.passes ?? [redact]) {
      clean = pass(clean);
      await breath();
    }
    return clean;
  };
  const within = async (each: unknown): Promise<unknown> => {
    if (typeof each === 'string') {
      if (each.length > short) return await textOf(each);
      await breath();
      return redact(each);
    }
    if (typeof each !== 'object' || each === null) return each;
    const clean: [string, unknown][] = [];
    for (const [key, inside] of Object.entries(each))
      clean.push([key, typeof inside === 'object' || typeof inside === 'string' ? await within(inside) : inside]);
    return Array.isArray(each) ? clean.map(([, inside]) => inside) : Object.fromEntries(clean);
  };
  return await within(value);
}
