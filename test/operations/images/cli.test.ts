import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  alpine,
  type Cosign,
  type KeyPair,
  type Pushed,
  startCosign,
  startReferrers,
} from '../../support/image-kit.ts';

const cli = fileURLToPath(new URL('../../../src/cli.ts', import.meta.url));

let [cosign, ours, theirs]: [Cosign, KeyPair, KeyPair] = [] as never;
let registry: Awaited<ReturnType<typeof startReferrers>>;
let image: Pushed;
beforeAll(async () => {
  [cosign, registry] = await Promise.all([startCosign(), startReferrers()]);
  ours = await cosign.keyPair('ours');
  theirs = await cosign.keyPair('theirs');
  image = await registry.push('web', 'v1', alpine({ musl: '1' }));
  await cosign.sign(ours, image.pinned, false);
});
afterAll(async () => {
  await Promise.all([cosign.stop(), registry.stop()]);
});

/** The command as people type it, with no Redis, no Slack and no settings. */
const shipmate = (...args: string[]) =>
  promisify(execFile)(process.execPath, [cli, 'verify', ...args], { env: { PATH: process.env.PATH }, cwd: '/' }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );

test('an image is verified with nothing but its registry and a public key', async () => {
  const tag = `${registry.host}/web:v1`;
  expect(await shipmate(tag, '--key', ours.pub)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`${image.pinned} is what it should be.`),
  });
  expect(await shipmate(tag, '--key', theirs.pub, '--key', ours.pub)).toMatchObject({ code: 0 });
});

test('each failure has its own sentence, and an exit code that is not 0', async () => {
  const tag = `${registry.host}/web:v1`;
  expect(await shipmate(tag, '--key', theirs.pub)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('by a key that'),
  });
  const scan = await shipmate(tag, '--key', ours.pub, '--require', 'signature,scan');
  expect(scan).toMatchObject({ code: 1, stderr: expect.stringContaining('no signed scan') });
  expect(await shipmate(`${registry.host}/web:v9`, '--key', ours.pub)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('has no image'),
  });
  expect(await shipmate(tag)).toMatchObject({ code: 1, stderr: expect.stringContaining('needs --key FILE') });
  expect(await shipmate(tag, '--key', '/nowhere.pub')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no such file'),
  });
  expect(await shipmate('127.0.0.1:1/web:v1', '--key', ours.pub)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('does not answer'),
  });
});
