const day = 24 * 60 * 60_000;

export const dateOf = (ts: string): Date => new Date(Number(ts) * 1_000);

const format = (options: Intl.DateTimeFormatOptions) => (date: Date) =>
  new Intl.DateTimeFormat(undefined, options).format(date);

export const clock = format({ hour: 'numeric', minute: '2-digit' });
export const shortClock = (date: Date) => clock(date).replace(/\s?[AP]M$/i, '');
const shortDate = format({ month: 'short', day: 'numeric', year: 'numeric' });
const longDate = format({ weekday: 'long', month: 'long', day: 'numeric', year: 'numeric' });
const plainDate = format({ month: 'long', day: 'numeric', year: 'numeric' });
export const fullMoment = (date: Date) => `${longDate(date)} at ${format({ timeStyle: 'medium' })(date)}`;

const startOfDay = (date: Date) => new Date(date).setHours(0, 0, 0, 0);

function pretty(date: Date, otherwise: (date: Date) => string): string {
  const days = Math.round((startOfDay(date) - startOfDay(new Date())) / day);
  return { '0': 'today', '-1': 'yesterday', '1': 'tomorrow' }[String(days)] ?? otherwise(date);
}

function ago(date: Date): string {
  const seconds = Math.round((date.getTime() - Date.now()) / 1_000);
  const units = [
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
  ] as const;
  const words = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
  const [unit, size] = units.find(([, least]) => Math.abs(seconds) >= least) ?? (['second', 1] as const);
  return words.format(Math.round(seconds / size), unit);
}

/** https://docs.slack.dev/messaging/formatting-message-text#date-formatting */
const tokens: Record<string, (date: Date) => string> = {
  date_num: (date) => date.toISOString().slice(0, 10),
  date: plainDate,
  date_slash: format({ dateStyle: 'short' }),
  date_short: shortDate,
  date_long: longDate,
  date_pretty: (date) => pretty(date, plainDate),
  date_short_pretty: (date) => pretty(date, shortDate),
  date_long_pretty: (date) => pretty(date, longDate),
  time: clock,
  time_secs: format({ hour: 'numeric', minute: '2-digit', second: '2-digit' }),
  ago,
};

/** Slack's `<!date^seconds^format>` in the reader's own time zone. */
export const formatted = (seconds: number, layout: string): string =>
  layout.replace(/\{(\w+)\}/g, (whole, name) => tokens[name]?.(new Date(seconds * 1_000)) ?? whole);

/** For the line between days. */
export const dayName = (date: Date): string => {
  const name = pretty(date, format({ weekday: 'long', month: 'long', day: 'numeric' }));
  return name.charAt(0).toUpperCase() + name.slice(1);
};

/** How long something has lasted or will last, in words: `12 s`, `2 min`, `1 h 5 min`. */
export function lasting(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${seconds} s`;
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
