/**
 * Secrets by how they look, whoever they belong to. Every pattern takes linear time whatever the text
 * (`test/core/patterns.test.ts`): it begins with a fixed text, and nothing that it passes over can be the beginning of another
 * match that passes over it again.
 */
const tokens: readonly RegExp[] = [
  /\bxox[a-z]-[A-Za-z0-9-]{8,}/g,
  /\bxapp-[A-Za-z0-9-]{8,}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{20,}/g,
  /\bgithub_pat_[A-Za-z0-9_]{20,}/g,
  /\bgl(?:pat|rt|dt|ptt)-[A-Za-z0-9_-]{16,}/g,
  /\bhvs\.[A-Za-z0-9_-]{20,}/g,
  /\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}/g,
  /\bsk-[A-Za-z0-9_-]{20,}/g,
  /\bAIza[A-Za-z0-9_-]{35}/g,
  /\bnpm_[A-Za-z0-9]{36}/g,
  /\bpypi-[A-Za-z0-9_-]{50,}/g,
  /\bSG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}/g,
  /\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}/g,
  /\bdo[por]_v1_[a-f0-9]{40,}/g,
  /\bhf_[A-Za-z0-9]{30,}/g,
];

const privateKey =
  /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[A-Za-z0-9+/=\s\\]{0,10000}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?/g;

/** A JSON Web Token: three parts with dots between, the first of which is `{"` in base64. */
const dotted = /(?<![A-Za-z0-9_.-])[A-Za-z0-9_.-]{20,}/g;

function withoutJwt(text: string, gone: string): string {
  return text.replace(dotted, (whole) => {
    const parts = whole.split('.');
    const clean: string[] = [];
    for (let at = 0; at < parts.length; at++) {
      const part = parts[at] ?? '';
      const start = part.indexOf('eyJ');
      const isOne =
        start >= 0 && part.length - start >= 11 && at + 2 < parts.length && (parts[at + 1] ?? '').length >= 8;
      clean.push(isOne ? `${part.slice(0, start)}${gone}` : part);
      if (isOne) at += 2;
    }
    return clean.join('.');
  });
}

/** What stands after a telling word: `Authorization: Bearer …`, `password=…`, `https://user:…@host`. */
const telling: readonly [RegExp, (gone: string) => string][] = [
  [/\b(Bearer|Basic) +[A-Za-z0-9._~+/=-]{6,}/g, (gone) => `$1 ${gone}`],
  [
    /((?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|signing[_-]?key|credentials?|[_-](?:pass|pwd))["']?\s{0,20}[:=]\s{0,20}["']?)[^\s"',;&)}\]]{4,}/gi,
    (gone) => `$1${gone}`,
  ],
  // From “://” on, nothing passes over a slash: so no two matches ever look at the same letters.
  [/(?<=[a-z0-9+.-]:\/\/)([^\s:@/]*:)[^\s@/]+@/gi, (gone) => `$1${gone}@`],
];

export type Pass = (text: string) => string;

/** One pass over a text for each kind of secret, each of which puts `gone` in its place. */
export const shapePasses = (gone: string): Pass[] => [
  (text) => text.replace(privateKey, gone),
  (text) => withoutJwt(text, gone),
  ...tokens.map(
    (pattern): Pass =>
      (text) =>
        text.replace(pattern, gone),
  ),
  ...telling.map(
    ([pattern, with_]): Pass =>
      (text) =>
        text.replace(pattern, with_(gone)),
  ),
];

/** How many bits a letter of this text tells: English has some 2.5 to 4, random base64 of 30 letters 4.5. */
function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const letter of text) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  return [...counts.values()].reduce((sum, n) => sum - (n / text.length) * Math.log2(n / text.length), 0);
}

const randomWord = /^[A-Za-z0-9+/_-]{20,}={0,2}$/;
const shapes = shapePasses('');

/** Whether a value looks like a secret by itself: a token of a known form, an address with a password, a random word. */
export function looksSecret(value: string): boolean {
  if (shapes.some((pass) => pass(value) !== value)) return true;
  const word = value.trim();
  if (word.length > 200 || !randomWord.test(word)) return false;
  return /[a-z]/.test(word) && /[A-Z]/.test(word) && /\d.*\d/.test(word) && entropyOf(word) >= 4;
}
