import type { Clients, Clock } from './ports.ts';
import type { Settings } from './settings.ts';

/** What keeping a file needs. */
export type KeepContext = { on: Pick<Clients, 'registry'>; settings: Settings; now: Clock; signal: AbortSignal };

/** A file that may be the body of a request instead of JSON; the fields then stand in the query. */
export type Upload<Request> = {
  /** Media types that it is known by. */
  types: readonly string[];
  /** The field that it stands for, and what that is until the file is kept. */
  field: string;
  until: string;
  /** Keeps it where workers find it, and answers with the field's value. @throws Fault TOO_LARGE, … */
  keep(context: KeepContext, request: Request, content: AsyncIterable<Uint8Array>): Promise<string>;
};
