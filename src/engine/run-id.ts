import { randomInt } from 'node:crypto';

/** Short enough to be typed on a phone; letters and digits that can't be taken for one another. */
export function newRunId(): string {
  const letters = '23456789abcdefghjkmnpqrstuvwxyz';
  return Array.from({ length: 8 }, () => letters[randomInt(letters.length)]).join('');
}
