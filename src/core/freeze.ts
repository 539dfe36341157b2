import { z } from 'zod';
export const Freeze = z.strictObject({ name: z.string() });
export type Freeze = z.output<typeof Freeze>;
export function frozen(
  _freezes: readonly Freeze[],
  _question: { at: number; env: string; app: string; operation: string },
  _holds: (roles: string[]) => boolean,
): { freeze: Freeze; until: number | undefined } | undefined {
  return undefined;
}
