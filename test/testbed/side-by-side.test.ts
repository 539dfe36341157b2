import { readdir } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { leftoversAfter } from './leftovers.ts';
import { end, type OtherBed, startOtherBed } from './other-bed.ts';

const page = async (ip: string) => {
  const response = await fetch(`http://${ip}:8080/`, { signal: AbortSignal.timeout(5_000) });
  return (await response.text()).trim();
};
const cards = ({ id }: OtherBed) => readdir(`/sys/class/net/sm${id}/brif`);
const allCards = () => readdir('/sys/class/net');

test('two beds started at once run pods side by side; killed or interrupted, each goes without a trace', async () => {
  const [killed, interrupted] = await Promise.all([
    startOtherBed('whole-bed.fixture.ts'),
    startOtherBed('whole-bed.fixture.ts'),
  ]);
  onTestFinished(() => {
    for (const bed of [killed, interrupted]) bed.process.kill('SIGKILL');
  });
  const both = [killed, interrupted];
  expect(new Set(both.flatMap(({ ports }) => ports)).size).toBe(6);
  const ips = both.flatMap(({ podIps }) => podIps);
  expect(new Set(ips).size).toBe(4);
  expect(await Promise.all(ips.map(page))).toEqual(Array(4).fill('web v1'));

  const killedCards = await cards(killed);
  expect(killedCards).toHaveLength(2);
  await end(killed, 'SIGKILL');
  expect(await leftoversAfter(15_000, killed)).toEqual([]);
  expect((await allCards()).filter((card) => killedCards.includes(card))).toEqual([]);

  expect(await Promise.all(interrupted.podIps.map(page))).toEqual(['web v1', 'web v1']);
  await end(interrupted, 'SIGINT');
  expect(await leftoversAfter(15_000, interrupted)).toEqual([]);
});
