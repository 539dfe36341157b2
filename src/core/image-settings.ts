import { z } from 'zod';
import { Quantity } from './values.ts';

/** Where a secret value is, never the value: a variable of the process, or a file (a mounted Secret, say). */
export const SecretRef = z.union(
  [
    z.strictObject({
      env: z.string().regex(/^[A-Z_][A-Z0-9_]*$/, 'must be the name of a variable, such as NPM_TOKEN'),
    }),
    z.strictObject({ file: z.string().startsWith('/', 'must be an absolute path') }),
  ],
  'must be {env: NAME} or {file: /PATH}',
);
export type SecretRef = z.output<typeof SecretRef>;

/** `host` or `host:port`, as image references and addresses have it. */
const Host = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/i, 'must be a host, such as registry.example.com:5000');

export const Platform = z
  .string()
  .regex(/^[a-z0-9]+\/[a-z0-9_]+(\/[a-z0-9.]+)?$/, 'must be a platform, such as linux/arm64')
  .meta({ examples: ['linux/arm64'] });

/** A stage of a Dockerfile. */
export const Stage = z
  .string()
  .max(128)
  .regex(/^[a-zA-Z0-9][\w.-]*$/, 'must be the name or number of a stage')
  .meta({ examples: ['runtime'] });

/** How an app's image is built. */
export const AppBuild = z.strictObject({
  /** A folder, relative to this file; with `git`, one of the repository. */
  context: z.string().default('.'),
  /** The repository that it comes from: https://… or ssh://…, of a host under builds.gitHosts. */
  git: z.string().min(1).max(500).optional(),
  /** The branch that is built where nobody names one. */
  ref: z.string().min(1).max(250).default('main'),
  dockerfile: z.string().default('Dockerfile'),
  /** `{tag}` stands for the tag. */
  args: z.record(z.string(), z.string()).default({}),
  target: Stage.optional(),
  /** More than one needs builds.builder. */
  platforms: z.array(Platform).max(10).default([]),
  /** For `RUN --mount=type=secret,id=NAME`: they are in no image, log or plan. */
  secrets: z.record(z.string().regex(/^[\w.-]{1,64}$/, 'must be a name'), SecretRef).default({}),
  /** Keeps the cache beside the image, as `…:shipmate-cache`, so that any builder has it. */
  cache: z.boolean().default(false),
});
export type AppBuild = z.output<typeof AppBuild>;

/** Whose BuildKit builds: for platforms, cache and limits, which the daemon's own has not. */
const Builder = z.union(
  [
    /** One that runs somewhere. */
    z.strictObject({
      address: z.string().regex(/^(tcp:\/\/[^\s/]+:\d+|unix:\/\/\/\S+)$/, 'must be tcp://HOST:PORT or unix:///SOCKET'),
      /** Files of who it must be, and of who Shipmate is to it. */
      tls: z
        .strictObject({
          ca: z.string().startsWith('/'),
          cert: z.string().startsWith('/'),
          key: z.string().startsWith('/'),
        })
        .optional(),
    }),
    /** One in a container of the daemon, made when it is needed. */
    z.strictObject({ image: z.string().min(1).max(500).default('moby/buildkit:v0.25.0') }),
  ],
  'must be {image: IMAGE}, or {address: tcp://HOST:PORT}',
);

/** What builds at all may take, and from where. */
export const BuildSettings = z
  .strictObject({
    /** Folders that contexts asked for over REST or in chat may be in; relative ones are meant from the first. */
    folders: z.array(z.string().min(1)).max(50).default([]),
    /** Hosts that contexts may be fetched from over https and ssh; over plain http where they begin with `http://`. */
    gitHosts: z.array(z.string().min(1)).max(100).default([]),
    /** Where images may be pushed or copied to beside the apps' own: HOST/PATH/. The first is meant where none is said. */
    repositories: z.array(z.string().min(1).max(300)).max(100).default([]),
    /** Frontends that a Dockerfile may name with `# syntax=`; left out, none: the frontend runs with the build's rights. */
    frontends: z.array(z.string().min(1).max(300)).max(20).default([]),
    /** Left out, the daemon's own. */
    builder: Builder.optional(),
    /** What `RUN` sees of the network. */
    network: z.enum(['default', 'none', 'host']).default('default'),
    /** What the builder may use of its machine. */
    memory: Quantity.optional(),
    cpus: z.number().min(0.1).max(1_000).optional(),
    minutes: z.number().min(0.1).max(1_440).default(60),
    contextMegabytes: z.number().int().min(1).max(100_000).default(500),
    /** For so long an uploaded context is kept for a build that does not come; one that was built is deleted then. */
    uploadHours: z.number().min(0.001).max(8_760).default(24),
  })
  .refine(
    ({ builder, memory, cpus }) =>
      (builder !== undefined && 'image' in builder) || (memory === undefined && cpus === undefined),
    'memory and cpus need a builder with an image: the daemon’s own takes no limits, and one that runs elsewhere has its own',
  );
export type BuildSettings = z.output<typeof BuildSettings>;

/** How much a context may be, in bytes. */
export const contextLimit = ({ contextMegabytes }: Pick<BuildSettings, 'contextMegabytes'>): number =>
  contextMegabytes * 1_048_576;
export const plainBuilds: z.input<typeof BuildSettings> = {};

/** How Shipmate is known to a host: to no other. */
const Login = z.strictObject({ username: z.string().min(1), password: SecretRef });

/** Registries beside that of REGISTRY_URL, by host. */
export const Registries = z.record(
  Host,
  z.strictObject({
    ...Login.partial().shape,
    /** It speaks plain http. */
    insecure: z.boolean().default(false),
  }),
);
export type Registries = z.output<typeof Registries>;

/** Who Shipmate, or somebody in its stead, is to hosts that ask. */
export const Logins = z.record(Host, Login);
export type Logins = z.output<typeof Logins>;
