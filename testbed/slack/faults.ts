/** What a method does wrong, the next `times` times. */
export type SlackFault = {
  times: number;
  status?: 429 | 500 | 503;
  retryAfter?: number;
  /** An error of Slack's own, such as `invalid_blocks`. */
  error?: string;
  hangMs?: number;
  /** Does what was asked, and fails afterwards: the caller can't know. */
  afterEffect?: true;
};

export type Faults = {
  add(method: string, fault: SlackFault): void;
  take(method: string): SlackFault | undefined;
};

export function createFaults(): Faults {
  const queued = new Map<string, SlackFault[]>();
  return {
    add: (method, fault) => void queued.set(method, [...(queued.get(method) ?? []), { ...fault }]),
    take: (method) => {
      const list = queued.get(method) ?? [];
      const [first] = list;
      if (!first) return undefined;
      first.times -= 1;
      if (first.times <= 0) list.shift();
      return first;
    },
  };
}
