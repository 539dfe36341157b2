import type { Change } from '../../core/plan.ts';
import { type Rule, wayText } from './rule.ts';

/** What people are shown of a rule, line by line. */
const linesOf = (rule: Rule) => ({
  way: wayText(rule),
  images: rule.images,
  tags: rule.tags,
  into: rule.into,
  starts: rule.starts,
  override: rule.override,
  deletion: rule.deletion,
  enabled: rule.enabled,
});

/** The lines in which a rule differs from what it was, or all where it was not. */
export function ruleChanges(name: string, after: Rule, before?: Rule): Change[] {
  const was = before && new Map(Object.entries(linesOf(before)));
  return Object.entries(linesOf(after)).flatMap(([line, to]) => {
    const from = was?.get(line);
    return from === to ? [] : [{ path: `replication/${name} ${line}`, ...(from !== undefined && { from }), to }];
  });
}

/** What whoever approves a rule ought to know. */
export const ruleWarnings = ({ override, deletion, to }: Rule): string[] => [
  ...(override ? [`What has the same tag ${to === undefined ? 'here' : `at ${to}`} is replaced.`] : []),
  ...(deletion ? [`What is deleted here is deleted ${to === undefined ? 'here' : `at ${to}`} too.`] : []),
];
