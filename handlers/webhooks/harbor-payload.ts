import { z } from 'zod';

const word = z.string().max(2_000);

/** Harbor's webhook in its default form. What it has besides is passed over. https://goharbor.io/docs/latest/working-with-projects/project-configuration/configure-webhooks/ */
export const HarborPayload = z.object({
  type: word,
  occur_at: z.number(),
  operator: word.optional(),
  event_data: z.object({
    resources: z
      .array(z.object({ digest: word.optional(), tag: word.optional() }))
      .max(100)
      .nullish(),
    repository: z.object({ repo_full_name: word }).nullish(),
  }),
});
export type HarborPayload = z.output<typeof HarborPayload>;

export type Heard = { about: 'push' | 'scan' | 'quota'; repository: string; references: string[] };

const about: Record<string, Heard['about']> = {
  PUSH_ARTIFACT: 'push',
  SCANNING_COMPLETED: 'scan',
  SCANNING_FAILED: 'scan',
  QUOTA_EXCEED: 'quota',
  QUOTA_WARNING: 'quota',
};

/** What there is to look into; undefined for what concerns nobody here. A tag may well be a digest. */
export function heardIn({ type, event_data: { resources, repository } }: HarborPayload): Heard | undefined {
  const subject = Object.hasOwn(about, type) ? about[type] : undefined;
  const name = repository?.repo_full_name ?? '';
  if (!subject || name === '') return undefined;
  const references = (resources ?? []).flatMap(({ tag, digest }) => tag || digest || []);
  return { about: subject, repository: name, references: [...new Set(references)].slice(0, 20) };
}
