import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { Connection } from '../../../src/clients/kube/connection.ts';
import { lastLogLines, readLogs } from '../../../src/clients/kube/pod-logs.ts';

/** What a kubelet answers in a log's place, always with 200; each was seen on the test bed while a container began anew. */
const gone = [
  'unable to retrieve container logs for containerd://0123',
  'failed to try resolving symlinks in path "/var/log/pods/x/web/1.log": lstat /var/log/pods/x/web/1.log: no such file or directory',
];
const stamped = (...lines: string[]) => lines.map((line) => `2026-12-01T02:45:00.123456789Z ${line}\n`).join('');
const words = stamped('connecting to database', 'panic: runtime error');
const crashed = { pod: 'web-1', container: 'web' };
const { signal } = new AbortController();

/** A connection on which each log in turn is answered so; it says which were asked for. */
function answering(...answers: string[]) {
  const asked: (string | undefined)[] = [];
  const stream: Connection['stream'] = async ({ query }) => {
    asked.push(query?.previous);
    // Only its bytes are looked at; undici's own type has much more.
    return Readable.from([Buffer.from(answers.shift() ?? '')]) as unknown as Awaited<ReturnType<Connection['stream']>>;
  };
  const connection = { cluster: 'default', stream } as unknown as Connection;
  return { connection, asked };
}

describe('the last words of a container that crashed', () => {
  test('are those of its run before, without the times', async () => {
    const { connection, asked } = answering(words);
    expect(await lastLogLines(connection, 'staging', crashed, signal)).toEqual([
      'connecting to database',
      'panic: runtime error',
    ]);
    expect(asked).toEqual(['true']);
  });

  test.each(gone)('are those of this run where the log before is gone: %s', async (sentence) => {
    const { connection, asked } = answering(sentence, words);
    expect(await lastLogLines(connection, 'staging', crashed, signal)).toContain('panic: runtime error');
    expect(asked).toEqual(['true', undefined]);
  });

  test.each(gone)('are asked for again while the kubelet knows of neither: %s', async (sentence) => {
    const { connection, asked } = answering(sentence, sentence, sentence, '', words);
    expect(await lastLogLines(connection, 'staging', crashed, signal)).toContain('panic: runtime error');
    expect(asked).toHaveLength(5);
  });

  test('are looked for once where it said nothing, and blank lines are no words', async () => {
    const silent = answering('', '');
    expect(await lastLogLines(silent.connection, 'staging', crashed, signal)).toEqual([]);
    expect(silent.asked).toEqual(['true', undefined]);
    const blank = answering(stamped('', ''), words);
    expect(await lastLogLines(blank.connection, 'staging', crashed, signal)).toContain('panic: runtime error');
  });

  test('that were read before the log went are kept', async () => {
    const { connection } = answering(`${words}${gone[1]}\n`);
    expect(await lastLogLines(connection, 'staging', crashed, signal)).toContain('panic: runtime error');
  });

  test('are none where there is nothing, after three looks', async () => {
    const { connection, asked } = answering(...gone, ...gone);
    expect(await lastLogLines(connection, 'staging', crashed, signal)).toEqual([]);
    expect(asked).toHaveLength(6);
  });
});

test.each(gone)('a log that is gone is said to be: %s', async (sentence) => {
  const read = async (text: string) => {
    const lines: string[] = [];
    const pod = { namespace: 'staging', name: 'web-1' };
    for await (const line of readLogs(answering(text).connection, pod, {}, signal)) lines.push(line);
    return lines;
  };
  await expect(read(sentence)).rejects.toMatchObject({
    code: 'CLUSTER_REFUSED',
    message: expect.stringContaining('web-1: its log is gone from the node'),
  });
  expect(await read(stamped(sentence)), 'a container may write the same').toHaveLength(1);
});
