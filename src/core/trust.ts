/** The casts of this program, each with the reason why it holds. */

/** A step's stored result: written by this program as the same step's result, and read back unchanged. */
export function replayed<Result>(stored: unknown): Result {
  return stored as Result;
}

/** The same value with other texts in it: its fields, and what they may hold, are those that it had. */
export function sameShape<Value>(value: unknown): Value {
  return value as Value;
}
