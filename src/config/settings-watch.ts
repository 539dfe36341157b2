import { createHash } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../core/ports.ts';
import type { Settings } from '../core/settings.ts';
import { ConfigurationError } from './configuration-error.ts';
import { parseSettings, readSettings, settingsText } from './settings-file.ts';

const everyMs = 1_000;
/** Half of a file may be right by itself, with half of the rules: what has not been the same for so long does not count. */
const steadyMs = 200;

/** What became of a new content of the file; `hash` tells one content from another. */
export type SettingsChange =
  | { kind: 'taken'; hash: string; settings: Settings }
  | { kind: 'refused'; hash: string; problem: ConfigurationError };

export type SettingsWatch = { current(): Settings; stop(): void };

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

/**
 * Keeps the settings as the file has them, without a restart. A content that is wrong anywhere is refused as a whole, and
 * what was in force stays. The content is read again and again rather than watched: a ConfigMap changes by a link.
 */
export async function watchSettings(options: {
  path: string;
  operations: readonly string[];
  changed: (change: SettingsChange) => void;
  log: Log;
}): Promise<SettingsWatch> {
  const { path, operations, changed, log } = options;
  // Read before: a change between the two is seen as one at the next look.
  let seen = hashOf(settingsText(path));
  let settings = await readSettings(path, operations);
  let busy = false;

  const look = async () => {
    const text = settingsText(path);
    const hash = hashOf(text);
    if (hash === seen) return;
    await sleep(steadyMs);
    if (hashOf(settingsText(path)) !== hash) return;
    seen = hash;
    try {
      settings = parseSettings(text, { name: path, folder: dirname(resolve(path)) }, operations);
      log.info({ path, hash }, 'new settings are in force');
      changed({ kind: 'taken', hash, settings });
    } catch (problem) {
      if (!(problem instanceof ConfigurationError)) throw problem;
      log.error({ path, faults: problem.faults }, 'new settings are wrong; the old ones stay in force');
      changed({ kind: 'refused', hash, problem });
    }
  };
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    look()
      .catch((problem: unknown) =>
        log.warn({ path, problem }, 'the settings file cannot be read; the old ones stay in force'),
      )
      .finally(() => {
        busy = false;
      });
  }, everyMs);
  timer.unref();
  return { current: () => settings, stop: () => clearInterval(timer) };
}
