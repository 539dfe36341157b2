import { parseImage, shortImage } from '../../core/image.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import type { Next } from '../../core/report.ts';
import type { Picture } from './picture.ts';

/** Something that is wrong, in words for a tired person. Pure functions find it in the picture of an app. */
export type Finding = {
  code: string;
  /** What is wrong, as the middle of a sentence: `the image can’t be pulled`. */
  what: string;
  /** Why: the cluster's own words, in a sentence. */
  cause: string;
  /** What to do next. */
  remedy: string;
  /** A command to paste, in a shell (`kubectl …`) or in Slack (`/ship …`). */
  command?: string;
  /** The container whose last log lines tell more; `ended` where it did not begin anew since. */
  crashed?: { pod: string; container: string; ended: boolean };
  /** An earlier revision would do better. */
  goBack?: true;
  /** What else may be asked for, the best first. */
  next?: readonly Next[];
  /** The pods are not the worse for it yet. */
  risk?: true;
};

export type Find = (picture: Picture) => Finding | undefined;

export const nameOf = (object: JsonObject | undefined): string => text(at(object, 'metadata', 'name'));

/** `deployment/web`, as kubectl takes it. */
export const kubectlName = ({ place }: Pick<Picture, 'place'>): string =>
  `${place.kind.toLowerCase()}/${place.workload}`;

/** A command for the app's namespace; arguments that a shell would read are quoted. */
export function kubectl({ place }: Pick<Picture, 'place'>, verb: string, ...args: readonly string[]): string {
  const quoted = args.map((arg) => (/^[\w@%+=:,./…-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`));
  return ['kubectl', '-n', place.namespace, verb, ...quoted].join(' ');
}

/** With a full stop. */
export function ended(words: string): string {
  const trimmed = words.trim();
  return /[.!?”]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

/** With a capital letter and a full stop. */
export function sentence(words: string): string {
  const whole = ended(words);
  return `${whole.charAt(0).toUpperCase()}${whole.slice(1)}`;
}

/** Where an image comes from; Docker Hub is what is meant where it names nothing. */
export function registryOf(image: string): string {
  try {
    return parseImage(image).registry ?? 'docker.io';
  } catch {
    return image;
  }
}

/** The image as people say it; one that has no possible name stays as it is. */
export function imageName(image: string): string {
  try {
    return shortImage(image);
  } catch {
    return image;
  }
}

/** `2 pods`, `1 pod`. */
export const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
