import { appEntry } from '../../src/core/apps.ts';
import type { Subject } from '../../src/core/notices.ts';
import type { RunStore } from '../../src/core/ports.ts';
import type { Run } from '../../src/core/run.ts';
import type { Settings } from '../../src/core/settings.ts';
import type { Shown } from '../../src/core/shown.ts';
import type { To } from './send.ts';

/** How soon a part looks again whether its whole is told of, and how long it waits for that. */
export const wholeFirstMs = 500;
const mostWholeFirstMs = 60_000;

/** Where a run is told of. A broken glass, and a run that was set aside, is never silent: without a channel of its own it goes to Shipmate's. */
function addressOf(
  { origin, place, places = [], input, breakGlass, setAside }: Run,
  settings: Settings,
): To | undefined {
  if (origin.surface === 'slack') return { channel: origin.channel, user: origin.user };
  const own = typeof input.app === 'string' ? appEntry(settings, input.app)?.its.channel : undefined;
  // Nobody asked for what a webhook starts, so somebody must be told.
  const mustTell = origin.surface === 'webhook' || setAside !== undefined;
  const ofHook = mustTell ? (own ?? settings.channel) : undefined;
  const channel =
    place?.channel ??
    places.find((each) => each.channel !== undefined)?.channel ??
    ofHook ??
    (breakGlass ? settings.channel : undefined);
  return channel === undefined ? undefined : { channel };
}

type Deps = {
  store: Pick<RunStore, 'read'>;
  settings: () => Settings;
  shownOf?: ((subject: Subject) => Promise<Shown | undefined>) | undefined;
  now: () => number;
};

/** The whole is told of first, and its parts in its thread; where nobody is told of the whole, each part has a message of its own. */
export async function whereTo(deps: Deps, run: Run): Promise<To | 'wait' | undefined> {
  const { partOf, createdAt } = run;
  const own = addressOf(run, deps.settings());
  if (!partOf || !deps.shownOf) return own;
  const [told, whole] = await Promise.all([deps.shownOf({ kind: 'run', id: partOf.id }), deps.store.read(partOf.id)]);
  if (told) return { channel: told.channel, thread: told.thread ?? told.ts };
  const comes = whole && addressOf(whole, deps.settings()) !== undefined;
  return comes && deps.now() - createdAt < mostWholeFirstMs ? 'wait' : own;
}
