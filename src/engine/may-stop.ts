import { type Actor, samePerson } from '../core/actor.ts';
import { judge } from '../core/policy.ts';
import type { Run } from '../core/run.ts';
import type { Engine } from './engine.ts';

/** Whoever asked for a run may stop it, and so may everybody who may ask for the same. */
export function mayStop(
  { settings, catalogue }: Pick<Engine, 'settings' | 'catalogue'>,
  run: Run,
  actor: Actor,
): boolean {
  const terms = settings();
  if (samePerson(terms, run.actor, actor)) return true;
  const { effect = 'change', place, site, places = [], input } = run;
  const operation = catalogue.get(run.operation)?.judgedAs ?? run.operation;
  const app = place?.app ?? (typeof input.app === 'string' ? input.app : undefined);
  const where = places.length > 0 ? places : [{ app, env: (place ?? site)?.env }];
  return where.every(
    (each) => judge(terms, { actor, operation, effect, app: each.app, env: each.env }).kind !== 'deny',
  );
}
