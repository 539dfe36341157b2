import { at, type JsonObject, text } from '../../../core/json.ts';
import { list } from '../../../core/observed.ts';
import type { Match } from '../../../core/rollout.ts';
import { percentOf, type Routes, type Share, type Sides } from './share.ts';

const escaped = (value: string) => value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** https://gateway-api.sigs.k8s.io/reference/spec/#httpheadermatch */
function headerOf({ header, cookie, value }: Match): JsonObject {
  if (header !== undefined) return { type: 'Exact', name: header, value };
  return {
    type: 'RegularExpression',
    name: 'cookie',
    value: `^(.*;\\s*)?${escaped(cookie ?? '')}=${escaped(value)}(;.*)?$`,
  };
}

/** The rules of an HTTPRoute that lead to a Service, with the canary beside it. Weights are relative; ours sum to 100. */
export function gatewayRules({ service, canary, baseline }: Sides): Routes {
  const leadsTo = (name: string) => (backend: JsonObject) =>
    backend.name === name && (backend.kind ?? 'Service') === 'Service';
  const [isStable, isCanary] = [leadsTo(service), leadsTo(canary)];
  const isBaseline = baseline === undefined ? () => false : leadsTo(baseline);
  const isBeside = (backend: JsonObject) => isCanary(backend) || isBaseline(backend);
  const isOwn = (rule: JsonObject) => {
    const backends = list(rule.backendRefs);
    return backends.length > 0 && backends.every(isCanary);
  };
  const isMirror = (filter: JsonObject) => at(filter, 'requestMirror', 'backendRef', 'name') === canary;

  const one = (rule: JsonObject, { weight, match, mirror, baseline: fresh }: Share): JsonObject[] => {
    const backends = list(rule.backendRefs);
    const stable = backends.find(isStable);
    if (isOwn(rule)) return [];
    if (!stable) return [rule];
    const { weight: _, ...unweighted } = stable;
    const second: JsonObject = { ...unweighted, name: canary };
    const third = fresh && baseline !== undefined ? { ...unweighted, name: baseline } : undefined;
    const both =
      weight > 0
        ? [
            { ...stable, weight: 100 - weight - (third ? weight : 0) },
            { ...second, weight },
            ...(third ? [{ ...third, weight }] : []),
          ]
        : [backends.some(isBeside) ? { ...stable, weight: 1 } : stable];
    const { filters: before, ...bare } = rule;
    const theirs = list(before).filter((filter) => !isMirror(filter));
    const { port } = second;
    const copy: JsonObject = {
      type: 'RequestMirror',
      requestMirror: { backendRef: { name: canary, ...(port !== undefined && { port }) }, percent: mirror ?? 0 },
    };
    const filters = mirror ? [...theirs, copy] : theirs;
    const matches = list(rule.matches);
    const { name: __, ...nameless } = bare;
    const own = match && {
      ...nameless,
      ...(theirs.length > 0 && { filters: theirs }),
      matches: (matches.length > 0 ? matches : [{}]).map((each: JsonObject) => ({
        ...each,
        headers: [...list(each.headers), headerOf(match)],
      })),
      backendRefs: [second],
    };
    return [...(own ? [own] : []), { ...bare, ...(filters.length > 0 && { filters }), backendRefs: both }];
  };

  return {
    shared: (object, share) => ({ rules: list(at(object, 'spec', 'rules')).flatMap((rule) => one(rule, share)) }),
    given: (object) => {
      const all = list(at(object, 'spec', 'rules'));
      const theirs = all.filter((rule) => !isOwn(rule));
      const shareOf = (counts: (backend: JsonObject) => boolean) =>
        theirs.flatMap(({ backendRefs }) => percentOf(list(backendRefs), 1, counts));
      const copies = theirs.flatMap(({ filters }) => list(filters).filter(isMirror));
      return {
        canary: shareOf(isCanary),
        baseline: shareOf(isBaseline),
        mirror: copies.map((filter) => Number(at(filter, 'requestMirror', 'percent') ?? 100)),
        match: all.some(isOwn),
      };
    },
    problem: (object) => {
      const rules = list(at(object, 'spec', 'rules')).filter((rule) => list(rule.backendRefs).some(isStable));
      const split = rules.find((rule) => list(rule.backendRefs).filter((each) => !isBeside(each)).length > 1);
      return (
        split &&
        `a rule of it divides its traffic between ${list(split.backendRefs)
          .map(({ name }) => text(name))
          .join(' and ')} already`
      );
    },
  };
}
