import { createContext, useContext, useState } from 'react';
import type { Outcome } from '../../wire.ts';

/** Tells the app that something was clicked, by its action_id or its words. */
export type Act = (action: string, value?: string) => Promise<Outcome>;

/** Where there is nobody to tell, as in a form that is not sent yet, nothing can be clicked. */
export const ActContext = createContext<Act | undefined>(undefined);

export type Acting = { run(action: string, value?: string): void; busy: boolean; problem: string | undefined };

function problemOf({ status, late }: Outcome): string | undefined {
  if (late) return 'The app did not answer within three seconds.';
  return status === 200 ? undefined : 'The app could not be reached.';
}

/** A click under way: at most one at a time, and what went wrong with it. */
export function useAct(): Acting {
  const act = useContext(ActContext);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const run = (action: string, value?: string) => {
    if (busy || !act) return;
    setBusy(true);
    setProblem(undefined);
    act(action, value)
      .then((outcome) => setProblem(problemOf(outcome)))
      .catch((thrown: unknown) => setProblem(thrown instanceof Error ? thrown.message : String(thrown)))
      .finally(() => setBusy(false));
  };
  return { run, busy, problem };
}
