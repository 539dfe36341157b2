import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');

/** Who may import whom. A room may always import from itself. */
const rooms: Record<string, string[]> = {
  'src/core': [],
  'src/files': [],
  'src/processes': ['src/core'],
  'src/config': ['src/core', 'src/files'],
  'src/store': ['src/core'],
  'src/clients/docker': ['src/core', 'src/files', 'src/processes'],
  'src/clients/git': ['src/core', 'src/processes'],
  'src/clients/harbor': ['src/core'],
  'src/clients/kube': ['src/core', 'src/files'],
  'src/clients/prometheus': ['src/core'],
  'src/clients/registry': ['src/core'],
  'src/clients/web-hook': ['src/core'],
  'src/clients/signing': ['src/core', 'src/files'],
  'src/clients/trivy': ['src/core', 'src/files', 'src/processes'],
  'src/images': ['src/core'],
  'src/engine': ['src/core', 'src/store', 'src/images'],
  'src/operations': ['src/core', 'src/images', 'src/processes'],
  'src/init': ['src/core', 'src/config', 'src/clients/kube', 'src/operations'],
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
  // An `error` that nobody hears ends the process and all that is under way in it: there it is always heard.
  'node:child_process': 'src/processes',
  'node:worker_threads': 'src/processes',
};
const corePackages = ['zod', 'fastest-levenshtein', 're2js', 'node:crypto', 'node:util'];

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

/** What opens no file, or one that this process makes itself. */
const harmless =
  /^(access|constants|lstatSync|mkdir|mkdtemp|readdir|readdirSync|readlinkSync|closeSync|readSync|realpath|rm|stat|writeFile|type \w+)$/;

/** The only other places that open files, and why they may. */
const openers: Record<string, string> = {
  'src/files/regular-file.ts': 'the one way in: regular files alone, up to a limit',
  'src/cli.ts': 'streams an audit file that src/files has opened',
  'jobs/audit-file.ts': 'appends to a file of this process’s own',
};

test('files are read through src/files alone: no link, pipe, device or endless file gets further', () => {
  const opening = sources.flatMap((from) => {
    const text = readFileSync(join(root, from), 'utf8');
    const named = [...text.matchAll(/^import \{([^}]*)\} from 'node:fs(?:\/promises)?';/gm)].flatMap(([, names = '']) =>
      names.split(',').map((name) => name.trim()),
    );
    const mentions = [...text.matchAll(/['"](?:node:)?fs(?:\/promises)?['"]/g)].length;
    const whole = [...text.matchAll(/^import (?:type )?\{[^}]*\} from 'node:fs(?:\/promises)?';/gm)].length;
    const wrong = named.filter((name) => name !== '' && !harmless.test(name));
    return wrong.length > 0 || mentions > whole ? [from] : [];
  });
  expect(opening.sort()).toEqual(Object.keys(openers).sort());
});

test('a part of an address is encoded by inPath alone: the encoder of JavaScript throws at half a letter', () => {
  const wrong = sources.filter((path) => readFileSync(join(root, path), 'utf8').includes('encodeURIComponent'));
  // The others encode a digest and a repository.
  expect(wrong.sort()).toEqual([
    'src/clients/registry/blobs.ts',
    'src/clients/registry/store.ts',
    'src/core/url-part.ts',
  ]);
});

test('an app or environment is found by core/apps alone: many have no entry of their own, and what goes by a name missed them', () => {
  const byName = /\b(apps|environments)(\)|\?\.)?\[(?!'|\])|hasOwn\([^)]*\b(apps|environments)\b/;
  const wrong = sources.filter((path) => byName.test(readFileSync(join(root, path), 'utf8')));
  // Whether a name is written out, it says too.
  expect(wrong).toEqual(['src/core/apps.ts']);
  expect(byName.test('settings.environments[env]?.impersonate')).toBe(true);
});

test('signals are combined, and limits of time made, by within.ts alone: Node’s own are lost where nobody listens just then', () => {
  const own = /\bAbortSignal\s*\??\.\s*(any|timeout)\b|\{[^}]*\b(any|timeout)\b[^}]*\} = AbortSignal\b/;
  const making = sources.filter((path) => own.test(readFileSync(join(root, path), 'utf8')));
  expect(making).toEqual(['src/core/within.ts']);
});

/** What knows the documents of registries, and so may come by their bytes. */
const knowsDocuments = /from '[./]*(core\/)?(registry|in-toto|verification|oci-document|document-shapes)\.ts'/;

