import { admissionRefused, noServiceAccount, quotaExceeded, quotaFull, unnoticed } from './admission.ts';
import { namespaceGoes, podStays, workloadGoes } from './deletion.ts';
import type { Find, Finding } from './finding.ts';
import { noImage } from './images.ts';
import { paused, scaledToZero, suspended } from './intents.ts';
import { jobGaveUp } from './jobs.ts';
import { autoscalerAtMost, autoscalerBlind, undrainable } from './limits.ts';
import type { Picture } from './picture.ts';
import { evicted, gateClosed, overdue, unready } from './readiness.ts';
import { noNode } from './scheduling.ts';
import { badSettings, missingSettings } from './settings.ts';
import { badCommand, crashLoop, killedByProbe, outOfMemory } from './starts.ts';
import { noEndpoints, servicePicksNothing, servicePortMissing } from './traffic.ts';
import { noClaim, noMount, unboundClaim } from './volumes.ts';

/** Each group tells of the same thing in several ways, of which the first that fits is the one: the root comes first. */
const groups: readonly (readonly Find[])[] = [
  [namespaceGoes],
  [workloadGoes],
  [scaledToZero],
  [suspended],
  [paused],
  [unnoticed],
  [quotaExceeded, noServiceAccount, admissionRefused, quotaFull],
  [noClaim, unboundClaim, noNode],
  [noMount],
  [noImage],
  [missingSettings, badSettings],
  [jobGaveUp, badCommand, outOfMemory, killedByProbe, crashLoop],
  [unready, gateClosed],
  [servicePicksNothing, servicePortMissing, noEndpoints],
  [overdue],
  [evicted],
  [podStays],
  [undrainable],
  [autoscalerBlind, autoscalerAtMost],
];

/** Everything that is wrong, the one nearest the root first; what harms nobody yet comes last. */
export function findingsIn(picture: Picture): Finding[] {
  const found = groups.flatMap((group) => {
    for (const find of group) {
      const finding = find(picture);
      if (finding) return [finding];
    }
    return [];
  });
  return [...found.filter(({ risk }) => !risk), ...found.filter(({ risk }) => risk)];
}
