import { at, isObject, type JsonObject, text } from '../../core/json.ts';
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

export const patternOf = (rule: JsonObject): string => text(at(list(rule.tag_selectors)[0], 'pattern')) || '**';

/** `the 10 newest of v*`: Harbor's own templates end in K for a number and in Days for a time. */
export function ruleText(rule: JsonObject): string {
  const template = text(rule.template);
  const amount = number(at(rule.params, template));
  const what = template.endsWith('K')
    ? `the ${amount} newest`
    : template === 'always'
      ? 'all'
      : `${template} ${amount}`;
  return `${what} of ${patternOf(rule)}${rule.disabled === true ? ' (switched off)' : ''}`;
}
