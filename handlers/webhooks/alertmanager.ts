import type { FastifyInstance } from 'fastify';
import { fault } from '../../src/core/errors.ts';
import type { AlertStore } from '../../src/core/notices.ts';
import type { Clock, Log } from '../../src/core/ports.ts';
import type { Settings } from '../../src/core/settings.ts';
import { afterDelivery, groupIdOf } from './alert-group.ts';
import { AlertPayload } from './alert-payload.ts';
import { sameText } from './same-text.ts';

export type AlertmanagerDeps = {
  alerts: AlertStore;
  settings: () => Settings;
  now: Clock;
  log: Log;
  /** What Alertmanager must send as its bearer token; without it every delivery is refused. */
  token?: string;
};

function checkBearer(token: string | undefined, authorization: string | undefined): void {
  if (token === undefined) throw fault('WEBHOOK_OFF', {});
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (given === undefined || !sameText(given, token)) throw fault('WEBHOOK_REFUSED', {});
}

function payloadOf(body: unknown): AlertPayload {
  const parsed = AlertPayload.safeParse(body);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues
    .slice(0, 10)
    .map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  throw fault('BAD_INPUT', { problem: `This is not a webhook of Alertmanager, version 4: ${problems.join('; ')}.` });
}

/** Stores what a delivery says of its group. */
async function take(deps: AlertmanagerDeps, payload: AlertPayload): Promise<void> {
  const known = await deps.alerts.read(groupIdOf(payload));
  const group = afterDelivery(known, payload, deps.settings(), deps.now());
  if (group === known) return;
  await deps.alerts.put(group);
  if (group.app === undefined)
    deps.log.warn({ group: group.id, labels: payload.commonLabels }, 'an alert names no app of shipmate.yaml');
}

/**
 * POST /webhooks/alertmanager. A delivery is a hint: it is shown, and nothing is done on its word.
 * 5xx only where the store is down, since Alertmanager sends it again then.
 */
export function alertmanagerWebhook(deps: AlertmanagerDeps) {
  // One delivery after the other: the second one must see what the first one stored.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = (payload: AlertPayload) => {
    const done = last.then(() => take(deps, payload));
    last = done.catch(() => {});
    return done;
  };
  return async (app: FastifyInstance): Promise<void> => {
    app.post(
      '/webhooks/alertmanager',
      // Before the body is read: who has no token costs next to nothing.
      { onRequest: async (request) => checkBearer(deps.token, request.headers.authorization) },
      async (request) => {
        await inTurn(payloadOf(request.body));
        return { data: { taken: true } };
      },
    );
  };
}
