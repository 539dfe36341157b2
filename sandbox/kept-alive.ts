import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { howEnded, type ShipmateProcess } from '../testbed/shipmate.ts';

/** How Shipmate is; moments are milliseconds since 1970. */
export type ShipmateState =
  | { kind: 'running'; pid: number; since: number; restarts: number }
  /** `nextTry`: it died again soon after its start, and is left in peace until then. */
  | { kind: 'away'; since: number; restarts: number; nextTry?: number };

export type KeptAlive = {
  url: string;
  state(): ShipmateState;
  listen(heard: (state: ShipmateState) => void): () => void;
  /** Answers when it is gone, with whether there was anybody to kill. Whatever ends it so, it is started again. */
  kill(signal: NodeJS.Signals): Promise<boolean>;
  /** Ends it for good. */
  stop(): Promise<void>;
};

export type Patience = {
  /** Who dies within this time of its start has died soon. */
  soonMs: number;
  firstPauseMs: number;
  longestPauseMs: number;
};

type Options = {
  /** Starts it anew, each time on the same port. When the signal comes, nothing that it started is to stay. */
  start: (signal: AbortSignal) => Promise<ShipmateProcess>;
  log: (line: string) => void;
  patience?: Patience;
};

const usual: Patience = { soonMs: 10_000, firstPauseMs: 1_000, longestPauseMs: 10_000 };
const lastLines = 8;

/** None the first time, then growing: 1 s, 2 s, 4 s, 8 s, and 10 s for ever. */
export const pauseAfter = (soonDeaths: number, { firstPauseMs, longestPauseMs }: Patience = usual): number =>
  soonDeaths === 0 ? 0 : Math.min(firstPauseMs * 2 ** (soonDeaths - 1), longestPauseMs);

const lastWords = (said: string) => said.trimEnd().split('\n').slice(-lastLines).join('\n');

/** What is known of it, and who wants to hear of every change. */
function createBoard(first: ShipmateProcess) {
  const bus = new EventEmitter().setMaxListeners(1_000);
  let state: ShipmateState = { kind: 'running', pid: first.pid, since: Date.now(), restarts: 0 };
  const show = (next: ShipmateState) => {
    state = next;
    bus.emit('state', next);
  };
  return {
    state: () => state,
    away: (since: number, pauseMs: number) =>
      show({
        kind: 'away',
        since,
        restarts: state.restarts,
        ...(pauseMs > 0 && { nextTry: Date.now() + pauseMs }),
      }),
    back: (pid: number) => show({ kind: 'running', pid, since: Date.now(), restarts: state.restarts + 1 }),
    listen: (heard: (state: ShipmateState) => void) => {
      bus.on('state', heard);
      return () => void bus.off('state', heard);
    },
  };
}

type Board = ReturnType<typeof createBoard>;

/** Tries until it runs again, with growing pauses; nobody where the sandbox ends meanwhile. */
async function startAgain(
  { start, log, patience }: Options,
  board: Board,
  soonDeaths: number,
  signal: AbortSignal,
): Promise<{ fresh: ShipmateProcess; soonDeaths: number } | undefined> {
  const since = Date.now();
  for (let deaths = soonDeaths; ; deaths++) {
    const pauseMs = pauseAfter(deaths, patience);
    board.away(since, pauseMs);
    try {
      await sleep(pauseMs, undefined, { signal });
      if (pauseMs > 0) board.away(since, 0);
      return { fresh: await start(signal), soonDeaths: deaths };
    } catch (problem) {
      if (signal.aborted) return undefined;
      const [what = '', ...said] = String(problem instanceof Error ? problem.message : problem).split('\n');
      const next = `${what.replace(/:$/, '')}; next try in ${pauseAfter(deaths + 1, patience) / 1_000} s`;
      // What it says is the same each time.
      log(deaths === soonDeaths && said.length > 0 ? `${next}. It said last:\n${lastWords(said.join('\n'))}` : next);
    }
  }
}

/**
 * Starts Shipmate, and starts it again whenever it ends without being asked to, however it ends: at once, and with growing
 * pauses where it dies again soon after its start.
 * @throws Error where it can't be started the first time: that will be the settings, and trying again is no help
 */
export async function keepAlive(options: Options): Promise<KeptAlive> {
  const { start, log, patience = usual } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  let current = await start(signal);
  const board = createBoard(current);
  const { url } = current;
  const watch = async () => {
    // The first time it is started again at once, however soon it died.
    for (let soonDeaths = -1; ; ) {
      const ending = await current.ended;
      if (signal.aborted) return;
      const died = Date.now();
      const soon = died - board.state().since < patience.soonMs;
      const again = await startAgain(options, board, soon ? soonDeaths + 1 : 0, signal);
      if (!again) return;
      // A signal says it all; who ended by itself may have said why.
      const why = ending.signal === null ? `. It said last:\n${lastWords(current.log())}` : '';
      current = again.fresh;
      if (signal.aborted) return current.kill('SIGTERM');
      soonDeaths = again.soonDeaths;
      board.back(current.pid);
      log(`Shipmate ${howEnded(ending)}; started again after ${((Date.now() - died) / 1_000).toFixed(1)} s${why}`);
    }
  };
  const watching = watch();
  return {
    url,
    state: board.state,
    listen: board.listen,
    kill: async (by) => {
      if (board.state().kind !== 'running') return false;
      await current.kill(by);
      return true;
    },
    stop: async () => {
      stopping.abort();
      await current.kill('SIGTERM');
      await watching;
    },
  };
}
