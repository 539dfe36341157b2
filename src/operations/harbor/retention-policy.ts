import { at, digestOf, isObject, type JsonObject, text } from '../../core/json.ts';
import type { PlanContext } from '../../core/operation.ts';
import { list, number } from '../docker/reading.ts';
import { projectCalled } from './names.ts';

type On = PlanContext<'harbor'>['on'];

/** The project's rules, where it has any. */
export async function policyOf(on: On, project: string, signal: AbortSignal) {
  const found = await projectCalled(on, project, signal);
  const id = text(at(found, 'metadata', 'retention_id'));
  const policy = id === '' ? undefined : await on.harbor.read(['retentions', id], {}, signal);
  return { id, ref: number(found.project_id), policy: isObject(policy) ? policy : undefined };
}

/** The hash of what goes and what stays when it runs. */
export function termsOf(policy: JsonObject | undefined): string {
  return digestOf({ rules: policy?.rules ?? null, scope: policy?.scope ?? null, algorithm: policy?.algorithm ?? null });
}

export const patternOf = (rule: JsonObject): string => text(at(list(rule.tag_selectors)[0], 'pattern')) || '**';

/** `v*`, `all but dev*`; several must all fit. */
const selectorsText = (selectors: readonly JsonObject[]): string =>
  selectors
    .map(({ decoration, pattern }) => `${/exclude/i.test(text(decoration)) ? 'all but ' : ''}${text(pattern)}`)
    .join(' and ');

/** Images without any tag go unless a rule keeps them too; Harbor has that in a JSON of its own. */
const keepsUntagged = (rule: JsonObject): boolean =>
  list(rule.tag_selectors).some(({ extras }) => /"untagged"\s*:\s*true/.test(text(extras)));

/** `the 10 newest of v*`, and whatever else it says: Harbor's own templates end in K for a number and in Days for a time. */
export function ruleText(rule: JsonObject): string {
  const template = text(rule.template);
  const amount = number(at(rule.params, template));
  const what = template.endsWith('K')
    ? `the ${amount} newest`
    : template === 'always'
      ? 'all'
      : `${template} ${amount}`;
  const tags = selectorsText(list(rule.tag_selectors)) || '**';
  const where = selectorsText(list(at(rule, 'scope_selectors', 'repository'))) || '**';
  return [
    `${what} of ${tags}`,
    where === '**' ? '' : ` in ${where}`,
    keepsUntagged(rule) ? '' : ', none without a tag',
    rule.disabled === true ? ' (switched off)' : '',
  ].join('');
}
