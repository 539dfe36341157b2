import { type FaultEntry, faultCatalogue } from './fault-catalogue.ts';

export type FaultCode = keyof typeof faultCatalogue;
export const faultCodes = Object.keys(faultCatalogue) as FaultCode[]; // Object.keys widens; the record is const

/** What the catalogue has of a code, for its page of documentation. */
export const faultEntry = (code: FaultCode): FaultEntry => faultCatalogue[code];

type Slots<Text extends string> = Text extends `${string}{${infer Slot}}${infer Rest}` ? Slot | Slots<Rest> : never;
type FaultData<Code extends FaultCode> = Record<
  Slots<(typeof faultCatalogue)[Code]['say']> | Slots<(typeof faultCatalogue)[Code]['hint']>,
  string
>;

/** A fault of the catalogue. `message` and `hint` are fit for a person; `retry` tells the engine whether it may pass. */
export class Fault extends Error {
  readonly code: FaultCode;
  readonly hint: string;
  readonly status: number;
  readonly retry: 'never' | 'later';
  constructor(code: FaultCode, message: string, hint: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'Fault';
    this.code = code;
    this.hint = hint;
    this.status = faultCatalogue[code].status;
    this.retry = faultCatalogue[code].retry;
  }
}

/** Makes the fault `code`; a slot of its text that `data` lacks does not compile. */
export function fault<Code extends FaultCode>(code: Code, data: FaultData<Code>, cause?: unknown): Fault {
  const slots: Record<string, string> = data;
  const fill = (text: string) => text.replace(/\{(\w+)\}/g, (_, slot: string) => slots[slot] ?? '');
  const { say, hint } = faultCatalogue[code];
  return new Fault(code, fill(say), fill(hint), cause === undefined ? {} : { cause });
}

/** Any thrown thing as a fault: itself, or INTERNAL with nothing but its message. */
export function toFault(thrown: unknown, run = 'unknown'): Fault {
  if (thrown instanceof Fault) return thrown;
  const problem = thrown instanceof Error ? thrown.message : String(thrown);
  return fault('INTERNAL', { problem: problem.slice(0, 300), run }, thrown);
}
