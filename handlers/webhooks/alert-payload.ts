import { z } from 'zod';

const Labels = z.record(z.string(), z.string());
const Status = z.enum(['firing', 'resolved']);
const Time = z.string().refine((text) => !Number.isNaN(Date.parse(text)), 'is not a time');

/** Alertmanager's webhook, version 4. What newer versions add is passed over. https://prometheus.io/docs/alerting/latest/configuration/#webhook_config */
export const AlertPayload = z.object({
  version: z.literal('4'),
  groupKey: z.string().min(1).max(65_536),
  status: Status,
  groupLabels: Labels.default({}),
  commonLabels: Labels.default({}),
  commonAnnotations: Labels.default({}),
  externalURL: z.string().default(''),
  alerts: z
    .array(
      z.object({
        status: Status,
        labels: Labels,
        annotations: Labels.default({}),
        startsAt: Time,
        endsAt: Time,
        fingerprint: z.string().min(1),
      }),
    )
    .min(1),
});
export type AlertPayload = z.output<typeof AlertPayload>;
