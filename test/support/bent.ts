/** One thing in an answer another than it is, and all else as it was. */

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

const isLeaf = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value);

/** How many texts, numbers and truth values are in it. */
export function leavesOf(value: unknown): number {
  if (isLeaf(value)) return 1;
  const inside = Array.isArray(value) ? value : isPlain(value) ? Object.values(value) : [];
  return inside.reduce((sum: number, each) => sum + leavesOf(each), 0);
}

/** Still a digest where it was one, still a name where it was one. */
function otherText(text: string): string {
  if (!/^sha256:[0-9a-f]{64}$/.test(text)) return `${text}x`;
  return text.endsWith('0') ? `${text.slice(0, -1)}1` : `${text.slice(0, -1)}0`;
}

function other(leaf: unknown): unknown {
  if (typeof leaf === 'string') return otherText(leaf);
  return typeof leaf === 'number' ? leaf + 1 : !leaf;
}

/** A copy in which the leaf of that number is another. */
export function bent(value: unknown, at: number): unknown {
  if (isLeaf(value)) return at === 0 ? other(value) : value;
  let passed = 0;
  const within = (each: unknown): unknown => {
    const here = at - passed;
    const count = leavesOf(each);
    passed += count;
    return here >= 0 && here < count ? bent(each, here) : each;
  };
  if (Array.isArray(value)) return value.map(within);
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, within(each)]));
}

/** A copy in which another text stands wherever this one does. */
export function replaced(value: unknown, text: string): unknown {
  if (value === text) return otherText(text);
  if (Array.isArray(value)) return value.map((each) => replaced(each, text));
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, replaced(each, text)]));
}
