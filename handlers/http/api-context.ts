import type { FastifyRequest } from 'fastify';
import type { Engine } from '../../src/engine/engine.ts';
import type { Holds } from './holds.ts';
import type { RunChanges } from './run-changes.ts';
import type { Identity, TokenCheck } from './tokens.ts';

/** Where the operations are found. */
export const apiPrefix = '/api/v1/cloud-native';

export type ApiDeps = {
  engine: Engine;
  changes: RunChanges;
  holds: Holds;
  checkToken: TokenCheck;
  /** The address that people reach this server under; without it links name the host that the request named. */
  publicUrl?: string;
  /** Aborts when the server closes: ends the streams, and answers those who wait. */
  closing: AbortSignal;
};

/** The request's decorator that holds its sender. */
export const identityKey = 'identity';

/** Who sent the request, as its token says. */
export function identityOf(request: FastifyRequest): Identity {
  return request.getDecorator<Identity>(identityKey);
}

/** A run's own address. */
export function linkOf({ publicUrl }: Pick<ApiDeps, 'publicUrl'>, request: FastifyRequest, runId: string): string {
  const base = publicUrl?.replace(/(?<!\/)\/+$/, '') ?? `${request.protocol}://${request.host}`;
  return `${base}${apiPrefix}/runs/${runId}`;
}
