import { type Actor, samePerson } from '../core/actor.ts';
import { mayAsk } from '../core/reading.ts';
import type { Run } from '../core/run.ts';
import type { Engine } from './engine.ts';

/** Whoever asked for a run may stop it, and so may everybody who may ask for the same. */
export function mayStop(
  { settings, catalogue }: Pick<Engine, 'settings' | 'catalogue'>,
  run: Run,
  actor: Actor,
): boolean {
  const terms = { settings: settings(), catalogue };
  return samePerson(terms.settings, run.actor, actor) || mayAsk(terms, run, actor);
}
