import { createHmac } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { fault } from '../../src/core/errors.ts';
import { isTooDeep } from '../../src/core/json.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { checkSecret, type Pushed, type Taken, takePushes } from './push.ts';
import { pushesOfDistribution, pushesOfDockerHub, pushesOfGithub } from './push-payloads.ts';

export type RegistriesDeps = {
  engine: Engine;
  /** What each must show; what has none is refused. */
  registry?: string | undefined;
  github?: string | undefined;
  dockerHub?: string | undefined;
};

const bodyLimit = 1_048_576;

/** What a delivery says was pushed. @throws Fault BAD_INPUT */
function pushesIn(system: string, read: (body: unknown) => Pushed[], raw: Buffer): Pushed[] {
  try {
    const text = raw.toString('utf8');
    if (isTooDeep(text)) throw new SyntaxError('it is nested too deeply');
    return read(JSON.parse(text));
  } catch (thrown) {
    const problem =
      thrown instanceof z.ZodError
        ? thrown.issues.slice(0, 10).map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`)
        : ['it is not JSON'];
    throw fault('BAD_INPUT', { problem: `This is not a webhook of ${system}: ${problem.join('; ')}.` }, thrown);
  }
}

const rawOf = ({ body }: FastifyRequest): Buffer => (Buffer.isBuffer(body) ? body : Buffer.alloc(0));
const header = ({ headers }: FastifyRequest, name: string): string | undefined => {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
};

/**
 * POST /webhooks/registry, /webhooks/github and /webhooks/docker-hub/SECRET: pushes to registries other than Harbor. What they lead to goes
 * through the front door as `webhook:registry`, `webhook:github` and `webhook:docker-hub`. 5xx only where it may help to send it again.
 */
export function registryWebhooks({ engine, registry, github, dockerHub }: RegistriesDeps) {
  const answer = (taken: Taken) => ({ data: { taken: true, ...taken } });
  return async (app: FastifyInstance): Promise<void> => {
    // Raw: a signature is over the bytes, and registries have media types of their own.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit },
      async (_request: FastifyRequest, body: Buffer) => body,
    );

    const bearer = registry === undefined ? undefined : `Bearer ${registry}`;
    app.post(
      '/webhooks/registry',
      {
        bodyLimit,
        onRequest: async (request) =>
          checkSecret('a registry', 'REGISTRY_WEBHOOK_TOKEN', bearer, request.headers.authorization),
      },
      async (request) => {
        const pushes = pushesIn('the registry', pushesOfDistribution, rawOf(request));
        return answer(await takePushes(engine, 'registry', pushes));
      },
    );

    app.post('/webhooks/github', { bodyLimit }, async (request) => {
      const raw = rawOf(request);
      const wanted =
        github === undefined ? undefined : `sha256=${createHmac('sha256', github).update(raw).digest('hex')}`;
      checkSecret('GitHub', 'GITHUB_WEBHOOK_SECRET', wanted, header(request, 'x-hub-signature-256'));
      const known = ['package', 'registry_package'].includes(header(request, 'x-github-event') ?? '');
      const pushes = known ? pushesIn('GitHub’s packages', pushesOfGithub, raw) : [];
      return answer(await takePushes(engine, 'github', pushes));
    });

    // It signs nothing and sends no header of one's own: its address is the secret.
    app.post<{ Params: { secret: string } }>(
      '/webhooks/docker-hub/:secret',
      {
        bodyLimit,
        onRequest: async ({ params }) =>
          checkSecret(
            'Docker Hub',
            'DOCKER_HUB_WEBHOOK_TOKEN',
            dockerHub,
            z.object({ secret: z.string() }).parse(params).secret,
          ),
      },
      async (request) => {
        const pushes = pushesIn('Docker Hub', pushesOfDockerHub, rawOf(request));
        return answer(await takePushes(engine, 'docker-hub', pushes));
      },
    );
  };
}
