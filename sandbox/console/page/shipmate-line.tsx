import { useEffect, useState } from 'react';
import type { ShipmateState } from '../../kept-alive.ts';
import { useDesk } from './desk.ts';
import { lasting } from './moments.ts';

/** The time, each second. */
function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const clock = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(clock);
  }, []);
  return now;
}

const times = (count: number) => (count === 1 ? '1 time' : `${count} times`);

/** What a reader is told when it changes, and what changes all the time. */
function wordsOf(shipmate: ShipmateState, now: number): { news: string; more: string } {
  const { since, restarts } = shipmate;
  if (shipmate.kind === 'running') {
    const restarted = restarts > 0 ? `, restarted ${times(restarts)}` : '';
    return { news: 'Shipmate is running', more: `pid ${shipmate.pid} · up ${lasting(now - since)}${restarted}` };
  }
  const next = shipmate.nextTry === undefined ? '' : ` · next try in ${lasting(shipmate.nextTry - now + 999)}`;
  return { news: 'Shipmate is coming back', more: `away for ${lasting(now - since)}${next}` };
}

/** How Shipmate is, and the way to see that nothing it does is lost. */
export function ShipmateLine({ shipmate, live }: { shipmate: ShipmateState; live: boolean }) {
  const { act } = useDesk();
  const now = useNow();
  const [pressed, setPressed] = useState(false);
  const [problem, setProblem] = useState(false);
  const { news, more } = wordsOf(shipmate, now);
  const kill = async () => {
    setPressed(true);
    const done = await act({ kind: 'kill-shipmate' }).catch(() => undefined);
    setPressed(false);
    setProblem(done === undefined);
  };
  return (
    <section className={`shipmate-line ${shipmate.kind}`} aria-label="Shipmate">
      <p className="shipmate-state">
        <b role="status">{news}</b> <span>{more}</span>
      </p>
      {problem && <span role="alert">That could not be done. Is the sandbox still running?</span>}
      <span className="shipmate-hint" id="kill-hint">
        Try it in the middle of a canary: it goes on. Killed twice in one step, a run waits for /ship resume.
      </span>
      <button
        type="button"
        className="kill"
        aria-describedby="kill-hint"
        aria-busy={pressed}
        disabled={pressed || !live || shipmate.kind !== 'running'}
        onClick={() => void kill()}
      >
        Kill Shipmate (kill -9)
      </button>
    </section>
  );
}
