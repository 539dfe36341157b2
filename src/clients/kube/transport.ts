import type { RequestOptions } from 'node:https';
import { Agent, type Dispatcher, request } from 'undici';
import type { Identity } from '../../core/identity.ts';
import type { Json } from '../../core/json.ts';
import { abortable } from './abortable.ts';
import type { Access } from './access.ts';
import { impersonation } from './in-name-of.ts';

const headersMs = 10_000;
/** Credentials that the cluster refuses are not renewed more often than this. */
const betweenRenewalsMs = 10_000;

export type Call = {
  method: 'GET' | 'PATCH' | 'POST' | 'DELETE';
  path: string;
  query?: Record<string, string>;
  body?: Json;
  /** What the body is; without it, server-side apply. */
  type?: 'application/json' | 'application/json-patch+json' | 'application/merge-patch+json';
  /** Any refusal is for good, also one that may pass: whoever asks knows what it means. */
  once?: true;
  /** Where its answer gets lost it is not sent again: whoever asks looks first what became of it. */
  lookFirst?: true;
  /** A longer answer is not read. */
  limitBytes?: number;
  /** In whose name it is sent. */
  as?: Identity;
  signal: AbortSignal;
};

/** Sends one request, as it is and once, with the credentials of today. */
export type Transport = {
  send(call: Call, kind: 'call' | 'watch'): Promise<Dispatcher.ResponseData>;
  /** Who we are to the cluster today. */
  access(): Access;
  close(): Promise<void>;
};

type Tls = Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'>;

/** Short calls take turns on a few connections; any number of watches share one, which HTTP/2 lets them do. */
function poolsOf({ ca, cert, key, servername, rejectUnauthorized = true }: Tls) {
  const connect = { ca, cert, key, servername, rejectUnauthorized, timeout: 5_000 };
  return {
    call: new Agent({ connect, connections: 3 }),
    watch: new Agent({ connect, connections: 1, allowH2: true }),
    // Over HTTP/2 undici makes one header of those for each group, which the API server takes for a group of a strange name.
    personal: new Agent({ connect, allowH2: false }),
  };
}

/** Who we are to the cluster today, asked for once however many calls wait for it: a plugin is a program of its own. */
function createCredentials(load: () => Access) {
  let access = load();
  let asking: Promise<RequestOptions> | undefined;
  let renewedAt = 0;
  return {
    access: () => access,
    /** A plugin that hangs does not outlast the call that waits for it. */
    get: async (signal: AbortSignal): Promise<RequestOptions> => {
      asking ??= access.options().finally(() => {
        asking = undefined;
      });
      return await abortable(asking, signal);
    },
    /** Forgets all tokens and reads the kubeconfig again; false where that was done a moment ago and did not help. */
    renew: (used: Access): boolean => {
      if (used !== access) return true;
      if (performance.now() - renewedAt < betweenRenewalsMs && renewedAt > 0) return false;
      renewedAt = performance.now();
      access = load();
      return true;
    },
  };
}

/**
 * The way to the cluster of the context that `load` gives; an access is never switched, but read anew where the cluster does
 * not take its credentials any more.
 */
export function createTransport(load: () => Access): Transport {
  const credentials = createCredentials(load);
  const pools = new Map<string, ReturnType<typeof poolsOf>>();
  const poolsFor = (tls: Tls) => {
    // An exec plugin may hand out a new certificate at any time; each gets pools of its own.
    const id = `${String(tls.ca)}|${String(tls.cert)}`;
    const made = pools.get(id) ?? poolsOf(tls);
    pools.set(id, made);
    return made;
  };
  const sendOnce = async ({ method, path, query, body, type, as, signal }: Call, kind: 'call' | 'watch') => {
    const options = await credentials.get(signal);
    const given = Object.entries(options.headers ?? {}).map(([name, value]) => [name, String(value)]);
    return await request(new URL(path, credentials.access().server), {
      method,
      query,
      headers: {
        accept: 'application/json',
        ...Object.fromEntries(given),
        ...(as && impersonation(as)),
        ...(body !== undefined && { 'content-type': type ?? 'application/apply-patch+yaml' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      dispatcher: poolsFor(options)[as ? 'personal' : kind],
      signal,
      headersTimeout: headersMs,
      // A watch may well be silent for longer than undici's default of five minutes; its reader keeps watch itself.
      bodyTimeout: kind === 'watch' ? 0 : headersMs,
    });
  };
  return {
    access: credentials.access,
    send: async (call, kind) => {
      const used = credentials.access();
      const answer = await sendOnce(call, kind);
      if (answer.statusCode !== 401 || !credentials.renew(used)) return answer;
      await answer.body.dump();
      return await sendOnce(call, kind);
    },
    close: async () => {
      const agents = [...pools.values()].flatMap(({ call, watch, personal }) => [call, watch, personal]);
      await Promise.all(agents.map((agent) => agent.destroy()));
    },
  };
}
