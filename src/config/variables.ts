import { z } from 'zod';

const text = z.string();
const url = (...protocols: string[]) =>
  text.refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol.slice(0, -1)));
const beginning = (...starts: string[]) => text.refine((value) => starts.some((start) => value.startsWith(start)));
const loopback = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])([:/]|$)/;

/** Of several hosts, as sentinels and cluster nodes have, the first stands for the rest. */
const firstOf = (redisUrl: string) => redisUrl.split(',')[0] ?? '';

function passwordIn(redisUrl: string): string | undefined {
  try {
    return decodeURIComponent(new URL(firstOf(redisUrl)).password);
  } catch {
    return undefined;
  }
}

/** Checked fully where it is used; here, that it is the address of a Redis at all. */
const redisUrl = text
  .regex(/^(rediss?:\/\/\S+|redis-sentinel:\/\/[^\s/]+\/[^\s/]+|redis-cluster:\/\/[^\s/]+)$/)
  .refine((value) => passwordIn(value) !== undefined);

const isKey = (key: string) =>
  /^[0-9a-f]{64}$/i.test(key) || (/^[A-Za-z0-9+/]{43}=$/.test(key) && atob(key).length === 32);

/** Keys of 32 bytes, in hexadecimal or base64, with commas between. */
const keys256 = text.refine((value) => value.split(',').every((key) => isKey(key.trim())));

type Variable = {
  form: z.ZodType<unknown, string | undefined>;
  /** Completes “NAME should be …”. */
  should: string;
  /** The value may stand in an error's text: it is no secret and can hold none. */
  open?: true;
};

const variable = <Form extends Variable['form']>(form: Form, should: string, open?: true) => ({ form, should, open });

/**
 * Every environment variable that Shipmate knows, with what it must look like.
 * `.env.example` says what each is for; a test holds the two together.
 */
