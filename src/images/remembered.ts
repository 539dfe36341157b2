/** The parts and configurations of some hundred images. */
const mostKept = 4_000;
/** A type that somebody made up may be of any length. */
const longestKey = 300;

type Verdict = 'passed' | 'unknown';

export type Remembered = {
  /**
   * Looks at what the key stands for, unless it passed before or another looks at it just now. What did not pass is looked at anew by
   * whoever asks.
   */
  once(key: string, signal: AbortSignal, look: () => Promise<Verdict>): Promise<void>;
};

/** Waits for another's look, and no longer than one's own signal lets. @returns what came of it; nothing where the look failed */
async function waited(look: Promise<Verdict>, signal: AbortSignal): Promise<Verdict | undefined> {
  const { promise: given, resolve: giveUp } = Promise.withResolvers<undefined>();
  const stop = () => giveUp(undefined);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([look.catch(() => undefined), given]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Remembers what passed a check that has the same outcome for ever; of very much only what was asked for last. */
export function createRemembered(): Remembered {
  const passed = new Set<string>();
  const looks = new Map<string, Promise<Verdict>>();

  const remember = (key: string) => {
    if (key.length > longestKey) return;
    // What was asked for last is at the end.
    passed.delete(key);
    passed.add(key);
    for (const oldest of passed) {
      if (passed.size <= mostKept) return;
      passed.delete(oldest);
    }
  };

  const lookAt = async (key: string, look: () => Promise<Verdict>): Promise<void> => {
    const own = look();
    looks.set(key, own);
    try {
      if ((await own) === 'passed') remember(key);
    } finally {
      if (looks.get(key) === own) looks.delete(key);
    }
  };

  return {
    once: async (key, signal, look) => {
      signal.throwIfAborted();
      if (passed.has(key)) return remember(key);
      const others = looks.get(key);
      // Another's look may have failed for another's reasons, and what it found besides is not known here.
      if (others && (await waited(others, signal)) === 'passed') return;
      signal.throwIfAborted();
      await lookAt(key, look);
    },
  };
}
