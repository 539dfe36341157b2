import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { type KeptAlive, type Patience, pauseAfter, type ShipmateState } from '../../sandbox/kept-alive.ts';
import { type LittleShipmate, startLittle } from './little-shipmate.ts';

const quick: Patience = { soonMs: 10_000, firstPauseMs: 100, longestPauseMs: 250 };
const patient: Patience = { soonMs: 10_000, firstPauseMs: 60_000, longestPauseMs: 60_000 };

let little: LittleShipmate;
let kept: KeptAlive;
afterEach(async () => {
  await little.end();
});

async function begin(plan: string, patience?: Patience): Promise<void> {
  little = await startLittle(plan, patience);
  kept = await little.kept;
}

const answer = async () => Number(await (await fetch(kept.url)).text());
const restarts = () => expect.poll(() => kept.state(), { timeout: 15_000, interval: 10 });
const running = (count: number) => restarts().toMatchObject({ kind: 'running', restarts: count });
const lives = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('whoever ends is started again', () => {
  test('killed with SIGKILL: on the same port, at once, and all who listen hear of it', async () => {
    await begin('runs');
    const first = await answer();
    const heard: ShipmateState[] = [];
    kept.listen((state) => heard.push(state));
    expect(kept.state()).toMatchObject({ kind: 'running', pid: first, restarts: 0 });
    const { url } = kept;
    expect(await kept.kill('SIGKILL')).toBe(true);
    expect(kept.state()).toMatchObject({ kind: 'away', restarts: 0 });
    expect(kept.state()).not.toHaveProperty('nextTry');
    await running(1);
    const second = await answer();
    expect(second).not.toBe(first);
    expect(lives(first)).toBe(false);
    expect(kept.url).toBe(url);
    expect(heard).toMatchObject([{ kind: 'away' }, { kind: 'running', pid: second, restarts: 1 }]);
    expect(little.lines).toEqual([
      expect.stringMatching(/^Shipmate was killed \(SIGKILL\); started again after \d+\.\d s$/),
    ]);
  });

  test('killed by somebody else, and by the signal that asks politely', async () => {
    await begin('runs', quick);
    process.kill(await answer(), 'SIGTERM');
    await running(1);
    expect(little.lines).toEqual([expect.stringContaining('was killed (SIGTERM)')]);
  });

  test('ended by itself: with what it said last', async () => {
    await begin('sinks runs');
    await running(1);
    expect(little.lines).toEqual([
      expect.stringMatching(
        /^Shipmate ended \(exit code 4\); started again after .*\. It said last:\n.*a plank is loose$/s,
      ),
    ]);
  });

  test('while it is away there is nobody to kill', async () => {
    await begin('runs hangs', quick);
    await kept.kill('SIGKILL');
    expect(await kept.kill('SIGKILL')).toBe(false);
  });

  test('where somebody else still holds its port, that is waited for', async () => {
    await begin('lends runs');
    await kept.kill('SIGKILL');
    await running(1);
    expect(await little.starts()).toHaveLength(2);
    expect(little.lines).toHaveLength(1);
  });
});

describe('whoever cannot start', () => {
  test('is tried again with growing, bounded pauses, and its last words are said once', async () => {
    await begin('runs crashes crashes crashes crashes', quick);
    const states: ShipmateState[] = [];
    kept.listen((state) => states.push(state));
    await kept.kill('SIGKILL');
    const killed = Date.now();
    await running(1);
    const at = (await little.starts()).slice(1).map((start) => start.at);
    const gaps = at.map((moment, index) => moment - (at[index - 1] ?? killed));
    expect(gaps).toHaveLength(5);
    for (const [index, least] of [0, 100, 200, 250, 250].entries()) expect(gaps[index]).toBeGreaterThanOrEqual(least);
    expect(little.lines).toEqual([
      'Shipmate ended (exit code 3) while starting; next try in 0.1 s. It said last:\nlooking for the mast\nthe mast is missing',
      'Shipmate ended (exit code 3) while starting; next try in 0.2 s',
      'Shipmate ended (exit code 3) while starting; next try in 0.25 s',
      'Shipmate ended (exit code 3) while starting; next try in 0.25 s',
      expect.stringMatching(/^Shipmate was killed \(SIGKILL\); started again after \d+\.\d s$/),
    ]);
    expect(states.filter((state) => state.kind === 'away' && state.nextTry !== undefined)).toHaveLength(4);
  });

  test('is paused for even where it starts, but dies again and again', async () => {
    await begin('sinks sinks sinks runs', quick);
    const pauses: boolean[] = [];
    kept.listen((state) => state.kind === 'away' && pauses.push(state.nextTry !== undefined));
    await running(3);
    // At once the first time; then each time a pause, and a start.
    expect(pauses).toEqual([false, true, false, true, false]);
  });

  test('gets no pause where it had run for a while before it died', async () => {
    await begin('runs', { ...patient, soonMs: 50 });
    for (const count of [1, 2, 3]) {
      await sleep(60);
      await kept.kill('SIGKILL');
      await running(count);
    }
  });

  test('the first time says why, and is not tried again', async () => {
    little = await startLittle('crashes runs');
    await expect(little.kept).rejects.toThrow(
      /^Shipmate ended \(exit code 3\) while starting:\n.*the mast is missing/s,
    );
    expect(await little.starts()).toHaveLength(1);
  });

  test('usually waits 1, 2, 4, 8 and at most 10 s', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 2_000].map((deaths) => pauseAfter(deaths) / 1_000)).toEqual([
      0, 1, 2, 4, 8, 10, 10, 10,
    ]);
  });
});

describe('whoever is stopped stays stopped', () => {
  /** Nobody of it lives, and nobody new comes. */
  async function isOver(count: number): Promise<void> {
    await sleep(300);
    const starts = await little.starts();
    expect(starts).toHaveLength(count);
    expect(starts.filter(({ pid }) => lives(pid))).toEqual([]);
  }

  test('while it runs', async () => {
    await begin('runs');
    await kept.stop();
    await isOver(1);
  });

  test('while a pause before the next try is under way', async () => {
    await begin('runs crashes', patient);
    await kept.kill('SIGKILL');
    await restarts().toHaveProperty('nextTry');
    await kept.stop();
    await isOver(2);
  });

  test('while it is being started again', async () => {
    await begin('runs hangs', patient);
    await kept.kill('SIGKILL');
    await expect.poll(async () => (await little.starts()).length, { timeout: 10_000 }).toBe(2);
    await kept.stop();
    await isOver(2);
  });

  test('in the moment in which it dies', async () => {
    await begin('runs runs');
    const killed = kept.kill('SIGKILL');
    await Promise.all([killed, kept.stop()]);
    await isOver(1);
  });
});
