import type { JsonObject } from '../../src/core/json.ts';
import { longestWait } from './prefer.ts';

/** How the description of the REST surface speaks of waiting for a run's end. */

const ref = (kind: string, name: string) => ({ $ref: `#/components/${kind}/${name}` });

export const prefer = {
  name: 'Prefer',
  in: 'header',
  description: `\`wait=SECONDS\`, at most ${longestWait}, waits for the run’s end; \`respond-async\` does not wait (RFC 7240).`,
  schema: { type: 'string', example: 'wait=30' },
};

/** For whoever reads the description from its beginning. */
export const aboutWaiting =
  'With `Prefer: wait=SECONDS` a request is answered when its run is over: 200 where it ended as it was wanted; 403, 422, 423 or 429, ' +
  'with the run under data, where it did not; 202 where it is not over in time, or has come to wait for a person. ' +
  'The address in Location, asked with the same header, goes on waiting. What runs end as is never said by 5xx: then nothing was taken on.';

const RetryAfter = {
  description: 'In how many seconds the run may have got further. Missing where it is over.',
  schema: { type: 'integer', minimum: 1 },
};
const PreferenceApplied = { description: 'Which of the preferences were heard.', schema: { type: 'string' } };
const Location = { description: 'The run’s own address.', schema: { type: 'string', format: 'uri' } };

export const waitingHeaders = { RetryAfter, PreferenceApplied, Location };

const headers = {
  'Retry-After': ref('headers', 'RetryAfter'),
  'Preference-Applied': ref('headers', 'PreferenceApplied'),
};

/** An answer that shows a run, and says when to ask for it again. */
export const withRun = (description: string, more: JsonObject = {}): JsonObject => ({
  description,
  headers: { ...headers, ...more },
  content: { 'application/json': { schema: ref('schemas', 'RunAnswer') } },
});

/** An answer that the run is on its way. */
export const onItsWay = (description: string): JsonObject =>
  withRun(description, { Location: ref('headers', 'Location') });

/** The schemas of answers, over those of a run and of an error: an error has the run too, where there is one. */
export function answerSchemas(run: JsonObject, error: JsonObject): JsonObject {
  const runs = {
    data: ref('schemas', 'Run'),
    each: {
      type: 'array',
      items: ref('schemas', 'Run'),
      description: 'All runs, where it was asked for several environments at once',
    },
  };
  return {
    Run: run,
    RunAnswer: { type: 'object', properties: runs, required: ['data'] },
    Error: { type: 'object', properties: { error, ...runs }, required: ['error'] },
  };
}
