import { z } from 'zod';
import { actorId, personOf } from '../../core/actor.ts';
import { holdsNow, scopeText } from '../../core/lock.ts';
import { momentText, spanText } from '../../core/moments.ts';
import { defineOperation, type RunContext } from '../../core/operation.ts';
import type { Line } from '../../core/ports.ts';
import { mayRead } from '../../core/reading.ts';

type Reads = RunContext<'order' | 'locks' | 'runs', 'read'>;

async function rowsOf(run: Reads, { place, holder, waiting, paceMs }: Line): Promise<string[][]> {
  const ids = [...(holder === undefined ? [] : [holder]), ...waiting];
  return await Promise.all(
    ids.map(async (id, index) => {
      const other = await run.on.runs.read(id);
      const shown = other && mayRead(run, other, run.actor);
      const who = shown ? (personOf(run.settings, other.actor) ?? actorId(other.actor)) : '';
      const wait = paceMs === undefined ? '' : `, about ${spanText(paceMs * index)}`;
      const state = id === holder ? 'under way' : `waits, ${index} before it${wait}`;
      return [scopeText(place), shown ? `${other.operation} ${id}` : 'a run that you may not see', who, state];
    }),
  );
}

export const queue = defineOperation({
  name: 'queue',
  summary: 'Show what is under way, what waits for its turn, and what is locked',
  effect: 'read',
  input: z.strictObject({}),
  usage: '',
  examples: [''],
  needs: ['order', 'locks', 'runs'],
  steps: ['read'],
  target: () => ({}),
  plan: async () => ({ summary: 'runs and locks', changes: [], takesOver: [] }),
  run: async (run) => {
    const rows = await run.step('read', async () => {
      const [lines, locks] = await Promise.all([run.on.order.lines(), run.on.locks.all()]);
      const now = run.now();
      const locked = locks
        .filter((lock) => holdsNow(lock, now))
        .map(({ scope, owner, reason, until }) => [
          scopeText(scope),
          `locked: ${reason}`,
          personOf(run.settings, owner) ?? actorId(owner),
          momentText(until),
        ]);
      return [...(await Promise.all(lines.map((line) => rowsOf(run, line)))).flat(), ...locked];
    });
    return {
      kind: 'table',
      title: 'Under way and waiting',
      columns: ['where', 'what', 'who', 'state'],
      rows,
      ...(rows.length === 0 && { note: 'Nothing is under way, nothing waits, nothing is locked.' }),
    };
  },
});