export const variables = {
  PORT: variable(
    text
      .regex(/^\d{1,5}$/)
      .default('3015')
      .transform(Number)
      .pipe(z.number().max(65_535)),
    'a port from 0 to 65535',
    true,
  ),
  HOST: variable(text.regex(/^[\w.:-]+$/).default('0.0.0.0'), 'an address to listen on, such as 127.0.0.1', true),
  NODE_ENV: variable(
    z.enum(['development', 'production', 'test']).default('production'),
    'development, production or test',
    true,
  ),
  LOG_LEVEL: variable(
    z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
    'fatal, error, warn, info, debug, trace or silent',
    true,
  ),
  ROLE: variable(z.enum(['bot', 'worker', 'all']).default('all'), 'bot, worker or all', true),
  REDIS_URL: variable(
    redisUrl.default('redis://127.0.0.1:6379'),
    'a URL such as redis://127.0.0.1:6379, rediss:// for TLS, redis-sentinel://HOST:PORT,…/MASTER or redis-cluster://HOST:PORT,…',
  ),
  SHIPMATE_CONFIG: variable(text.default('shipmate.yaml'), 'the path of shipmate.yaml'),
  PUBLIC_URL: variable(url('http', 'https').optional(), 'a URL such as https://shipmate.example.com'),
  SLACK_BOT_TOKEN: variable(beginning('xoxb-').optional(), 'a bot token; it begins with xoxb-'),
  SLACK_SIGNING_SECRET: variable(
    text.regex(/^[^\s-]{8,}$/).optional(),
    'the signing secret of the app’s “Basic Information” page, not a token',
  ),
  SLACK_APP_TOKEN: variable(beginning('xapp-').optional(), 'an app-level token; it begins with xapp-'),
  SLACK_API_URL: variable(
    url('http', 'https').optional(),
    'the base address of a Slack API, such as https://slack-gov.com/api/',
  ),
  KUBECONFIG: variable(text.optional(), 'the path of a kubeconfig file'),
  K8S_CONTEXT: variable(text.optional(), 'the name of a context of the kubeconfig'),
  K8S_ENDPOINT: variable(
    url('https', 'http').optional(),
    'the address of an API server, such as https://10.0.0.1:6443',
  ),
  K8S_REGION: variable(text.regex(/^[\w-]{1,64}$/).optional(), 'the name of a region, such as eu-central-1'),
  DOCKER_HOST: variable(
    url('unix', 'tcp', 'http', 'https').optional(),
    'the address of a Docker daemon, such as unix:///var/run/docker.sock or tcp://10.0.0.1:2376',
  ),
  BUILDX: variable(text.startsWith('/').optional(), 'the absolute path of the program docker-buildx'),
  DOCKER_USERNAME: variable(text.optional(), 'a user name of Docker Hub'),
  DOCKER_PASSWORD: variable(text.optional(), 'an access token of Docker Hub'),
  DOCKER_EMAIL: variable(z.email().optional(), 'an email address'),
  REGISTRY_URL: variable(
    url('http', 'https').optional(),
    'the address of a registry, such as https://registry.example.com',
  ),
  REGISTRY_USERNAME: variable(text.optional(), 'a user name of the registry'),
  REGISTRY_PASSWORD: variable(text.optional(), 'a password or access token of the registry'),
  COSIGN_KEY: variable(
    text.refine((value) => !value.includes('-----BEGIN PUBLIC')).optional(),
    'a private key: the path of a PEM file, or its text',
  ),
  COSIGN_PASSWORD: variable(text.optional(), 'the password of COSIGN_KEY'),
  TRIVY_PATH: variable(text.optional(), 'the path of the program Trivy'),
  TRIVY_CACHE_DIR: variable(text.optional(), 'the folder that Trivy keeps its database in'),
  JWT_SECRET: variable(text.min(32).optional(), 'at least 32 characters; openssl rand -base64 48 makes one'),
  JWKS_URI: variable(
    text.refine((value) => URL.canParse(value) && (value.startsWith('https://') || loopback.test(value))).optional(),
    'an https address: whoever can change the keys on their way can be anybody',
  ),
  JWT_ISSUER: variable(text.optional(), 'the issuer (iss) of tokens'),
  JWT_AUDIENCE: variable(
    text.optional(),
    'the audience (aud) that tokens must be meant for; without it a token for any service of the issuer is taken',
  ),
  ALERTMANAGER_TOKEN: variable(
    text.regex(/^\S{16,}$/).optional(),
    'at least 16 characters without blanks; openssl rand -hex 32 makes one',
  ),
  HARBOR_USERNAME: variable(text.optional(), 'a user or robot account of Harbor'),
  HARBOR_PASSWORD: variable(text.optional(), 'that account’s password or secret'),
  HARBOR_WEBHOOK_TOKEN: variable(
    text.regex(/^\S{16,}$/).optional(),
    'at least 16 characters without blanks; openssl rand -hex 32 makes one',
  ),
  REGISTRY_WEBHOOK_TOKEN: variable(
    text.regex(/^\S{16,}$/).optional(),
    'at least 16 characters without blanks; openssl rand -hex 32 makes one',
  ),
  GITHUB_WEBHOOK_SECRET: variable(
    text.regex(/^\S{16,}$/).optional(),
    'at least 16 characters without blanks; openssl rand -hex 32 makes one',
  ),
  DOCKER_HUB_WEBHOOK_TOKEN: variable(
    text.regex(/^[\w-]{16,100}$/).optional(),
    '16 to 100 letters, digits, “_” and “-”; openssl rand -hex 32 makes one',
  ),
  AUDIT_FILE: variable(text.optional(), 'the path of a file that the audit log is kept in as well'),
  METRICS_ENDPOINT: variable(
    url('http', 'https').optional(),
    'the address of Prometheus, such as http://prometheus:9090',
  ),
  TRACING_ENDPOINT: variable(
    url('http', 'https').optional(),
    'the address of an OTLP collector, such as http://collector:4318',
  ),
  GITOPS_REPO: variable(
    text.regex(/^(https:\/\/|ssh:\/\/|git@[\w.-]+:)[^\s-]\S*$/).optional(),
    'the address of a Git repository: https://…, ssh://… or git@host:path',
  ),
  ENCRYPTION_KEY: variable(
    keys256.optional(),
    '32 bytes as 64 hexadecimal digits or in base64; after a comma, older keys that still open what they sealed',
  ),
} as const satisfies Record<string, Variable>;

export type VariableName = keyof typeof variables;
/** The environment as read: each variable under its own name. */
export type Environment = { readonly [Name in VariableName]: z.output<(typeof variables)[Name]['form']> };

const secret = [
  'SLACK_BOT_TOKEN',
  'SLACK_SIGNING_SECRET',
  'SLACK_APP_TOKEN',
  'DOCKER_PASSWORD',
  'REGISTRY_PASSWORD',
  'COSIGN_PASSWORD',
  'JWT_SECRET',
  'ALERTMANAGER_TOKEN',
  'HARBOR_PASSWORD',
  'HARBOR_WEBHOOK_TOKEN',
  'REGISTRY_WEBHOOK_TOKEN',
  'GITHUB_WEBHOOK_SECRET',
  'DOCKER_HUB_WEBHOOK_TOKEN',
] as const satisfies readonly VariableName[];

/** The values that must not turn up anywhere: those of secret variables, each key, and Redis' password. */
export function secretsOf(env: Environment): (string | undefined)[] {
  const key = env.COSIGN_KEY?.includes('-----BEGIN ') ? env.COSIGN_KEY : undefined;
  return [
    ...secret.map((name) => env[name]),
    key,
    ...(env.ENCRYPTION_KEY?.split(',') ?? []),
    passwordIn(env.REDIS_URL),
  ];
}
