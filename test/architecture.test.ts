import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');

/** Who may import whom. A room may always import from itself. */
const rooms: Record<string, string[]> = {
  'src/core': [],
  'src/config': ['src/core'],
  'src/store': ['src/core'],
  'src/clients/docker': ['src/core'],
  'src/clients/git': ['src/core'],
  'src/clients/harbor': ['src/core'],
  'src/clients/kube': ['src/core'],
  'src/clients/prometheus': ['src/core'],
  'src/clients/registry': ['src/core'],
  'src/clients/web-hook': ['src/core'],
  'src/clients/signing': ['src/core'],
  'src/clients/trivy': ['src/core'],
  'src/engine': ['src/core', 'src/store'],
  'src/operations': ['src/core'],
  'handlers/slack': ['src/core', 'src/engine', 'src/operations'],
  'handlers/http': ['src/core', 'src/engine', 'src/operations', 'handlers/webhooks'],
  'handlers/webhooks': ['src/core', 'src/engine', 'src/operations'],
  jobs: ['src/core', 'src/engine', 'src/operations', 'src/store'],
};

/** Packages that only one room may know. */
const owned: Record<string, string> = {
  '@slack/': 'handlers/slack',
  bullmq: 'jobs',
  '@kubernetes/client-node': 'src/clients/kube',
  dockerode: 'src/clients/docker',
  fastify: 'handlers/',
  jose: 'handlers/http',
};
const corePackages = ['zod', 'fastest-levenshtein', 'node:crypto', 'node:util'];

const files = (dir: string): string[] =>
  readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    if (statSync(path).isDirectory()) return files(path);
    return path.endsWith('.ts') ? [path] : [];
  });
const sources = ['src', 'handlers', 'jobs']
  .flatMap((dir) => files(join(root, dir)))
  .map((path) => relative(root, path));
const roomOf = (path: string) => Object.keys(rooms).find((room) => path.startsWith(`${room}/`));

const imports = sources.flatMap((from) => {
  const text = readFileSync(join(root, from), 'utf8');
  return [...text.matchAll(/^(?:import|export) [^;]*?from '([^']+)';/gm)].map(([, to = '']) => ({
    from,
    to: to.startsWith('.') ? relative(root, resolve(root, dirname(from), to)) : to,
    own: to.startsWith('.'),
  }));
});

test('every source file lives in a room', () => {
  expect(sources.filter((path) => !roomOf(path))).toEqual([
    'src/cli.ts',
    'src/log.ts',
    'src/main.ts',
    'src/outside.ts',
  ]);
  expect(imports.length).toBeGreaterThan(200);
});

test('rooms import only whom they may', () => {
  const wrong = imports.filter(({ from, to, own }) => {
    const [room, other] = [roomOf(from), roomOf(to)];
    return own && room !== undefined && other !== room && !rooms[room]?.includes(other ?? '');
  });
  expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
});

test('each SDK is known to one room, and core knows next to none', () => {
  const wrong = imports.filter(({ from, to, own }) => {
    const owner = Object.entries(owned).find(
      ([name]) => to === name || to.startsWith(name.endsWith('/') ? name : `${name}/`),
    )?.[1];
    if (own || from.startsWith('src/main.ts')) return false;
    return (
      (owner !== undefined && !from.startsWith(owner)) || (from.startsWith('src/core/') && !corePackages.includes(to))
    );
  });
  expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
});

test('the Kubernetes library is imported where it is needed, when it is: it costs half a second of CPU', () => {
  const eager = imports.filter(({ from, to }) => {
    const text = readFileSync(join(root, from), 'utf8');
    return to === '@kubernetes/client-node' && !/^import type [^;]*'@kubernetes\/client-node';/m.test(text);
  });
  expect(eager.map(({ from }) => from)).toEqual([]);
});

test('no source file is longer than 250 lines', () => {
  const long = sources.filter((path) => readFileSync(join(root, path), 'utf8').split('\n').length > 251);
  expect(long).toEqual([]);
});

/** The three that know what Slack says of whose somebody is: what a request claims, where we are installed, who is a member. */
const identity = ['claims', 'installation', 'members'].map((name) => `handlers/slack/${name}.ts`);
const claim =
  /\b(\w*team_id|user_team|source_team|enterprise(_id|_user|Id)?|is_stranger|user_id)\b|\bcontext\.\w*[iI]d\b|\bbody\.(team|user)\b|\bevent\.(user|team)\b/;

test('whose somebody in Slack is, is nowhere taken from a request', () => {
  const slack = sources.filter((path) => path.startsWith('handlers/slack/') && !identity.includes(path));
  expect(slack.filter((path) => claim.test(readFileSync(join(root, path), 'utf8')))).toEqual([]);
  expect(claim.test('askerOf({ team: body.user.team_id ?? body.team?.id })')).toBe(true);
});

test('an actor of Slack is made of a member alone (`can` asks only what the policy would say of one)', () => {
  const makers = sources.filter((path) =>
    /kind: 'slack'( as const)?[,\s]/.test(readFileSync(join(root, path), 'utf8')),
  );
  expect(makers.sort()).toEqual(['handlers/slack/members.ts', 'src/operations/admin/can.ts']);
});

test('every listener for Slack asks who was let in, and the door stands before all of them', () => {
  const read = (path: string) => readFileSync(join(root, path), 'utf8');
  const listener = /\bapp\.(command|action|view|event|shortcut|options|message|function|assistant)\b/;
  const listening = sources.filter((path) => listener.test(read(path)));
  expect(listening.sort()).toEqual(['actions', 'commands', 'events'].map((name) => `handlers/slack/${name}.ts`));
  expect(listening.filter((path) => !read(path).includes('memberOf(context)'))).toEqual([]);
  const app = read('handlers/slack/app.ts');
  expect(app.indexOf('app.use(admission.middleware)')).toBeGreaterThan(0);
  expect(app.indexOf('app.use(admission.middleware)')).toBeLessThan(
    app.search(/register(Commands|Actions|Events)\(\n? *app/),
  );
});

test('the text of a message is made by the functions that make it harmless: no bare template, no cast', () => {
  const slack = sources.filter((path) => path.startsWith('handlers/slack/'));
  const read = (path: string) => readFileSync(join(root, path), 'utf8');
  // What a button asks before it counts is plain text.
  const bare = slack.filter((path) => /\btext(:| =) `/.test(read(path)) && !path.endsWith('run-buttons.ts'));
  expect(bare).toEqual([]);
  expect(slack.filter((path) => /\bas Mrkdwn\b|brand<'Mrkdwn'>/.test(read(path)))).toEqual([
    'handlers/slack/blocks/elements.ts',
  ]);
});
