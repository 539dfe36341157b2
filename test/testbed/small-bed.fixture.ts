// The least bed there is, with mounts of its own: quick to start, for tests of how it ends.
import { createBase } from '../../testbed/bed-base.ts';
import { startMountNamespace } from '../../testbed/mount-namespace.ts';
import { startRedis } from '../../testbed/redis.ts';

const base = await createBase((line) => console.error(line));
const [redis] = await Promise.all([startRedis(base), startMountNamespace(base)]);
console.log(JSON.stringify({ id: base.id, dir: base.dir, ports: [redis.port], podIps: [] }));
setInterval(() => {}, 60_000);
