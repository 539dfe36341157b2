import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import { overlay, ownedBy } from '../../core/ownership.ts';
import { containersOf } from './workload.ts';

/** What Shipmate owns, with the values of an earlier template; the images in any case. */
export function earlier(live: JsonObject, template: Json | undefined): JsonObject {
  const then: JsonObject = { ...live, spec: { ...(isObject(live.spec) ? live.spec : {}), template: template ?? {} } };
  const images = containersOf(then).map((container) => ({ name: container.name ?? '', image: container.image ?? '' }));
  const manifest = overlay(ownedBy('shipmate', live, then), { spec: { template: { spec: { containers: images } } } });
  return isObject(manifest) ? manifest : then;
}
