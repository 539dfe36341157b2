import { at, type JsonObject } from './json.ts';
import { list } from './observed.ts';

/** The endpoints of a Service, by all the EndpointSlices of its namespace. */
export const endpointsOf = (slices: readonly JsonObject[], service: string): JsonObject[] =>
  slices
    .filter((slice) => at(slice, 'metadata', 'labels', 'kubernetes.io/service-name') === service)
    .flatMap(({ endpoints }) => list(endpoints));

/** Whether an endpoint takes requests. Where nothing is said of it, it does (so the API has it). */
export const isReady = (endpoint: JsonObject): boolean => at(endpoint, 'conditions', 'ready') !== false;
