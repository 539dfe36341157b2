import type { JsonObject } from '../../core/json.ts';
import { mask, soundsSecret } from '../../core/secret-names.ts';
import { durationMs } from '../../core/values.ts';
import { bytesOf } from './container-fields.ts';

export type Wish = {
  image: string;
  name: string;
  command?: string[] | undefined;
  env?: string[] | undefined;
  ports?: string[] | undefined;
  mounts?: string[] | undefined;
  network?: string | undefined;
  memory?: string | undefined;
  cpus?: number | undefined;
  pids?: number | undefined;
  restart?: string | undefined;
  health?: string | undefined;
  every?: string | undefined;
  user?: string | undefined;
  privileged?: boolean | undefined;
};

/** `127.0.0.1:8080:80/udp` → `80/udp` at 127.0.0.1:8080. */
function portOf(mapping: string): { inner: string; ip: string; outer: string } {
  const [front = '', protocol = 'tcp'] = mapping.split('/');
  const parts = front.split(':');
  const [inner = '', outer = '', ip = ''] = parts.toReversed();
  return { inner: `${inner}/${protocol}`, ip, outer };
}

function hostConfig({ ports = [], mounts = [], network, memory, cpus, pids, restart, privileged }: Wish): JsonObject {
  const [policy = '', times] = (restart ?? '').split(':');
  const bindings: Record<string, JsonObject[]> = {};
  for (const { inner, ip, outer } of ports.map(portOf))
    bindings[inner] = [...(bindings[inner] ?? []), { HostIp: ip, HostPort: outer }];
  return {
    ...(ports.length > 0 && { PortBindings: bindings }),
    ...(mounts.length > 0 && { Binds: mounts }),
    ...(network !== undefined && { NetworkMode: network }),
    // No more memory in the guise of swap.
    ...(memory !== undefined && { Memory: bytesOf(memory), MemorySwap: bytesOf(memory) }),
    ...(cpus !== undefined && { NanoCpus: Math.round(cpus * 1e9) }),
    ...(pids !== undefined && { PidsLimit: pids }),
    ...(restart !== undefined && { RestartPolicy: { Name: policy, MaximumRetryCount: Number(times ?? 0) } }),
    ...(privileged && { Privileged: true }),
    ...(!privileged && { SecurityOpt: ['no-new-privileges'] }),
  };
}

/** The container as Docker's API wants it: https://docs.docker.com/reference/api/engine/ (ContainerCreate) */
export function bodyOf(wish: Wish): JsonObject {
  const { image, command, env, ports = [], health, every, user } = wish;
  const interval = (durationMs(every ?? '30s') ?? 30_000) * 1e6;
  return {
    Image: image,
    ...(command && { Cmd: command }),
    ...(env && { Env: env }),
    ...(user !== undefined && { User: user }),
    ...(ports.length > 0 && { ExposedPorts: Object.fromEntries(ports.map((each) => [portOf(each).inner, {}])) }),
    ...(health !== undefined && {
      Healthcheck: { Test: ['CMD-SHELL', health], Interval: interval, Timeout: Math.min(interval, 30e9), Retries: 3 },
    }),
    HostConfig: hostConfig(wish),
  };
}

const hidden = (entry: string): string => {
  const [name = ''] = entry.split('=');
  return soundsSecret(name) ? mask : entry.slice(name.length + 1);
};

/** What people are shown before they say yes; values of variables that sound like secrets are not. */
export function changesOf({ name, env = [], image, privileged, ...rest }: Wish) {
  const path = (field: string) => `container/${name} ${field}`;
  const plain = Object.entries(rest).flatMap(([field, value]) =>
    value === undefined ? [] : [{ path: path(field), to: Array.isArray(value) ? value.join(' ') : value }],
  );
  return [
    { path: path('image'), to: image },
    ...plain,
    ...env.map((entry) => ({ path: path(`env.${entry.split('=')[0]}`), to: hidden(entry) })),
    ...(privileged ? [{ path: path('privileged'), to: true }] : []),
  ];
}
