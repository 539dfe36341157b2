import type { Target } from './target.ts';
import { addresses } from './targets/addresses.ts';
import { builds } from './targets/builds.ts';
import { chat } from './targets/chat.ts';
import { kubernetes } from './targets/kubernetes.ts';
import { logs } from './targets/logs.ts';
import { manifests } from './targets/manifests.ts';
import { payloads } from './targets/payloads.ts';
import { settings } from './targets/settings.ts';
import { times } from './targets/times.ts';
import { tokens } from './targets/tokens.ts';

/** Every parser of outside bytes; a new one belongs here. */
export const targets: readonly Target[] = [
  ...manifests,
  ...builds,
  ...chat,
  ...payloads,
  ...kubernetes,
  ...times,
  ...logs,
  ...addresses,
  ...tokens,
  ...settings,
];
