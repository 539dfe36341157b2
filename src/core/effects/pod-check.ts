import { at, isObject, type Json, type JsonObject, text } from '../json.ts';
import type { Part } from './pod-parts.ts';

/** `find`: each single thing that is forbidden, so that it can be told from those that were there before. */
type Check = { find: (part: Part) => string[]; say: (values: readonly string[]) => string };
export type Checks = Record<string, Check>;

export const list = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
export const strings = (value: Json | undefined): string[] => (Array.isArray(value) ? value.map(text) : []);

export const context = ({ own }: Part, ...path: string[]): Json | undefined => at(own, 'securityContext', ...path);
export const ofPod = ({ pod }: Part, ...path: string[]): Json | undefined => at(pod, 'securityContext', ...path);
export const isSet = (value: Json | undefined): boolean => value !== undefined && value !== null;
/** What fits for seccomp and AppArmor alike. */
export const profiles = ['RuntimeDefault', 'Localhost'];
export const flag = (found: boolean): string[] => (found ? [''] : []);
export const others = (value: Json | undefined, allowed: readonly string[]): string[] =>
  !isSet(value) || allowed.includes(text(value)) ? [] : [text(value)];

/** In a user namespace of its own root is nobody on the node. */
export const isApart = ({ pod }: Part): boolean => pod.hostUsers === false;
export const isWindows = ({ pod }: Part): boolean => at(pod, 'os', 'name') === 'windows';
