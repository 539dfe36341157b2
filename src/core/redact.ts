export type Redact = (text: string) => string;

const gone = '[redacted]';
/** A shorter value would be found in words that have nothing to do with it. */
const shortest = 8;

/** Secrets by how they look. Each pattern begins with a fixed text and has no nested repetition, so it takes linear time. */
const patterns: readonly RegExp[] = [
  /\bxox[a-z]-[A-Za-z0-9-]{8,}/g,
  /\bxapp-[A-Za-z0-9-]{8,}/g,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{20,}/g,
  /\bgithub_pat_[A-Za-z0-9_]{20,}/g,
  /\bglpat-[A-Za-z0-9_-]{16,}/g,
  /\bhvs\.[A-Za-z0-9_-]{20,}/g,
  /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[A-Za-z0-9+/=\s\\]{0,10000}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?/g,
];

/** What stands after a telling word: `Authorization: Bearer …`, `password=…`, `https://user:…@host`. */
const telling: readonly [RegExp, string][] = [
  [/\b(Bearer|Basic) +[A-Za-z0-9._~+/=-]{6,}/g, `$1 ${gone}`],
  [
    /((?:password|passwd|secret|token|api[_-]?key|access[_-]?key|credentials?)["']?\s*[:=]\s*["']?)[^\s"',;&)}\]]{4,}/gi,
    `$1${gone}`,
  ],
  [/(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/]{0,100}:)[^\s@/]{1,500}@/gi, `$1${gone}@`],
];

/** The forms in which a value may turn up: as it is, as JSON has it, in URLs, and in base64. */
function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const base64 = bytes.toString('base64').replace(/=+$/, '');
  return [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value), base64, bytes.toString('base64url')];
}

/** Takes secrets out of a text: the given values, in whatever form they turn up, and whatever looks like one. */
export function createRedact(values: readonly (string | undefined)[]): Redact {
  const known = values.flatMap((value) => (value !== undefined && value.length >= shortest ? formsOf(value) : []));
  const longestFirst = [...new Set(known)].sort((a, b) => b.length - a.length);
  return (text) => {
    let clean = text;
    for (const value of longestFirst) clean = clean.replaceAll(value, gone);
    for (const pattern of patterns) clean = clean.replace(pattern, gone);
    for (const [pattern, with_] of telling) clean = clean.replace(pattern, with_);
    return clean;
  };
}

/** The same for all texts of a value, however deep. Names of fields stay. */
export function redactDeep<Value>(redact: Redact, value: Value): Value;
export function redactDeep(redact: Redact, value: unknown): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((each) => redactDeep(redact, each));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, redactDeep(redact, each)]));
}
