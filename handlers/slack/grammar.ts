import { fault } from '../../src/core/errors.ts';
import { didYouMean } from '../../src/core/near.ts';
import type { Operation } from '../../src/core/operation.ts';

/** Slots that stand together (`<app>:<tag>`), with the preposition before them; `<values>…` takes all words that come. */
type Group = { slots: string[]; preposition?: string; many: boolean };

const prepositions = new Set(['to', 'in', 'on', 'at', 'from', 'as']);

/** `<https://host>`, `<http://host/team/web|host/team/web>`: what Slack makes of addresses and names of hosts. */
const link = /<([a-z][a-z0-9+.-]*:[^|<>]*)(?:\|([^<>]*))?>/gi;

/** What phones and editors make of quotes and dashes, undone; and Slack's links, and its escapes of `& < >`. */
function normalise(text: string): string {
  return (
    text
      .replace(/[\u201c\u201d\u201e\u00ab\u00bb]/g, '"')
      .replace(/[\u2018\u2019\u201a]/g, "'")
      .replace(/(^|\s)[\u2013\u2014](?=\w)/g, '$1--')
      .replace(/\u00a0/g, ' ')
      // What was typed is what is seen. A person's own “<” comes as “&lt;”, so it is never taken for Slack's.
      .replace(link, (_, address: string, shown?: string) => shown ?? address)
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&amp;', '&')
  );
}

