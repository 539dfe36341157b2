// A whole bed with a Deployment on it, for the tests that end it in unkind ways.
import { startTestbed } from '../../testbed/testbed.ts';

const { id, dir, redis, registry, kubernetes, pushWeb } = await startTestbed({ log: (line) => console.error(line) });
const { kubectl, server } = kubernetes;
const image = await pushWeb('v1');
await kubectl(['create', 'deployment', 'web', '--image', image, '--replicas', '2']);
await kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
const podIps = await kubectl(['get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[*].status.podIP}']);
const ports = [redis.url, `http://${registry.host}`, server].map((url) => Number(new URL(url).port));
console.log(JSON.stringify({ id, dir, ports, podIps: podIps.split(' ') }));
// Nothing of the bed keeps its owner alive.
setInterval(() => {}, 60_000);
