import { closest, distance } from 'fastest-levenshtein';

/** The known name that was probably meant, if one is at most a third of its letters away. */
export function nearest(wrong: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const best = closest(wrong.toLowerCase(), [...known]);
  return distance(wrong.toLowerCase(), best.toLowerCase()) <= Math.max(1, Math.floor(best.length / 3))
    ? best
    : undefined;
}

/** ` Did you mean “web”?`, with its leading space, or nothing. */
export function didYouMean(wrong: string, known: readonly string[]): string {
  const best = nearest(wrong, known);
  return best ? ` Did you mean “${best}”?` : '';
}
