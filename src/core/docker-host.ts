import { z } from 'zod';
import { type Json, JsonObject } from './json.ts';
import type { ExecEnd } from './kube.ts';

/** What there is on a Docker host; the name is that of Docker's own API. */
export const DockerKind = z.enum(['container', 'network', 'volume', 'image']);
export type DockerKind = z.output<typeof DockerKind>;

/** One change of a Docker host, of the very object that the plan saw. */
export const DockerCall = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('pull'), image: z.string() }),
  z.object({ kind: z.literal('create'), object: DockerKind, name: z.string(), body: JsonObject }),
  z.object({
    kind: z.literal('act'),
    action: z.enum(['start', 'stop', 'restart']),
    /** Missing where the container is made by the call before. */
    id: z.string().optional(),
    name: z.string(),
    /** How long it gets to stop by itself. */
    seconds: z.number().optional(),
    /** When it last began: where that is another time, it was restarted already. */
    startedAt: z.string().optional(),
  }),
  z.object({
    kind: z.literal('remove'),
    object: DockerKind,
    id: z.string(),
    name: z.string(),
    /** Also where it runs or is tagged more than once. */
    force: z.boolean().default(false),
    /** With its nameless volumes. */
    volumes: z.boolean().default(false),
  }),
  z.object({ kind: z.literal('prune-cache') }),
]);
export type DockerCall = z.output<typeof DockerCall>;

/** A request to Docker's Engine API. Each part of the path is encoded by the client. */
export type DockerRequest = {
  method: 'GET' | 'POST' | 'DELETE';
  path: readonly string[];
  query?: Record<string, string>;
  body?: Json;
  /** How long the daemon may take over it, where that is more than is usual. */
  seconds?: number;
};

/**
 * One Docker host, as its Engine API has it: https://docs.docker.com/reference/api/engine/
 * @throws Fault DOCKER_HOST_UNREACHABLE, DOCKER_HOST_REFUSED
 */
export type DockerHost = {
  /** What is at a path; undefined where there is nothing. */
  read(path: readonly string[], query: Record<string, string>, signal: AbortSignal): Promise<Json | undefined>;
  /** Answers with the status and what the daemon said. 304 and 404 are answers; 409 is one only `where` it is told to be. */
  send(request: DockerRequest, where: { conflict: boolean }, signal: AbortSignal): Promise<DockerAnswer>;
  /** Pulls an image; `seen` gets its progress. Credentials go to their own registry only. */
  pull(image: string, seen: (text: string) => void, signal: AbortSignal): Promise<void>;
  /** The end of a container's log, both streams in their order. */
  logs(id: string, options: { lines: number; since?: number; tty: boolean }, signal: AbortSignal): Promise<string>;
  /** Runs a command in a container. One that takes longer than `ms` is left to itself. */
  exec(
    id: string,
    options: { command: readonly string[]; limitBytes: number; ms: number },
    signal: AbortSignal,
  ): Promise<ExecEnd>;
};

export type DockerAnswer = { status: number; body: Json | undefined; message: string };
