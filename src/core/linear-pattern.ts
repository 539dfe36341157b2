import { RE2JS } from 're2js';

/**
 * A regular expression that somebody else wrote (the settings, a file of a build, Prometheus' users), or that is made of what they
 * wrote: RE2 takes linear time whatever they write, where JavaScript's own may take longer than the universe.
 * @throws Error where it is none
 */
export function linearPattern(source: string, { dotAll = false } = {}): { fits(text: string): boolean } {
  const pattern = RE2JS.compile(RE2JS.translateRegExp(source), dotAll ? RE2JS.DOTALL : 0);
  return { fits: (text) => pattern.testExact(text) };
}
