/** A longer wait is cut to so many seconds: few proxies let a request be silent for longer. */
export const longestWait = 60;

/** What a client would rather have (RFC 7240). */
export type Preference = {
  /** Seconds. */
  wait?: number;
  /** To be answered at once, or as soon as `wait` is over. */
  respondAsync: boolean;
};

// Where the closing quote is missing, all up to the end is quoted: so nothing is looked at twice.
const quoted = /"(?:[^"\\]|\\.)*"?/g;

/** What is quoted hides no comma; a number may be quoted. */
const unquoted = (header: string): string => header.replace(quoted, (text) => /^"(\d+)"$/.exec(text)?.[1] ?? '"…"');

/**
 * Reads the header Prefer. What is not known, or malformed, is as if it were not there, and of what is there twice the
 * first counts: so says https://www.rfc-editor.org/rfc/rfc7240#section-2.
 */
export function preferenceOf(header: unknown): Preference {
  const said = unquoted(String(header ?? '')).split(',');
  const known = new Map<string, string>();
  for (const each of said) {
    const [name = '', ...value] = (each.split(';')[0] ?? '').split('=').map((word) => word.trim());
    const key = name.toLowerCase();
    if (!known.has(key)) known.set(key, value.join('='));
  }
  const seconds = known.get('wait') ?? '';
  return {
    ...(/^\d+$/.test(seconds) && { wait: Math.min(Number(seconds), longestWait) }),
    respondAsync: known.has('respond-async'),
  };
}
