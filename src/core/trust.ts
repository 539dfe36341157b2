/** The casts of this program, each with the reason why it holds. */

/** A step's stored result: written by this program as the same step's result, and read back unchanged. */
export function replayed<Result>(stored: unknown): Result {
  return stored as Result;
}
