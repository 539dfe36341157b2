import { setTimeout as sleep } from 'node:timers/promises';
import type { WebClient } from '@slack/web-api';
import type { Log, RunStore } from '../../src/core/ports.ts';
import { code, harmless, header, preformatted, section } from './blocks/elements.ts';

type Deps = { client: WebClient; store: Pick<RunStore, 'first'>; channel: () => string | undefined; log: Log };

/** How a new content of shipmate.yaml fared; `faults` where it was refused. */
type Change = { hash: string; faults?: readonly string[] };

const onceMs = 3_600_000;
/** The other processes look once a second, and a moment longer: when it is said to be in force, it is so in them too. */
const allHaveItMs = 2_000;

/** Tells Shipmate's own channel, once over all processes, that new settings were refused, or that they count again. */
export function createSettingsNotice({ client, store, channel, log }: Deps): (change: Change) => Promise<void> {
  let refused = false;
  return async ({ hash, faults }) => {
    const news = faults !== undefined || refused;
    refused = faults !== undefined;
    const to = channel();
    if (to === undefined || !news) return;
    try {
      if (!(await store.first(`settings:${hash}`, onceMs))) return;
      if (!faults) await sleep(allHaveItMs);
      const text = faults
        ? `shipmate.yaml was changed, and is wrong. What was in force stays in force.`
        : 'shipmate.yaml is right again: it is in force as it is now.';
      const blocks = [
        header(faults ? 'New settings refused' : 'New settings in force'),
        section(harmless(text)),
        ...(faults ? [preformatted(faults.join('\n'))] : []),
        section(`To check a file before: ${code('npx shipmate check shipmate.yaml')}`),
      ];
      await client.chat.postMessage({ channel: to, text, blocks });
    } catch (problem) {
      log.warn({ problem }, 'the channel was not told about the settings');
    }
  };
}
