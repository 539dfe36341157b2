import { z } from 'zod';
import { type Json, JsonObject } from './json.ts';
import type { ExecEnd } from './kube.ts';

/** What there is on a Docker host; the name is that of Docker's own API. */
export const DockerKind = z.enum(['container', 'network', 'volume', 'image']);
export type DockerKind = z.output<typeof DockerKind>;

/**
 * One change of a Docker host, of the very object that the plan saw. A name can be given to another object at any time, so
 * beside each name stands what it meant; it is missing in plans of before.
 */
export const DockerCall = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('pull'),
    image: z.string(),
    /** What its registry had under that name: this is pulled, and then given the name. */
    digest: z.string().optional(),
  }),
  z.object({
    kind: z.literal('create'),
    object: DockerKind,
    name: z.string(),
    body: JsonObject,
    /** What the image's name in the body meant: its id, or its name by digest where it is pulled by the call before. */
    image: z.string().optional(),
    /** The network that is named in the body, by its id. */
    network: z.string().optional(),
  }),
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
    /** Where the id is but a name: the image's own id, or when the volume was made. */
    was: z.string().optional(),
    /** Also where it runs or is tagged more than once. */
    force: z.boolean().default(false),
    /** With its nameless volumes. */
    volumes: z.boolean().default(false),
  }),
  z.object({
    kind: z.literal('prune-cache'),
    /** These records, and none that came since. */
    ids: z.array(z.string()).optional(),
  }),
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
  /** The digest that an image's registry has under its name now, as the host's daemon finds it. */
  digest(image: string, signal: AbortSignal): Promise<string>;
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
