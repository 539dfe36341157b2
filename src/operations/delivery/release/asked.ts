import { z } from 'zod';
import { fault } from '../../../core/errors.ts';
import { Label } from '../../../core/name-pattern.ts';

/** An app, with the version that it is to run: `web@v3`, `web:v3`, or `web` where it is built. */
export type Asked = { app: string; tag?: string; wave: number };

const one = /^(?<app>[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)(?:[@:](?<tag>\w[\w.-]{0,127}))?$/;

/** The apps of one wave, which go at the same time, with commas between. */
export const Wave = z
  .string()
  .min(1)
  .max(1_000)
  .refine(
    (wave) => wave.split(',').every((part) => one.test(part) && Label.safeParse(one.exec(part)?.groups?.app).success),
    'must be APP@TAG, or APP where it is built, with commas between apps that go at the same time',
  )
  .describe('What goes at the same time: APP@TAG, with commas between')
  .meta({ examples: ['web@v3,api@v7'] });

/**
 * What was asked for, in the order of the waves, which are numbered from 1.
 * @throws Fault BAD_INPUT where an app comes twice
 */
export function askedOf(waves: readonly string[]): Asked[] {
  const asked = waves.flatMap((wave, index) =>
    wave.split(',').map((part) => {
      const { app = '', tag } = one.exec(part)?.groups ?? {};
      return { app, wave: index + 1, ...(tag !== undefined && { tag }) };
    }),
  );
  const twice = asked.find(({ app }, index) => asked.findIndex((other) => other.app === app) < index);
  if (twice) throw fault('BAD_INPUT', { problem: `release: ${twice.app} comes twice.` });
  return asked;
}
