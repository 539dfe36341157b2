import type { z } from 'zod';

type Slots<Usage extends string> = Usage extends `${string}<${infer Slot}>${infer Rest}` ? Slot | Slots<Rest> : never;

/**
 * How people write it: `<app>[:<tag>] to <env>`. A slot that the input lacks does not compile.
 * Lone words are prepositions, which may be left out or come in another order.
 */
export type UsageOf<Input extends z.ZodObject, Usage extends string> =
  Slots<Usage> extends keyof z.output<Input> ? Usage : never;
