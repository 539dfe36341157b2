import { at, inWords, isObject, type Json } from './json.ts';

export type Labels = Readonly<Record<string, string>>;

/** The labels of an object's metadata, or any map of strings. */
export function labelsOf(value: Json | undefined): Labels {
  const entries = isObject(value) ? Object.entries(value) : [];
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function fits(expression: Json, labels: Labels): boolean {
  const key = inWords(at(expression, 'key'));
  const values = at(expression, 'values');
  const named = Array.isArray(values) && Object.hasOwn(labels, key) && values.includes(labels[key] ?? '');
  switch (at(expression, 'operator')) {
    case 'In':
      return named;
    case 'NotIn':
      return !named;
    case 'Exists':
      return Object.hasOwn(labels, key);
    case 'DoesNotExist':
      return !Object.hasOwn(labels, key);
    default:
      return false;
  }
}

/** Whether labels fit a LabelSelector. The empty selector fits all; what is not a selector fits none. */
export function selects(selector: Json | undefined, labels: Labels): boolean {
  if (!isObject(selector)) return false;
  const wanted = Object.entries(labelsOf(selector.matchLabels));
  const expressions = Array.isArray(selector.matchExpressions) ? selector.matchExpressions : [];
  return (
    wanted.every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value) &&
    expressions.every((expression) => fits(expression, labels))
  );
}

/** A selector as kubectl writes it: `app=web,tier in (a,b),!old`; `all` for the empty one. */
export function selectorText(selector: Json | undefined): string {
  const pairs = Object.entries(labelsOf(at(selector, 'matchLabels'))).map(([key, value]) => `${key}=${value}`);
  const expressions = at(selector, 'matchExpressions');
  const others = (Array.isArray(expressions) ? expressions : []).map((expression) => {
    const [key, values] = [inWords(at(expression, 'key')), at(expression, 'values')];
    const list = `(${Array.isArray(values) ? values.map(inWords).join(', ') : ''})`;
    switch (at(expression, 'operator')) {
      case 'In':
        return `${key} in ${list}`;
      case 'NotIn':
        return `${key} notin ${list}`;
      case 'Exists':
        return key;
      default:
        return `!${key}`;
    }
  });
  return [...pairs, ...others].join(',') || 'all';
}
