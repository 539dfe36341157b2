import { at, isObject, type Json, type JsonObject, text } from '../json.ts';
import { isContainer, isPodSpec, objectsIn, type Visit, volumesOf } from './pod-specs.ts';

/**
 * A part of an object that may ask something of its node: a pod, a container, or `other`, which of them a kind that nobody here
 * knows makes of it.
 */
export type Part = {
  is: 'pod' | 'container' | 'other';
  place: string;
  /** As people call it. */
  who: string;
  own: JsonObject;
  /** What it says of itself together with the pod it is in; empty where that is not to be seen. */
  pod: JsonObject;
  /** Whether its pod is one as Kubernetes has it: of others nobody knows what they leave to their controller. */
  whole: boolean;
  annotations: Json | undefined;
  volumes: readonly JsonObject[];
};

function partOf(visit: Visit, loose: readonly JsonObject[]): Part {
  const { value: own, parent, place } = visit;
  const named = text(own.name);
  const it = place.replace(/^\./, '') || 'it';
  if (isPodSpec(own)) {
    const annotations = at(parent, 'metadata', 'annotations');
    return { is: 'pod', place, who: 'the pod', own, pod: own, whole: true, annotations, volumes: volumesOf(own) };
  }
  const is = isContainer(visit) ? 'container' : 'other';
  const whole = is === 'container' && parent !== undefined && isPodSpec(parent);
  const pod = whole ? parent : {};
  const who = is === 'container' ? `container ${named || it}` : it;
  return { is, place, who, own, pod, whole, annotations: undefined, volumes: whole ? volumesOf(pod) : loose };
}

/** What kinds call their security contexts besides: `podSecurityContext`, `containerSecurityContext`. */
const renamed = (part: Part): Part[] =>
  Object.entries(part.own).flatMap(([name, securityContext]) =>
    name !== 'securityContext' && /securityContext$/i.test(name) && isObject(securityContext)
      ? [
          {
            ...part,
            is: 'other',
            who: `${part.who} (${name})`,
            place: `${part.place}.${name}`,
            own: { securityContext },
          },
        ]
      : [],
  );

/** Kyverno's patterns say what pods should look like: none is made of them. */
const isPattern = (object: JsonObject, { place }: Visit) =>
  /(^|\.)kyverno\.io\//.test(text(object.apiVersion)) && /\.(pattern|anyPattern)\b/.test(place);

/** Every part of an object, whatever its kind. */
export function partsIn(object: JsonObject | undefined): Part[] {
  if (!object) return [];
  const visits = objectsIn(object).filter((visit) => !isPattern(object, visit));
  const loose = visits.flatMap(({ value }) => volumesOf(value));
  return visits.flatMap((visit) => {
    const part = partOf(visit, loose);
    return [part, ...renamed(part)];
  });
}
