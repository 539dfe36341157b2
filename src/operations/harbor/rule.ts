import { fault } from '../../core/errors.ts';
import { at, digestOf, type Json, type JsonObject, text } from '../../core/json.ts';
import { list, number } from '../docker/reading.ts';
import { endpointIn, endpointState } from './endpoint-names.ts';

/** A replication rule in the words in which people ask for one, whole; exactly one of `to` and `from` is there. */
export type Rule = {
  to?: string;
  from?: string;
  images: string;
  tags: string;
  into: string;
  starts: string;
  override: boolean;
  deletion: boolean;
  enabled: boolean;
};

export const plainRule = {
  images: '**',
  tags: '**',
  into: 'none',
  starts: 'manual',
  override: false,
  deletion: false,
  enabled: true,
} as const satisfies Rule;

/** The other registry of a rule: Harbor answers with both, and is the one whose number is 0 itself. */
function sideOf(rule: JsonObject): Pick<Rule, 'to' | 'from'> {
  const { src_registry: from, dest_registry: to } = rule;
  return number(at(to, 'id')) > 0 ? { to: text(at(to, 'name')) } : { from: text(at(from, 'name')) };
}
export const wayText = ({ to, from }: Pick<Rule, 'to' | 'from'>): string => `${from ?? 'here'} → ${to ?? 'here'}`;
/** The endpoint that a rule copies to, or from. */
export const endpointOf = ({ to, from }: Pick<Rule, 'to' | 'from'>, endpoints: readonly JsonObject[]): JsonObject =>
  endpointIn(endpoints, to ?? from ?? '');
export const wayOf = (rule: JsonObject): string => wayText(sideOf(rule));

const filterOf = (rule: JsonObject, type: string) => list(rule.filters).find((filter) => filter.type === type);

const triggers: Record<string, string> = { '': 'manual', manual: 'manual', event_based: 'push' };
const startsOf = ({ trigger }: JsonObject): string =>
  triggers[text(at(trigger, 'type'))] ?? (text(at(trigger, 'trigger_settings', 'cron')) || 'manual');

/** A rule of Harbor's in people's words. Harbor leaves out what is false or empty. */
export function ruleOf(found: JsonObject): Rule {
  const tags = filterOf(found, 'tag');
  return {
    ...sideOf(found),
    images: text(filterOf(found, 'name')?.value) || '**',
    tags: `${tags?.decoration === 'excludes' ? '!' : ''}${text(tags?.value) || '**'}`,
    into: text(found.dest_namespace) || 'none',
    starts: startsOf(found),
    override: found.override === true,
    deletion: (found.replicate_deletion ?? found.deletion) === true,
    enabled: found.enabled === true,
  };
}

/** What cannot be, said before anything is sent. @throws Fault BAD_INPUT */
export function checkRule({ to, from, starts, deletion }: Rule): void {
  const wrong = (problem: string) => fault('BAD_INPUT', { problem });
  if (to !== undefined && from !== undefined)
    throw wrong('A rule copies from this Harbor to an endpoint, or from one to this Harbor: say to or from, not both.');
  if (to === undefined && from === undefined) throw wrong('To which endpoint, or from which? Say to=… or from=….');
  if (starts === 'push' && from !== undefined)
    throw wrong(
      'This Harbor hears of its own pushes only: a rule that copies from elsewhere starts by hand or at a time.',
    );
  if (deletion && starts !== 'push')
    throw wrong('Deletions are passed on as they happen: deletion=yes needs starts=push.');
}

function triggerOf(starts: string): JsonObject {
  if (starts === 'manual') return { type: 'manual' };
  if (starts === 'push') return { type: 'event_based' };
  return { type: 'scheduled', trigger_settings: { cron: starts } };
}

function filtersOf({ images, tags }: Rule, found: JsonObject | undefined): Json[] {
  const others = list(found?.filters).filter(({ type }) => type !== 'name' && type !== 'tag');
  const excludes = tags.startsWith('!');
  return [
    ...(images === '**' ? [] : [{ type: 'name', value: images }]),
    ...(tags === '**'
      ? []
      : [{ type: 'tag', value: excludes ? tags.slice(1) : tags, decoration: excludes ? 'excludes' : 'matches' }]),
    ...others,
  ];
}

/** A rule whole, as Harbor takes it: what is left out it would clear, so what people cannot say stays as it was. */
export function bodyOf(name: string, rule: Rule, endpoint: JsonObject, found?: JsonObject): JsonObject {
  const other = { id: number(endpoint.id) };
  const { into, starts, override, deletion, enabled } = rule;
  return {
    name,
    description: text(found?.description),
    ...(rule.to === undefined ? { src_registry: other } : { dest_registry: other }),
    // `team/a/web` becomes `backup/a/web`: one part is replaced, as Harbor's own form has it.
    dest_namespace_replace_count: found?.dest_namespace_replace_count ?? 1,
    dest_namespace: into === 'none' ? '' : into,
    filters: filtersOf(rule, found),
    trigger: triggerOf(starts),
    // Harbor's description names the second, its handlers read the first.
    deletion,
    replicate_deletion: deletion,
    override,
    enabled,
    speed: Math.max(0, number(found?.speed)),
    copy_by_chunk: found?.copy_by_chunk ?? false,
    single_active_replication: starts !== 'push' && found?.single_active_replication === true,
  };
}

/** Whether setting something of a rule would lose a filter: of each kind one can be said. */
export const losesFilters = (found: JsonObject): boolean =>
  list(found.filters).length > filtersOf(ruleOf(found), found).length;

/** Whether people's words say all of a rule: one made of them would be the same. */
export function isSayable(found: JsonObject, endpoint: JsonObject): boolean {
  const [name, rule] = [text(found.name), ruleOf(found)];
  const [kept, made] = [bodyOf(name, rule, endpoint, found), bodyOf(name, rule, endpoint)];
  return !losesFilters(found) && digestOf(kept) === digestOf(made);
}

/** The hash of what copying by a rule depends on: all of the rule, where the other registry is, and who Harbor is there. */
export function termsOf(rule: JsonObject, endpoint: JsonObject): string {
  // Harbor repeats both registries in a rule, with a health that comes and goes.
  const { update_time: _, creation_time: __, src_registry: ___, dest_registry: ____, ...own } = rule;
  return digestOf({ ...own, ...sideOf(rule), registry: { id: number(endpoint.id), ...endpointState(endpoint) } });
}
