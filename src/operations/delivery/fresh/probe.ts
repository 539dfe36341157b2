import { fault } from '../../../core/errors.ts';
import { at, type JsonObject } from '../../../core/json.ts';
import type { Place } from '../../../core/place.ts';
import { containersOf } from '../workload.ts';

/**
 * The probe that was asked for, of a workload that is there: what it has is left as it is, so it must be that very one already.
 * @returns what whoever approves should know
 * @throws Fault BAD_INPUT for another
 */
export function probeThere(place: Place, live: JsonObject, container: string, probe: string | undefined): string[] {
  if (probe === undefined) return [];
  const its = containersOf(live).find(({ name }) => name === container);
  const path = at(its, 'readinessProbe', 'httpGet', 'path');
  if (path === probe) return [`${place.app} has the probe ${probe} already: what probes it has is left as it is.`];
  const has = typeof path === 'string' ? `asks for ${path}` : 'has none that asks for a path';
  throw fault('BAD_INPUT', {
    problem: `probe is for a new workload, and ${place.app} runs in ${place.env} already and ${has}: what probes it has is left as it is. Leave probe out.`,
  });
}
