import type { Log, SetupWarning } from '../core/ports.ts';
import type { Connection } from './connection.ts';

async function setting(redis: Connection, name: string): Promise<string> {
  const [, value = ''] = (await redis.config('GET', name)) as string[]; // pairs of name and value
  return value;
}

/** Looks at how Redis is set up: nothing may be thrown out when it is full, and nothing lost when it restarts. */
export async function checkRedis(redis: Connection): Promise<SetupWarning[]> {
  try {
    const [policy, aof, save] = await Promise.all(
      ['maxmemory-policy', 'appendonly', 'save'].map((name) => setting(redis, name)),
    );
    return [
      ...(policy === 'noeviction'
        ? []
        : [
            {
              problem: `Redis throws records out when it is full (maxmemory-policy ${policy}): approvals, runs and audit entries would vanish.`,
              mend: 'CONFIG SET maxmemory-policy noeviction',
            },
          ]),
      ...(aof === 'yes'
        ? []
        : [
            {
              problem:
                save === ''
                  ? 'Redis writes nothing to its disk: a restart loses every run and the audit log.'
                  : 'Redis has no append-only file: a crash loses what happened since its last snapshot.',
              mend: 'CONFIG SET appendonly yes',
            },
          ]),
    ];
  } catch (thrown) {
    const problem = thrown instanceof Error ? thrown.message : String(thrown);
    return [
      {
        problem: `Redis does not say how it is set up (${problem}).`,
        mend: 'See for yourself that maxmemory-policy is noeviction and appendonly is yes',
      },
    ];
  }
}

/** Warns loudly at the start; it goes on all the same, since trying things out is no crime. */
export async function warnOfRedis(redis: Connection, log: Log): Promise<void> {
  for (const { problem, mend } of await checkRedis(redis))
    log.error({ problem, mend }, 'REDIS IS NOT SET UP FOR SHIPMATE');
}
