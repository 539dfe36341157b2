import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { Agent, request } from 'undici';
import { z } from 'zod';

/** The floor of `effect`: a BullMQ worker whose job is one server-side apply, sent with undici. */
const { REDIS_URL = '', SERVER = '', CA = '', TOKEN = '', NAMESPACE = '' } = process.env;
const dispatcher = new Agent({ connect: { ca: CA } });
const Job = z.object({ replicas: z.number() });

const worker = new Worker(
  'floor',
  async (job) => {
    const { replicas } = Job.parse(job.data);
    const manifest = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'floor', namespace: NAMESPACE },
      spec: { replicas },
    };
    const url = `${SERVER}/apis/apps/v1/namespaces/${NAMESPACE}/deployments/floor?fieldManager=floor&force=true`;
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/apply-patch+yaml' };
    const { statusCode, body } = await request(url, {
      method: 'PATCH',
      headers,
      body: JSON.stringify(manifest),
      dispatcher,
    });
    await body.dump();
    if (statusCode !== 200) throw new Error(`HTTP ${statusCode}`);
  },
  { connection: new Redis(REDIS_URL, { maxRetriesPerRequest: null }) },
);
await worker.waitUntilReady();
console.log('ready worker');
