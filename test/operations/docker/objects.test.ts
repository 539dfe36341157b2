import { afterAll, beforeAll, expect, test } from 'vitest';
import { bed } from '../../support/bed.ts';
import { docker, dockerSays } from '../../support/docker-cli.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

const own = `o${process.pid}`;
const named = (name: string) => `${own}-${name}`;
const host = 'build';
let desk: RealDesk;

beforeAll(async () => {
  desk = await realDesk({ dockerHosts: { build: { address: bed.dockerHost } } });
});
afterAll(async () => {
  const left = await docker('ps', '-aq', '--filter', `name=${own}`);
  if (left !== '') await docker('rm', '-fv', ...left.split('\n'));
  await dockerSays('network', 'rm', named('backend'));
  await desk.end();
});

test('a network is made, used, kept while somebody is in it, deleted and undone', { timeout: 60_000 }, async () => {
  const name = named('backend');
  const made = await desk.done('docker-network-create', { name, host, internal: true, subnet: '10.213.7.0/24' });
  expect(made).toMatchObject({ state: 'finished' });
  expect(JSON.parse(await docker('network', 'inspect', name))[0]).toMatchObject({
    Internal: true,
    IPAM: { Config: [{ Subnet: '10.213.7.0/24' }] },
  });
  expect(await desk.done('docker-network-create', { name, host })).toMatchObject({ fault: { code: 'OBJECT_EXISTS' } });
  await docker('run', '-d', '--name', named('in'), '--network', name, bed.busybox, 'sleep', '3600');
  expect(await desk.done('docker-network-remove', { name, host })).toMatchObject({
    fault: { code: 'STILL_USED', message: expect.stringContaining(named('in')) },
  });
  const table = await desk.done('docker-networks', { host });
  expect(table.report).toMatchObject({
    rows: expect.arrayContaining([[name, 'bridge', '10.213.7.0/24', 'internal', expect.any(String)]]),
  });
  await docker('rm', '-f', named('in'));
  const removed = await desk.done('docker-network-remove', { name, host });
  expect(removed).toMatchObject({ state: 'finished' });
  expect(await dockerSays('network', 'inspect', name)).toContain('not found');
  const { operation = '', input = {} } = removed.plan?.undo ?? {};
  expect(await desk.done(operation, input)).toMatchObject({ state: 'finished' });
  expect(JSON.parse(await docker('network', 'inspect', name))[0]).toMatchObject({
    Internal: true,
    IPAM: { Config: [{ Subnet: '10.213.7.0/24' }] },
  });
  expect(await desk.done('docker-network-remove', { name: 'host', host })).toMatchObject({
    fault: { code: 'PROTECTED' },
  });
  expect(
    await desk.done('docker-network-create', { name: named('bad'), host, subnet: '10.213.7.128/25' }),
  ).toMatchObject({
    state: 'failed',
    fault: { code: 'DOCKER_HOST_REFUSED', message: expect.stringMatching(/overlap/i) },
  });
});

test('a volume is made, kept while a container mounts it, and deleted', { timeout: 60_000 }, async () => {
  const name = named('data');
  expect(await desk.done('docker-volume-create', { name, host })).toMatchObject({ state: 'finished' });
  await docker('create', '--name', named('mounts'), '-v', `${name}:/data`, bed.busybox, 'true');
  const table = await desk.done('docker-volumes', { host });
  expect(table.report).toMatchObject({
    rows: expect.arrayContaining([[name, 'local', named('mounts'), expect.any(String)]]),
  });
  expect(await desk.done('docker-volume-remove', { name, host })).toMatchObject({ fault: { code: 'STILL_USED' } });
  await docker('rm', named('mounts'));
  expect(await desk.done('docker-volume-remove', { name, host })).toMatchObject({ state: 'finished' });
  expect(await dockerSays('volume', 'inspect', name)).toContain('no such volume');
});

test('images are shown with who uses them, pulled, and deleted only where nobody does', {
  timeout: 60_000,
}, async () => {
  const [image, tag] = [`${bed.registryHost}/web:v1`, `${named('extra')}:v1`];
  expect(await desk.done('docker-pull', { image, host })).toMatchObject({ state: 'finished' });
  await docker('tag', bed.busybox, tag);
  await docker('create', '--name', named('uses'), bed.busybox, 'true');
  const table = await desk.done('docker-images', { host });
  expect(JSON.stringify(table.report)).toContain(named('uses'));
  // It has another name, so only this one goes.
  expect(await desk.done('docker-image-remove', { image: tag, host })).toMatchObject({
    state: 'finished',
    plan: { changes: [{ from: expect.stringContaining('only the name') }] },
  });
  expect(await dockerSays('image', 'inspect', tag)).toContain('No such image');
  expect(await desk.done('docker-image-remove', { image: 'nothing:v1', host })).toMatchObject({
    fault: { code: 'NO_SUCH_OBJECT' },
  });
});
