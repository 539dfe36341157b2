/** Arguments as they arrive: forms bear JSON in strings, JSON bodies bear it as it is. */
export type Args = Record<string, unknown>;
export type Refusal = { ok: false; error: string; response_metadata?: { messages: string[] } };
export type Answer = { ok: true; [field: string]: unknown } | Refusal;

export function asJson(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

export const words = (args: Args, name: string): string => (typeof args[name] === 'string' ? args[name] : '');

export const no = (error: string, messages?: string[]): Refusal => ({
  ok: false,
  error,
  ...(messages && { response_metadata: { messages } }),
});
