import { z } from 'zod';

/** What people write for a time, an amount or a share. Each schema reads its own output again, since input is checked at every door. */

const unitMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const words: Record<string, string> = { second: 's', sec: 's', minute: 'm', min: 'm', hour: 'h', day: 'd', week: 'w' };
const part = /(?<!\d)(\d+(?:\.\d+)?)\s*([a-z]+)/g;
const whole = /^(\s*\d+(\.\d+)?\s*[a-z]+)+\s*$/;
const longestMs = 365 * 86_400_000;

/** Milliseconds of `90s`, `2h30m`, `1.5h` or `45 minutes`; undefined where it is not a duration. */
export function durationMs(text: string): number | undefined {
  const lower = text.toLowerCase();
  if (!whole.test(lower)) return undefined;
  const parts = [...lower.matchAll(part)].map(([, amount = '', unit = '']) => {
    const short = Object.hasOwn(unitMs, unit) ? unit : (words[unit.replace(/s$/, '')] ?? '');
    return Number(amount) * (unitMs[short] ?? Number.NaN);
  });
  const sum = Math.round(parts.reduce((total, ms) => total + ms, 0));
  return Number.isFinite(sum) ? sum : undefined;
}

/** A duration; its value is milliseconds. */
export const Duration = z.preprocess(
  (value) => (typeof value === 'number' ? `${value}ms` : value),
  z
    .string()
    .transform((text, context) => {
      const ms = durationMs(text);
      if (ms !== undefined && ms > 0 && ms <= longestMs) return ms;
      context.addIssue({ code: 'custom', message: 'must be a duration such as 15m or 2h30m, at most a year' });
      return z.NEVER;
    })
    .meta({ examples: ['90m'] }),
);

/** A Kubernetes quantity. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
export const Quantity = z
  .string()
  .regex(/^\d+(\.\d+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$/, 'must be a Kubernetes quantity such as 100m or 128Mi')
  .meta({ examples: ['128Mi'] });

/** A share from 0 to 100, also written `25%`. */
export const Percentage = z.preprocess(
  (value) => (typeof value === 'string' && /^\d+(\.\d+)?\s*%$/.test(value) ? Number(value.replace('%', '')) : value),
  z
    .number('must be a percentage such as 25%')
    .min(0, 'must be at least 0 %')
    .max(100, 'must be at most 100 %')
    .meta({ examples: [25] }),
);

/** A yes or no, as forms and people write it. */
export const Switch = z.preprocess(
  (value) => {
    if (typeof value !== 'string') return value;
    return /^(yes|true|on)$/i.test(value) ? true : /^(no|false|off)$/i.test(value) ? false : value;
  },
  z.boolean('must be yes or no').meta({ examples: [true] }),
);
