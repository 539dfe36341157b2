import { describe, expect, test } from 'vitest';
import { imageOfApp, parseImage, shortImage } from '../../src/core/image.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('an image of an app may be named in many ways', () => {
  const home = '127.0.0.1:5000/team/web';
  test.each([
    [{ tag: 'v2' }, `${home}:v2`],
    [{ image: 'web:v2' }, `${home}:v2`],
    [{ image: 'team/web:v2' }, `${home}:v2`],
    [{ image: `${home}:v2` }, `${home}:v2`],
    [{ image: `web@${digest}` }, `${home}@${digest}`],
    [{ image: 'web' }, `${home}:latest`],
    [{}, `${home}:latest`],
  ])('%j', (asked, full) => {
    expect(imageOfApp('web', { image: home }, asked)).toBe(full);
  });

  test.each([[{ image: 'evil.example.com/team/web:v2' }], [{ image: 'miner:v1' }]])('not %j', (asked) => {
    expect(() => imageOfApp('web', { image: home }, asked)).toThrow(/runs images of/);
  });

  test.each([
    [{ image: 'Web:v2' }],
    [{ image: '--flag' }],
    [{ image: 'web:v2 --x' }],
    [{ tag: 'a b' }],
    [{ image: `web@sha256:12` }],
    // One program takes the first part for a registry, another for a folder, a third for nothing.
    [{ image: 'a_b.c/web:v1' }],
    [{ image: '-a.b/web:v1' }],
    [{ image: 'a-.b/web:v1' }],
    [{ image: 'a'.repeat(64) }],
    [{ image: 'a'.repeat(248) }],
  ])('malformed %j', (asked) => {
    expect(() => imageOfApp('web', { image: home }, asked)).toThrow(/is not an image reference/);
  });
});

test.each(['web', 'team/web', 'r.example.com/web'])('no tag leads out of %s', (home) => {
  for (const tag of ['5000/evil:v1', '5000/evil', `5000/evil@${digest}`, 'v1/../x', 'v1:v2', ''])
    expect(() => imageOfApp('web', { image: home }, { tag }), tag).toThrow(/is not an image reference/);
  expect(imageOfApp('web', { image: home }, { tag: `v1@${digest}` })).toBe(`${home}:v1@${digest}`);
});

test('a reference is taken apart', () => {
  expect(parseImage(`localhost:5000/a/b:t@${digest}`)).toEqual({
    registry: 'localhost:5000',
    repository: 'a/b',
    tag: 't',
    digest,
  });
  expect(parseImage('a/b')).toEqual({ repository: 'a/b' });
});

test('people are shown name and tag', () => {
  expect(shortImage(`127.0.0.1:5000/team/web:v2@${digest}`)).toBe('web:v2');
  expect(shortImage(`127.0.0.1:5000/web@${digest}`)).toBe(`web@sha256:${'a'.repeat(12)}`);
});

describe('the repositories that images may come from besides', () => {
  test.each([
    ['r.example.com/team/*', 'r.example.com/team/api:v1', true],
    ['r.example.com/team/*', 'r.example.com/team/api/worker:v1', false],
    ['r.example.com/team/*', 'r.example.com/team/:v1', false],
    ['r.example.com/team/*', 'r.example.com:443/team/api:v1', false],
    ['r.example.com/team/*', 'rxexample.com/team/api:v1', false],
    ['r.example.com/**', 'r.example.com/team/api/worker:v1', true],
    ['r.example.com/**', 'r.example.com/api:v1', true],
    ['r.example.com/**', 'r.example.com.evil.example/api:v1', false],
    ['r.example.com/**/worker', 'r.example.com/team/api/worker:v1', true],
    ['r.example.com/**/worker', 'r.example.com/team/worker/api:v1', false],
    ['r.example.com/team/api-*', 'r.example.com/team/api-a:v1', true],
    ['r.example.com/team/api-*', 'r.example.com/team/api-a/b:v1', false],
    ['docker.io/library/*', 'nginx:1.29', true],
    ['docker.io/library/*', 'somebody/nginx:1.29', false],
  ])('%s: %s is one of them: %s', (pattern, image, fits) => {
    const asked = () => {
      try {
        return imageOfApp('web', { images: [pattern] }, { image }).endsWith(image);
      } catch (thrown) {
        return String(thrown);
      }
    };
    expect(asked()).toEqual(fits ? true : expect.stringMatching(/runs images of|is not an image reference/));
  });
});