test('what a registry keeps is read by readOneWay alone: two programs read keys that are there twice, or in capitals, differently', () => {
  const reading = sources.filter((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    const near = /^src\/(clients\/registry|images|operations\/images)\//.test(path) || knowsDocuments.test(text);
    return (near || path === 'src/core/one-reading.ts') && /\bJSON\.parse\b|\.json\(\)/.test(text);
  });
  expect(reading).toEqual(['src/core/one-reading.ts']);
});

test('no source file is longer than 250 lines', () => {
  const long = sources.filter((path) => readFileSync(join(root, path), 'utf8').split('\n').length > 251);
  expect(long).toEqual([]);
});

/**
 * Whoever makes a stream, a socket or a server, and how its `error` is heard. One that nobody hears ends the process, and with it
 * every run that is under way there. Programs and threads are made in src/processes alone, which hears theirs.
 */
const heard: Record<string, string> = {
  'handlers/http/audit-api.ts': 'Fastify hears a stream that it sends',
  'handlers/http/runs-api.ts': 'Fastify hears a stream that it sends',
  'handlers/http/slack-door.ts': 'Fastify hears its server',
  'handlers/slack/app.ts': 'app.error; the receiver’s server is never started',
  'jobs/queue.ts': 'on error',
  'jobs/worker.ts': 'on error',
  'src/cli.ts': 'a command that ends with it',
  'src/clients/docker/engine-call.ts': 'on error, and the answer is read by for await',
  'src/clients/docker/push.ts': 'read by for await',
  'src/clients/docker/reach.ts': 'on error; requests are heard in engine-call.ts',
  'src/clients/docker/source.ts': 'pipeline, and on error of each entry',
  'src/clients/kube/exec.ts': 'on error; the writers never fail',
  'src/clients/kube/transport.ts': 'undici answers with a rejection',
  'src/store/connection.ts': 'on error in main.ts and notices.ts, which open them',
};
const makers = [
  /\bnew (Writable|Readable|Duplex|Transform|PassThrough|Redis|Cluster|Queue|Worker|Exec|WebSocket|WebSocketServer|Agent|EventEmitter|App)\(/,
  /\b(Readable|Duplex)\.from\(/,
  /\b(createServer|createReadStream|createWriteStream|createG(un)?zip|createBrotli\w+)\(/,
  /\b(plain|secure|https?\.(get|request)|way\.request)\(\{/,
  /from 'node:(tls|dgram|http2)';/,
  /\bnet\.connect\(/,
];

test('whoever makes a stream, a socket or a server says how its error is heard', () => {
  const making = sources.filter((path) => {
    const text = readFileSync(join(root, path), 'utf8').replaceAll(/^import type .*$/gm, '');
    return !path.startsWith('src/processes/') && makers.some((maker) => maker.test(text));
  });
  expect(making.sort()).toEqual(Object.keys(heard).sort());
});

/**
 * Files that read runs or the audit log without asking whether somebody may: they bring a run's own message up to date where
 * it was asked for, or look something up in runs of which they show nothing.
 */
const readsForNobody = [
  'handlers/slack/address.ts',
  'handlers/slack/announcer.ts',
  'handlers/slack/thread-news.ts',
  'src/operations/admin/figures.ts',
  'src/operations/delivery/canary/steer.ts',
  'src/operations/delivery/rollback.ts',
  'src/operations/delivery/status.ts',
  'src/operations/images/decision.ts',
  'src/operations/images/earlier-scan.ts',
];

test('surfaces and operations show runs and audit records to those alone who may read them', () => {
  const reads = /\b(store|runs|order|audit)\s*\.\s*(read|recent|events|history)\b/;
  const asks = /\b(mayRead|mayReadEntry)\(/;
  const unasked = sources.filter((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    const room = roomOf(path);
    return (room?.startsWith('handlers') || room === 'src/operations') && reads.test(text) && !asks.test(text);
  });
  expect(unasked.sort()).toEqual(readsForNobody);
});

/** What is refused to all but one person; there not to know means no. */
const refusesOthers = ['src/core/actor.ts', 'src/engine/permit.ts', 'src/operations/admin/locks.ts'];

test('“not the same person” is never taken for “somebody else”: nobody is, who cannot be told apart', () => {
  const doubting = sources.filter((path) => /!\s*\(?\s*samePerson\(/.test(readFileSync(join(root, path), 'utf8')));
  expect(doubting.filter((path) => !refusesOthers.includes(path))).toEqual([]);
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
