import { z } from 'zod';
import { Json, type JsonObject } from './json.ts';

/** One change in Harbor, as it will be sent. */
export const HarborCall = z.object({
  method: z.enum(['POST', 'PUT', 'PATCH', 'DELETE']),
  /** Below `/api/v2.0`; each part is encoded by the client. */
  path: z.array(z.string()),
  body: Json.optional(),
  /**
   * Where in the body the client puts the password that `harbor.logins` has for the host of the body's `url`. It is nowhere
   * else, and goes with no other address.
   */
  password: z.array(z.string()).optional(),
  /** The hash of that login as `shipmate.yaml` has it: of who and of where its password is kept, not of the password. */
  login: z.string().optional(),
  /** The hash of what Harbor goes by when it does this, where that is kept in Harbor: a rule's terms, a registry's address. */
  terms: z.string().optional(),
  /** What it did, for the thread: `project/team: created`. */
  done: z.string(),
});
export type HarborCall = z.output<typeof HarborCall>;

/**
 * A Harbor registry's own API: https://goharbor.io/docs/latest/build-customize-contribute/configure-swagger/
 * @throws Fault HARBOR_OFF, HARBOR_UNREACHABLE, HARBOR_REFUSED
 */
export type Harbor = {
  /** What is at a path; undefined where there is nothing. */
  read(path: readonly string[], query: Record<string, string>, signal: AbortSignal): Promise<Json | undefined>;
  /** All entries of a list, page by page, up to `most`. */
  list(
    path: readonly string[],
    query: Record<string, string>,
    most: number,
    signal: AbortSignal,
  ): Promise<JsonObject[]>;
  /** Answers with the status, with what it said, and with the last part of the address of what was made. */
  send(call: Omit<HarborCall, 'done' | 'terms'>, signal: AbortSignal): Promise<HarborAnswer>;
};

/** 404 and 409 are answers: the one who asked knows whether that is what it wanted. */
export type HarborAnswer = { status: number; body: Json | undefined; made: string | undefined; message: string };
