import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether two texts are the same. Hashed first, so that neither content nor length shows in the time that it takes. */
export function sameText(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}
