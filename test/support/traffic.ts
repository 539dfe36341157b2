import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';

/** One request: when it was sent (ms), what came back, from which version, and how long it took. */
export type Shot = { at: number; status: number; version: string; ms: number; error?: string };

export type Traffic = {
  shots: Shot[];
  /** Requests sent within a span of time. */
  within(from: number, to: number): Shot[];
  /** Stops and waits for what is under way; more than once is fine. */
  stop(): Promise<Shot[]>;
};

/** The share of shots that a version answered. */
export const shareOf = (shots: readonly Shot[], version: string): number =>
  shots.length === 0 ? 0 : shots.filter((shot) => shot.version === version).length / shots.length;

/**
 * Whether a version's share of the requests is another than the one wanted, beyond what chance does (four standard
 * deviations: once in 16,000 times).
 */
export function farFrom(shots: readonly Shot[], version: string, wanted: number): boolean {
  const slack = 4 * Math.sqrt((wanted * (1 - wanted)) / shots.length);
  return !(Math.abs(shareOf(shots, version) - wanted) <= slack);
}

/** Those that got no answer, or one that a proxy made up (503 and its like; the app itself only ever fails with 500). */
export const dropped = (shots: readonly Shot[]): Shot[] =>
  shots.filter(({ status }) => status === 0 || status >= 501 || status === 404);

/** A steady load: so many requests a second over kept connections, whatever becomes of each. */
export function startTraffic(url: string, options: { perSecond: number; headers?: Record<string, string> }): Traffic {
  const { perSecond, headers = {} } = options;
  const agent = new Agent({ connections: 32, pipelining: 1 });
  const shots: Shot[] = [];
  const open = new Set<Promise<void>>();
  let going = true;
  const shoot = async () => {
    const at = Date.now();
    try {
      const {
        statusCode,
        headers: answered,
        body,
      } = await request(url, {
        dispatcher: agent,
        headers,
        headersTimeout: 15_000,
      });
      await body.dump();
      shots.push({ at, status: statusCode, version: String(answered['x-version'] ?? ''), ms: Date.now() - at });
    } catch (problem) {
      shots.push({ at, status: 0, version: '', ms: Date.now() - at, error: String(problem) });
    }
  };
  const loop = (async () => {
    const began = performance.now();
    for (let sent = 0; going; ) {
      const due = Math.floor(((performance.now() - began) / 1_000) * perSecond);
      for (; sent < due; sent++) {
        const one = shoot();
        open.add(one);
        void one.then(() => open.delete(one));
      }
      await sleep(Math.max(2, 500 / perSecond));
    }
  })();
  const end = async () => {
    going = false;
    await loop;
    await Promise.all(open);
    await agent.close();
    return shots;
  };
  let ended: Promise<Shot[]> | undefined;
  return {
    shots,
    within: (from, to) => shots.filter(({ at }) => at >= from && at < to),
    stop: () => {
      ended ??= end();
      return ended;
    },
  };
}
