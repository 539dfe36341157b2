import { z } from 'zod';
import { sameShape } from './trust.ts';

/** Names with a wildcard: `shop-*` is every name that begins with `shop-`. `*` stands for one letter or more, and comes once. */

/** Whether it is meant for several names. */
export const isPattern = (name: string): boolean => name.includes('*');

/** What the names of a pattern begin and end with. */
function endsOf(pattern: string): [before: string, behind: string] {
  const at = pattern.indexOf('*');
  return [pattern.slice(0, at), pattern.slice(at + 1)];
}

/** Whether a name is the one that was written, or one of those that a pattern is for. */
export function fitsName(pattern: string, name: string): boolean {
  if (pattern === name || pattern === '*') return true;
  // What goes by KIND/NAME is nobody's app: a pattern for names of apps says nothing of it.
  if (!isPattern(pattern) || name.includes('/')) return false;
  const [before, behind] = endsOf(pattern);
  return name.length > before.length + behind.length && name.startsWith(before) && name.endsWith(behind);
}

/** Whether a list of names and patterns is for a name; for what has none (a build has no environment) only `*` is. */
export function covers(list: readonly string[], name: string | undefined): boolean {
  return list.includes('*') || (name !== undefined && list.some((pattern) => fitsName(pattern, name)));
}

/**
 * Whether what guards the names of a list (a lock, a freeze) guards this one: what goes by KIND/NAME by its bare name too, since what
 * keeps people off gives nobody a right.
 */
export const guards = (list: readonly string[], name: string | undefined): boolean =>
  covers(list, name) || covers(list, name?.split('/').at(-1));

/** Whether there is a name that fits both. */
export function overlap(one: string, other: string): boolean {
  if (!isPattern(one)) return fitsName(other, one);
  if (!isPattern(other)) return fitsName(one, other);
  const [[a, z], [b, y]] = [endsOf(one), endsOf(other)];
  return (a.startsWith(b) || b.startsWith(a)) && (z.endsWith(y) || y.endsWith(z));
}

/** What a name goes by: itself, or else the pattern with the most letters, of which there may be several. */
export type Nearest = { kind: 'one'; key: string } | { kind: 'alike'; keys: string[] } | { kind: 'none' };

/**
 * Finds which of the names and patterns that settings are kept by a name goes by.
 * @example of `*`, `shop-*` and `shop-cart` the last counts for shop-cart, and the second for shop-search
 */
export function nearestTo(all: Readonly<Record<string, unknown>>, name: string): Nearest {
  if (Object.hasOwn(all, name)) return { kind: 'one', key: name };
  if (!isLabel(name)) return { kind: 'none' };
  const fitting = Object.keys(all).filter((key) => isPattern(key) && fitsName(key, name));
  const most = Math.max(...fitting.map(({ length }) => length));
  const [key, ...others] = fitting.filter(({ length }) => length === most);
  if (key === undefined) return { kind: 'none' };
  return others.length === 0 ? { kind: 'one', key } : { kind: 'alike', keys: [key, ...others] };
}

/** What stands for the name in the fields of a pattern's settings: `registry.example.com/team/{app}`. */
export type Blank = '{app}' | '{env}';

/** Settings with the name in all texts where its blank was. */
export function filledIn<Value>(value: Value, blank: Blank, name: string): Value {
  const fill = (each: unknown): unknown => {
    if (typeof each === 'string') return each.replaceAll(blank, name);
    if (Array.isArray(each)) return each.map(fill);
    if (typeof each !== 'object' || each === null) return each;
    return Object.fromEntries(Object.entries(each).map(([key, inner]) => [key, fill(inner)]));
  };
  return sameShape(fill(value));
}

const isLabel = (name: string): boolean => Label.safeParse(name).success;

/**
 * The name that makes a text of a template, if one does: `cart` makes `team/cart` of `team/{app}`. A template without a blank, which
 * is the same for all names, is nobody's own.
 */
export function nameBehind(template: string, blank: Blank, text: string): string | undefined {
  const blanks = template.split(blank).length - 1;
  const letters = (text.length - (template.length - blanks * blank.length)) / blanks;
  if (blanks === 0 || !Number.isInteger(letters) || letters < 1) return undefined;
  const at = template.indexOf(blank);
  const name = text.slice(at, at + letters);
  return isLabel(name) && template.replaceAll(blank, name) === text ? name : undefined;
}

/** A DNS label (RFC 1123), as Kubernetes wants names. */
export const Label = z
  .string()
  .max(63, 'is longer than 63 characters')
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be lower-case letters, digits and “-”');

/** The name of an app or environment, or `*` in it for all names that are alike: `shop-*`, `*`. */
export const NameOrPattern = z
  .string()
  .max(63, 'is longer than 63 characters')
  .regex(/^[a-z0-9*]([-a-z0-9*]*[a-z0-9*])?$/, 'must be lower-case letters, digits and “-”')
  .refine((name) => name.split('*').length <= 2, 'has more than one “*”');

/** What stands in braces in a text, and is not the blank that may. */
const strayIn = (text: string, blank: Blank): string | undefined =>
  text.match(/\{[^{}]*\}/g)?.find((each) => each !== blank);

/** A text that may have a blank for the name of an app or environment, and no other. */
export const withoutStray = (blank: Blank) =>
  z.string().refine((text) => strayIn(text, blank) === undefined, {
    abort: true,
    error: ({ input }) => `has ${strayIn(String(input), blank)} in it: what stands for the name here is ${blank}`,
  });

/** A text that may have a blank for the name of an app or environment; filled in, it must be as `form` says. */
export const withBlank = (form: z.ZodType<string, string>, blank: Blank) =>
  withoutStray(blank).superRefine((text, context) => {
    for (const { message } of form.safeParse(text.replaceAll(blank, 'x')).error?.issues ?? [])
      context.addIssue({ code: 'custom', message });
  });
