import { z } from 'zod';
import { at, type JsonObject, text } from './json.ts';
import { labelsOf } from './label-selector.ts';
import { ownLabels } from './ours.ts';
import { compareQuantities } from './quantity.ts';
import { Quantity } from './values.ts';

/** What a new workload gets besides what was asked for. */
export const newWorkloadParts = ['labels', 'requests', 'securityContext', 'spread', 'gracefulEnd', 'service'] as const;
export type NewWorkloadPart = (typeof newWorkloadParts)[number];

/** A path that a probe asks for. */
export const ProbePath = z
  .string()
  .max(500)
  .regex(/^\/[!-~]*$/, 'must be a path such as /healthz')
  .meta({ examples: ['/healthz'] });

const LabelKey = z
  .string()
  .max(317)
  .regex(
    /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/,
    'must be the name of a label',
  );
const LabelValue = z
  .string()
  .regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/, 'must be the value of a label: at most 63 letters');

/** By the first the pods are found, by the others Shipmate tells what is its own. */
const isKept = (key: string) =>
  ['app.kubernetes.io/name', 'app.kubernetes.io/managed-by'].includes(key) || key.startsWith('shipmate.dev/');

const Amounts = z.strictObject({ cpu: Quantity.optional(), memory: Quantity.optional() });

/** What a deploy adds to a workload that is not there yet, and never to one that is. */
export const NewWorkloads = z
  .strictObject({
    /** What of it is not added: labels, requests, securityContext, spread, gracefulEnd, service. */
    leaveOut: z.array(z.enum(newWorkloadParts)).default([]),
    /** Labels that the workload and its pods bear besides the standard ones. */
    labels: z
      .record(LabelKey, LabelValue)
      .refine((labels) => !Object.keys(labels).some(isKept), 'has a label that Shipmate sets itself')
      .default({}),
    /** What a container asks for, where neither the deploy nor a LimitRange of the namespace says it. */
    requests: z.strictObject({ cpu: Quantity.default('100m'), memory: Quantity.default('128Mi') }).prefault({}),
    /** The most that a container may use. Left out, nothing. */
    limits: Amounts.default({}),
    /** How long pods may take to end. */
    terminationGracePeriodSeconds: z.number().int().min(1).max(86_400).default(30),
    /** So long a pod that is to end goes on answering, until nobody sends it requests any more; 0 for not at all. */
    preStopSeconds: z.number().int().min(0).max(3_600).default(5),
    /** Paths that are asked for on the first port, where the deploy says no probe. */
    probes: z
      .strictObject({
        readiness: ProbePath.optional(),
        liveness: ProbePath.optional(),
        startup: ProbePath.optional(),
      })
      .default({}),
  })
  .refine(({ preStopSeconds: wait, terminationGracePeriodSeconds: all }) => wait < all, {
    path: ['preStopSeconds'],
    message: 'must be less than terminationGracePeriodSeconds: what is left is for the program itself',
  })
  .superRefine(({ requests, limits }, context) => {
    for (const resource of ['cpu', 'memory'] as const) {
      const [asked, most] = [requests[resource], limits[resource]];
      if (asked !== undefined && most !== undefined && compareQuantities(asked, most) > 0)
        context.addIssue({
          code: 'custom',
          path: ['limits', resource],
          message: `must not be less than what is asked for (${asked})`,
        });
    }
  });
export type NewWorkloads = z.output<typeof NewWorkloads>;

/** What all new workloads of an environment bear alike. */
export const labelsOfAll = ({ leaveOut, labels }: NewWorkloads): Record<string, string> =>
  leaveOut.includes('labels') ? {} : { ...labels, ...ownLabels };

/**
 * Whether a Service goes by nothing but what all new workloads bear, for metrics say: it is meant for all of them and no app's own,
 * if not by one of these names.
 */
export function isForAll(rules: NewWorkloads | undefined, service: JsonObject, ...own: string[]): boolean {
  const chosen = Object.entries(labelsOf(at(service, 'spec', 'selector')));
  if (!rules || chosen.length === 0 || own.includes(text(at(service, 'metadata', 'name')))) return false;
  const borne = labelsOfAll(rules);
  return chosen.every(([key, value]) => Object.hasOwn(borne, key) && borne[key] === value);
}
