/** Each request that is held looks at the store once a second, and keeps a socket. */
const mostHeld = 200;

export type Holds = {
  /** Takes a place for a request, of `each` that one person may have. @returns what gives it back; nothing where there is none */
  take(person: string, each: number): (() => void) | undefined;
};

/** Places for requests that wait in this process. */
export function createHolds(most = mostHeld): Holds {
  const taken = new Map<string, number>();
  let all = 0;
  const count = (person: string, by: 1 | -1) => {
    all += by;
    const own = (taken.get(person) ?? 0) + by;
    if (own > 0) taken.set(person, own);
    else taken.delete(person);
  };
  return {
    take: (person, each) => {
      if (all >= most || (taken.get(person) ?? 0) >= each) return undefined;
      count(person, 1);
      return () => count(person, -1);
    },
  };
}
