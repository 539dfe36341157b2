import { z } from 'zod';
import { ExecSettings } from './exec-settings.ts';
import { Logins } from './image-settings.ts';

const loopback = /^tcp:\/\/(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?$/;
/** A user and host never begin with a dash: `ssh` would take them for an option. */
const ssh = /^ssh:\/\/([a-z_][\w.-]*@)?[a-z0-9][a-z0-9.-]*(:\d{1,5})?$/i;
const tcp = /^tcp:\/\/([a-z0-9][a-z0-9.-]*|\[[0-9a-f:]+\])(:\d{1,5})?$/i;
const socket = /^unix:\/\/\/[^\s?#]+$/;

const Folder = z
  .string()
  .regex(/^\/[^:\s]*$/, 'must be a folder of the host, such as /srv/data')
  .refine((path) => !path.split('/').includes('..'), 'must not climb (..)');

/** What containers may have that gives them more of their host than their own. */
const Allowed = z.strictObject({
  privileged: z.boolean().default(false),
  hostNetwork: z.boolean().default(false),
  /** Folders of the host that may be mounted, with all below them. */
  mounts: z.array(Folder).max(100).default([]),
  /** What images may be run or pulled: their beginning, as registry.example.com/team/. Without it, all. */
  images: z.array(z.string().min(1)).max(100).optional(),
});

const plainAllowed = { privileged: false, hostNetwork: false, mounts: [] };

/** A Docker host by a name of one's own. */
export const DockerHostSettings = z
  .strictObject({
    /** `unix:///var/run/docker.sock`, `tcp://HOST:2376` with `tls`, or `ssh://USER@HOST`. */
    address: z
      .string()
      .refine(
        (address) => [socket, tcp, ssh].some((form) => form.test(address)),
        'must be unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST',
      ),
    /** Files in PEM form: who the daemon must be, and who Shipmate is to it. */
    tls: z.strictObject({ ca: z.string().min(1), cert: z.string().min(1), key: z.string().min(1) }).optional(),
    /** Files for `ssh`, where they are not those that it finds by itself. */
    ssh: z.strictObject({ key: z.string().min(1).optional(), knownHosts: z.string().min(1).optional() }).optional(),
    /** Roles whose members may ask for anything there at all; the policy decides on top of it. */
    who: z.array(z.string()).min(1).default(['everyone']),
    /** Which commands may be run in its containers. Without it, none. */
    exec: ExecSettings.optional(),
    allow: Allowed.default(plainAllowed),
    /** The environment that it belongs to: its policy, locks, freezes and what it asks of images hold there too. */
    env: z.string().min(1).optional(),
  })
  .refine(
    ({ address, tls }) => tls !== undefined || !address.startsWith('tcp:') || loopback.test(address),
    'needs tls (ca, cert, key): whoever reaches a plain tcp:// daemon owns its host',
  );
export type DockerHostSettings = z.output<typeof DockerHostSettings>;

/** The Harbor that images are kept in. Its credentials are HARBOR_USERNAME and HARBOR_PASSWORD. */
export const HarborSettings = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).refine((url) => !URL.parse(url)?.username, 'must hold no credentials'),
  /** How images call it, where that is not the host of `url`. */
  registry: z.string().min(1).optional(),
  /** Who Harbor is to the registries that it replicates with. A password goes to Harbor with an address of that very host. */
  logins: Logins.default({}),
});
export type HarborSettings = z.output<typeof HarborSettings>;

/** What a push of an app's image starts. `tags` is a pattern: `v*` is every tag that begins with a v. */
export const PushSettings = z.strictObject({
  tags: z.string().min(1).max(128),
  env: z.string().min(1),
});
export type PushSettings = z.output<typeof PushSettings>;
