import { closest, distance } from 'fastest-levenshtein';

/** Whether two letters that stand side by side are swapped, and nothing else: `wbe` for `web`. */
function isSwapped(wrong: string, name: string): boolean {
  const at = [...name].findIndex((letter, index) => letter !== wrong[index]);
  return (
    at >= 0 &&
    name ===
      wrong.slice(0, at) +
        wrong
          .slice(at, at + 2)
          .split('')
          .reverse()
          .join('') +
        wrong.slice(at + 2)
  );
}

/** The known name that was probably meant, if one is at most a third of its letters away, or two of its letters are swapped. */
export function nearest(wrong: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const swapped = known.find((name) => isSwapped(wrong.toLowerCase(), name.toLowerCase()));
  if (swapped !== undefined && !known.includes(wrong)) return swapped;
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
