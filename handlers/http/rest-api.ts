import type { FastifyInstance } from 'fastify';
import { withClaimsOfRoles } from '../../src/core/actor.ts';
import { type ApiDeps, apiPrefix, identityKey } from './api-context.ts';
import { auditApi } from './audit-api.ts';
import { openApi } from './openapi.ts';
import { operationsApi } from './operations-api.ts';
import { runsApi } from './runs-api.ts';

/** The REST surface: every address of it but its own description needs a token. */
export function restApi(deps: ApiDeps) {
  return async (app: FastifyInstance): Promise<void> => {
    const description = openApi(deps.engine.catalogue);
    app.get(`${apiPrefix}/openapi.json`, async () => description);
    await app.register(async (guarded) => {
      guarded.decorateRequest(identityKey, null);
      guarded.addHook('onRequest', async (request, reply) => {
        reply.header('cache-control', 'no-store');
        const { actor, expiresAt } = await deps.checkToken(request.headers.authorization);
        request.setDecorator(identityKey, { actor: withClaimsOfRoles(deps.engine.settings(), actor), expiresAt });
      });
      await guarded.register(operationsApi(deps), { prefix: apiPrefix });
      await guarded.register(runsApi(deps), { prefix: `${apiPrefix}/runs` });
      await guarded.register(runsApi(deps), { prefix: '/runs' });
      await guarded.register(auditApi(deps), { prefix: `${apiPrefix}/audit` });
    });
  };
}
