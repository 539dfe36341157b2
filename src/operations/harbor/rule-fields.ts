import { z } from 'zod';
import { Switch } from '../../core/values.ts';
import { cronProblem } from './cron.ts';
import { EndpointName } from './endpoint-names.ts';

/** What people say of a replication rule. */

export const RuleName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[\w][\w. -]*$/, 'must be the name of a replication rule')
  .describe('A replication rule of Harbor')
  .meta({ examples: ['to-dr'] });

const Starts = z
  .string()
  .max(100)
  .superRefine((said, context) => {
    const problem = ['manual', 'push'].includes(said) ? undefined : cronProblem(said);
    if (problem !== undefined)
      context.addIssue({ code: 'custom', message: `must be manual, push or a time, and as a time it ${problem}` });
  })
  .describe('manual; push, which is whenever something is pushed here; or when, as "0 30 3 * * *" in UTC')
  .meta({ examples: ['push'] });

const pattern = (form: RegExp) => z.string().max(256).regex(form, 'must be a pattern');

/** All but its name is optional. */
export const ruleFields = {
  policy: RuleName,
  to: EndpointName.optional().describe('The endpoint that it copies to, from here'),
  from: EndpointName.optional().describe('The endpoint that it copies from, to here'),
  images: pattern(/^[\w.*?{},/[\]-]+$/)
    .optional()
    .describe('Which images, such as team/**; ** is all')
    .meta({ examples: ['team/**'] }),
  tags: pattern(/^!?[\w.*?{},/[\]-]+$/)
    .optional()
    .describe('Which tags, such as v*; !dev* is all but those')
    .meta({ examples: ['v*'] }),
  into: z
    .string()
    .max(256)
    .regex(/^[a-z0-9]+((\.|_|__|-+|\/)[a-z0-9]+)*$/, 'must be the name of a project')
    .optional()
    .describe('The project that it copies into: team/web becomes INTO/web; “none” is the image’s own')
    .meta({ examples: ['backup'] }),
  starts: Starts.optional(),
  override: Switch.optional().describe('Replaces what has the same tag there'),
  deletion: Switch.optional().describe('Deletes there what is deleted here'),
  enabled: Switch.optional().describe('“no” switches it off'),
};

export const ruleUsage =
  '<policy> [to <to>] [from <from>] [images=<images>] [tags=<tags>] [into=<into>] [starts=<starts>] [override=<override>] [deletion=<deletion>] [enabled=<enabled>]';
