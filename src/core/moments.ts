/** A moment in words for where Slack's own dates can't be used: `until 2026-11-24 15:00 UTC`; open-ended without one. */
export function momentText(ms: number | undefined): string {
  return ms === undefined
    ? 'until it is lifted'
    : `until ${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** A span in words, coarsely: `40 s`, `7 min`, `2 h`, `3 d`. */
export function spanText(ms: number): string {
  if (ms < 90_000) return `${Math.max(1, Math.round(ms / 1_000))} s`;
  if (ms < 5_400_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} d`;
}