/** Words, where quotes hold words together: `a "b c" d=\'e f\'`. @throws Fault BAD_COMMAND on an open quote */
export function words(text: string): string[] {
  const found: string[] = [];
  const pattern = /(?:[^\s"']+|"[^"]*"|'[^']*')+/g;
  const clean = normalise(text);
  for (const [word] of clean.matchAll(pattern)) found.push(word.replace(/"([^"]*)"|'([^']*)'/g, '$1$2'));
  const rest = clean.replace(pattern, '').trim();
  if (rest !== '')
    throw fault('BAD_COMMAND', { problem: `A quote is not closed: ${rest}`, usage: 'Close it and ask again.' });
  return found;
}

/** The positional groups of a usage line; `[…]` only tells people what may be left out, the schema decides. */
function groupsOf(usage: string): Group[] {
  const groups: Group[] = [];
  let preposition: string | undefined;
  for (const word of usage.replace(/[[\]]/g, '').split(/\s+/)) {
    const slots = [...word.matchAll(/<(\w+)>/g)].map(([, slot]) => slot ?? '');
    const many = word.endsWith('…');
    if (/^[\w-]+=/.test(word)) continue;
    if (slots.length === 0) preposition = word;
    else {
      groups.push({ slots, many, ...(preposition !== undefined && { preposition }) });
      preposition = undefined;
    }
  }
  return groups;
}

const numeric = /^[-+]?\d+(\.\d+)?$/;

/** A word as the type its field has. What does not fit stays a word, and the schema says what is wrong with it. */
function typed(word: Word, type: string | undefined): unknown {
  if (typeof word !== 'string') return word;
  if ((type === 'integer' || type === 'number') && numeric.test(word)) return Number(word);
  if (type === 'boolean' && /^(yes|true|on)$/i.test(word)) return true;
  if (type === 'boolean' && /^(no|false|off)$/i.test(word)) return false;
  if (type === 'array') return word.split(',').map((part) => (numeric.test(part) ? Number(part) : part));
  return word;
}

function complain(operation: Operation, problem: string): never {
  throw fault('BAD_COMMAND', { problem, usage: `Usage: ${usageOf(operation)}` });
}

/** `config-set` as people say it: `config set`. */
export const spoken = (name: string): string => name.replaceAll('-', ' ');

/** How people write the operation: its own command where it has one, else `/ship NAME`. */
export function usageOf({ command, name, usage }: Pick<Operation, 'command' | 'name' | 'usage'>): string {
  return `${command ?? `/ship ${spoken(name)}`} ${usage}`.trim();
}

/** People write `per-try` where the field is `perTry`. */
function fieldCalled({ fields }: Operation, word: string): string {
  const joined = word.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  return !fields.has(word) && fields.has(joined) ? joined : word;
}

/** One word, or the words of a slot that takes many. */
type Word = string | string[];
type Filled = Map<string, Word>;

/**
 * `key=value`, `--key=value` and `--key value`; answers with the words that are left. Where some slot takes `many` words,
 * those of the form `KEY=VALUE` that are no field are its business.
 */
function takeNamed(operation: Operation, all: readonly string[], many: boolean, filled: Filled): string[] {
  const left: string[] = [];
  for (let i = 0; i < all.length; i++) {
    const word = all[i] ?? '';
    const named = /^(--)?(?<key>[a-zA-Z][\w-]*)(?:=(?<value>[\s\S]*))?$/.exec(word);
    const key = fieldCalled(operation, named?.groups?.key ?? '');
    const isFlag = word.startsWith('--');
    if (!named || (!isFlag && named.groups?.value === undefined)) {
      left.push(word);
      continue;
    }
    const field = operation.fields.get(key);
    if (!field && !isFlag && many) {
      left.push(word);
      continue;
    }
    if (!field)
      complain(operation, `“${operation.name}” has no “${key}”.${didYouMean(key, [...operation.fields.keys()])}`);
    if (field.type === 'object') complain(operation, `“${key}” cannot be given in a command; use the REST API for it.`);
    filled.set(key, named.groups?.value ?? all[++i] ?? '');
  }
  return left;
}

/** Behind a lone `--` (which phones make a dash of) nothing is read as a name or a preposition. */
function cutAtDashes(all: readonly string[]): { before: string[]; after: string[] } {
  const at = all.findIndex((word) => /^(--|[\u2013\u2014])$/.test(word));
  return at < 0 ? { before: [...all], after: [] } : { before: all.slice(0, at), after: all.slice(at + 1) };
}

function fillGroup(group: Group, word: string, filled: Filled): void {
  const [first, second] = group.slots;
  const sofar = first === undefined ? undefined : filled.get(first);
  if (group.many && first !== undefined) return void filled.set(first, [...(Array.isArray(sofar) ? sofar : []), word]);
  const colon = second === undefined ? -1 : word.indexOf(':');
  if (first !== undefined) filled.set(first, colon < 0 ? word : word.slice(0, colon));
  if (second !== undefined && colon >= 0) filled.set(second, word.slice(colon + 1));
}

/**
 * Reads the words after the operation's name into its input, by its usage line. Prepositions may be left out or come in
 * another order; any field may be given as `name=value`.
 * @throws Fault BAD_COMMAND; the values themselves are the schema's business
 */
export function readInput(operation: Operation, text: string): Record<string, unknown> {
  const filled: Filled = new Map();
  const groups = groupsOf(operation.usage);
  const collects = groups.find(({ many }) => many);
  const { before, after } = cutAtDashes(words(text));
  if (after.length > 0 && !collects) complain(operation, `“${operation.name}” takes nothing after “--”.`);
  const left = takeNamed(operation, before, collects !== undefined, filled);
  const joining = new Set([...prepositions, ...groups.flatMap(({ preposition }) => preposition ?? [])]);
  const open = groups.filter(({ slots }) => !slots.every((slot) => filled.has(slot)));
  const take = (preposition?: string) => {
    const index = preposition === undefined ? 0 : open.findIndex((group) => group.preposition === preposition);
    const found = open[Math.max(index, 0)];
    return found?.many ? found : open.splice(Math.max(index, 0), 1)[0];
  };
  for (let i = 0; i < left.length; i++) {
    const isPreposition = joining.has(left[i] ?? '') && i + 1 < left.length;
    const word = isPreposition ? (left[++i] ?? '') : (left[i] ?? '');
    const group = take(isPreposition ? left[i - 1] : undefined);
    if (!group) complain(operation, `I don’t know what to do with “${word}”.`);
    fillGroup(group, word, filled);
  }
  if (collects) for (const word of after) fillGroup(collects, word, filled);
  const required = groupsOf(operation.usage).flatMap(({ slots }) => slots);
  const missing = required.filter((slot) => !filled.has(slot) && operation.fields.get(slot)?.required);
  if (missing.length > 0)
    complain(operation, `“${operation.name}” also needs ${missing.map((slot) => `<${slot}>`).join(' and ')}.`);
  return Object.fromEntries([...filled].map(([key, word]) => [key, typed(word, operation.fields.get(key)?.type)]));
}

const glass = 'break-glass';

/**
 * Reads a whole line: the operation's input, and the reason where somebody breaks the glass
 * (`--break-glass "the shop is down"`), which every operation takes. @throws Fault BAD_COMMAND
 */
export function readLine(operation: Operation, text: string): { input: Record<string, unknown>; breakGlass?: string } {
  const found = new RegExp(`(?:^|\\s)(?:--|[\u2013\u2014])${glass}[=\\s]+(?:"([^"]*)"|'([^']*)'|(\\S+))`).exec(
    normalise(text),
  );
  if (!found) return { input: readInput(operation, text) };
  const [whole, ...reasons] = found;
  const input = readInput(operation, normalise(text).replace(whole, ' '));
  return { input, breakGlass: reasons.find((reason) => reason !== undefined) ?? '' };
}
