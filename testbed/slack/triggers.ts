import { randomBytes } from 'node:crypto';

const livesMs = 3_000;

/** Trigger ids live three seconds and open one view. */
export type Triggers = {
  make(user: string): string;
  use(id: string): { user: string } | 'expired_trigger_id' | 'exchanged_trigger_id' | 'invalid_trigger_id';
};

export function createTriggers(): Triggers {
  const known = new Map<string, { user: string; until: number; used: boolean }>();
  return {
    make: (user) => {
      const id = `${Date.now()}.${randomBytes(8).toString('hex')}`;
      known.set(id, { user, until: Date.now() + livesMs, used: false });
      return id;
    },
    use: (id) => {
      const trigger = known.get(id);
      if (!trigger) return 'invalid_trigger_id';
      if (trigger.used) return 'exchanged_trigger_id';
      if (Date.now() > trigger.until) return 'expired_trigger_id';
      trigger.used = true;
      return { user: trigger.user };
    },
  };
}
