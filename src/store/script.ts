import { createHash } from 'node:crypto';
import type { Connection } from './connection.ts';

/** Redis' own time in ms: leases and due times must not depend on which machine's clock is off. */
export const nowLua = `local t = redis.call('TIME'); local now = t[1] * 1000 + math.floor(t[2] / 1000)\n`;

/** How a script behaves when Redis is full: what ends or frees something is still done. Needs Redis 7. */
export const evenWhenFull = '#!lua flags=allow-oom\n';

/** A Lua script that runs atomically; it is sent whole only where Redis does not know it yet. */
export function script(
  lua: string,
): (redis: Connection, keys: string[], args: (string | number)[]) => Promise<unknown> {
  const sha = createHash('sha1').update(lua).digest('hex');
  return async (redis, keys, args) => {
    try {
      return await redis.evalsha(sha, keys.length, ...keys, ...args);
    } catch (thrown) {
      if (!(thrown instanceof Error && thrown.message.startsWith('NOSCRIPT'))) throw thrown;
      return await redis.eval(lua, keys.length, ...keys, ...args);
    }
  };
}
