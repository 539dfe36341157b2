import { z } from 'zod';
import { durationMs } from '../../core/values.ts';

/** What a container is asked to be, in the words of `docker run`. */

const list = (entry: z.ZodType<string>) => z.array(entry).max(50);
const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^\P{Cc}*$/u, 'must have no control characters');

const port = '(6553[0-5]|655[0-2]\\d|65[0-4]\\d\\d|6[0-4]\\d{3}|[1-5]\\d{4}|[1-9]\\d{0,3})';

/** `8080:80`, `127.0.0.1:8080:80/udp`. */
export const PortMapping = z
  .string()
  .regex(
    new RegExp(`^(\\d{1,3}(\\.\\d{1,3}){3}:)?${port}:${port}(/(tcp|udp))?$`),
    'must be OUTER:INNER, as 8080:80 or 127.0.0.1:8080:80/udp',
  );

/** `data:/var/lib/data`, `/srv/web:/www:ro`. What is before the colon is a volume's name, or a folder of the host. */
export const Mount = z
  .string()
  .max(500)
  .regex(
    /^([a-zA-Z0-9][\w.-]*|\/[^:\s]*):\/[^:\s]*(:(ro|rw))?$/,
    'must be VOLUME:/PATH or /FOLDER:/PATH, with :ro for read only',
  )
  .refine((mount) => !mount.split(/[/:]/).includes('..'), 'must not climb (..)');

export const EnvEntry = z
  .string()
  .max(5_000)
  .regex(/^[A-Za-z_][A-Za-z0-9_.]*=[^\0]*$/, 'must be NAME=VALUE');

export const Memory = z
  .string()
  .regex(/^\d+(\.\d+)?(Ki|Mi|Gi|k|M|G|m|g)$/, 'must be an amount such as 512Mi')
  .meta({ examples: ['512Mi'] });

const factors: Record<string, number> = {
  k: 1e3,
  M: 1e6,
  m: 1e6,
  G: 1e9,
  g: 1e9,
  Ki: 1_024,
  Mi: 1_024 ** 2,
  Gi: 1_024 ** 3,
};

export function bytesOf(memory: string): number {
  const [, amount = '0', unit = ''] = /^([\d.]+)([A-Za-z]*)$/.exec(memory) ?? [];
  return Math.round(Number(amount) * (factors[unit] ?? 1));
}

export const RestartPolicy = z
  .string()
  .regex(/^(no|always|unless-stopped|on-failure(:\d{1,3})?)$/, 'must be no, always, unless-stopped or on-failure:N');

/** A word for a while, such as 30s. Kept as it was said, so that it reads again as the same. */
export const Interval = z
  .string()
  .refine((word) => (durationMs(word) ?? 0) >= 1_000 && (durationMs(word) ?? 0) <= 3_600_000, 'must be 1s to 1h');

export const containerFields = {
  command: list(text(1_000)).optional().describe('What it runs, where it is not what the image runs by itself'),
  env: list(EnvEntry).optional().describe('Variables, as NAME=VALUE'),
  ports: list(PortMapping).optional().describe('Ports of the host, as 8080:80'),
  mounts: list(Mount).optional().describe('Volumes, as data:/var/lib/data'),
  network: z
    .string()
    .regex(/^[a-zA-Z0-9][\w.-]{0,127}$/, 'must be the name of a network')
    .optional()
    .describe('A network of the host'),
  memory: Memory.optional(),
  cpus: z.number().positive().max(1_024).optional().describe('How many CPUs it may use'),
  pids: z.number().int().min(1).max(1_000_000).optional().describe('How many processes it may have'),
  restart: RestartPolicy.optional(),
  health: text(1_000).optional().describe('A command that tells whether it is well; a shell in the container reads it'),
  every: Interval.optional().describe('How often its health is looked at'),
  user: z
    .string()
    .regex(/^[\w.-]{1,64}(:[\w.-]{1,64})?$/, 'must be USER or USER:GROUP')
    .optional(),
};
