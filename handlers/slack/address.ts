import type { Run } from '../../src/core/run.ts';
import type { Settings } from '../../src/core/settings.ts';
import type { To } from './send.ts';

/** Where a run is told of. A broken glass is never silent: without a channel of its own it goes to Shipmate's. */
export function addressOf({ origin, place, input, breakGlass }: Run, settings: Settings): To | undefined {
  if (origin.surface === 'slack') return { channel: origin.channel, user: origin.user };
  const own = typeof input.app === 'string' ? settings.apps[input.app]?.channel : undefined;
  // Nobody asked for what a webhook starts, so somebody must be told.
  const ofHook = origin.surface === 'webhook' ? (own ?? settings.channel) : undefined;
  const channel = place?.channel ?? ofHook ?? (breakGlass ? settings.channel : undefined);
  return channel === undefined ? undefined : { channel };
}
