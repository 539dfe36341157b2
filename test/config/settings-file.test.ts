import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ConfigurationError } from '../../src/config/configuration-error.ts';
import { parseSettings, readSettings } from '../../src/config/settings-file.ts';
import { catalogue } from '../../src/operations/catalogue.ts';

const operations = [...catalogue.keys()];
const file = { name: 'shipmate.yaml', folder: '/srv/config' };
const parse = (text: string) => parseSettings(text, file, operations);

function faultsOf(text: string): readonly string[] {
  try {
    parse(text);
    return [];
  } catch (thrown) {
    if (thrown instanceof ConfigurationError) return thrown.faults;
    throw thrown;
  }
}

const base = 'apps: {web: {image: r/web}}\nenvironments: {production: {namespace: prod}}\n';

test('the example is right, and its build context is resolved from where it lies', async () => {
  const path = fileURLToPath(new URL('../../shipmate.example.yaml', import.meta.url));
  const settings = await readSettings(path, operations);
  expect(settings.apps.web?.build?.context).toBe(fileURLToPath(new URL('../../web', import.meta.url)));
  expect(settings.policy.map(({ approvals }) => approvals)).toContain(1);
});

test('an absolute build context stays as it is', () => {
  const settings = parse(base.replace('{image: r/web}', '{image: r/web, build: {context: /src/web}}'));
  expect(settings.apps.web?.build?.context).toBe('/src/web');
});

test('every fault is listed at once, with its line, its path and what may have been meant', () => {
  const text = [
    'apps:',
    '  web:',
    '    imag: r/web',
    '  Shop: {image: r/shop}',
    'environments:',
    '  production: {namespace: prod, rolloutTimeoutSeconds: soon}',
    'polcy: []',
  ].join('\n');
  expect(faultsOf(text)).toEqual([
    'shipmate.yaml:3 apps.web.imag: there is no such setting. Did you mean “image”?',
    'shipmate.yaml:2 apps.web.image: is missing.',
    'shipmate.yaml:4 apps.Shop: the name must be lower-case letters, digits and “-”.',
    'shipmate.yaml:6 environments.production.rolloutTimeoutSeconds: is a text: a number belongs here.',
    'shipmate.yaml:7 polcy: there is no such setting. Did you mean “policy”?',
  ]);
});

test.each([
  [
    'policy: [{name: a, operations: [deplyo]}]',
    'operations[0]: there is no operation “deplyo”. Did you mean “deploy”?',
  ],
  ['policy: [{name: a, environments: [productoin]}]', 'environments[0]: there is no environment “productoin”. Did you'],
  ['policy: [{name: a, apps: [wen]}]', 'apps[0]: there is no app “wen”. Did you mean “web”?'],
  ['policy: [{name: a, who: [everyon]}]', 'who[0]: there is no role “everyon”. Did you mean “everyone”?'],
  ['policy: [{name: a, approvers: [constructor]}]', 'approvers[0]: there is no role “constructor”.'],
  ['people: {ana: {slack: U1}}\nroles: {eng: [anna]}', 'roles.eng[0]: there is no person “anna”. Did you mean “ana”?'],
  ['people: {ana: {slack: U1}}\nroles: {everyone: [ana]}', '“everyone” is built in'],
  ['people: {ana: {slack: U1}, ben: {slack: U1}}', 'people.ben.slack: ana has the same slack.'],
  ['people: {ana: {subject: a}, ben: {subject: a}}', 'people.ben.subject: ana has the same subject.'],
  [
    'people: {ana: {kubernetes: {user: a}}, ben: {kubernetes: {user: a}}}',
    'people.ben.kubernetes: ana has the same kubernetes.',
  ],
  [
    'people: {ana: {kubernetes: {user: "system:admin"}}}',
    'kubernetes.user: must be a name without spaces, and none of the',
  ],
  [
    'people: {ana: {kubernetes: {user: a, groups: ["system:masters"]}}}',
    'kubernetes.groups[0]: must be a name without',
  ],
  ['policy: [{name: a}, {name: a}]', 'there is another rule “a”'],
  [
    'people: {ana: {slack: U1}}\nroles: {eng: [ana]}\npolicy: [{name: a, approvals: 2, approvers: [eng]}]',
    '2 approvals are asked for, but 1 people may approve (eng).',
  ],
])('%s is refused', (text, words) => {
  expect(faultsOf(base + text).join('\n')).toContain(words);
});

test.each(['Web', 'r/web:v1', 'https://r.example.com/web', 'r/web:', 'web v2', `r/web@sha256:${'a'.repeat(64)}`, ''])(
  'an app’s image is a repository, and not “%s”',
  (image) => {
    expect(faultsOf(base.replace('image: r/web', `image: '${image}'`))).toEqual([
      'shipmate.yaml:1 apps.web.image: must be an image without a tag, such as registry.example.com/team/web.',
    ]);
  },
);

test.each([
  [
    'a key that stands there twice',
    `${base}apps: {web: {image: other}}`,
    'shipmate.yaml:3 “apps” stands here a second time: put',
  ],
  ['a second document', `${base}---\n${base}`, 'A second document begins here'],
  ['what is not YAML', 'apps: [', 'shipmate.yaml:1'],
  ['a list', '- apps', 'shipmate.yaml:1 is a list: settings belong here (“NAME: …”).'],
  ['nothing', '', 'apps: is missing.'],
  ['a megabyte', `# ${'x'.repeat(1_048_576)}`, 'larger than 1 MiB'],
])('%s is refused', (_what, text, words) => {
  expect(faultsOf(text).join('\n')).toContain(words);
});

test.each([
  '{app}.example.com/web',
  'r-{app}:5000/web',
  '{app}/web',
  '{app}:5000/{app}',
  '{app}',
  'a-{app}',
  '{app}.io',
])('“%s” would have each app choose its registry by its name', (image) => {
  const text = base.replace('web: {image: r/web}', `'*': {image: '${image}'}`);
  const problem = 'must not have {app} before its first “/”: no name chooses the registry.';
  expect(faultsOf(text)).toEqual([`shipmate.yaml:1 apps.*.image: ${problem}`]);
  expect(faultsOf(text.replace(image, 'r.example.com/{app}/web-{app}'))).toEqual([]);
});

const byPattern = "apps: {'*': {image: 'r/{app}'}}\nenvironments: {'*': {namespace: '{env}'}}\n";
const allowing = '{id: A, reason: b, until: 2027-01-31, ';
const frozen = "{name: a, from: '2030-01-01T00:00', to: '2030-01-02T00:00', ";

/** Lists of names, and what they hold else: where any name is covered, what no name can fit is refused all the same. */
const lists: [string, (names: string) => string][] = [
  ['policy[0].apps', (names) => `policy: [{name: a, apps: ${names}}]`],
  ['policy[0].environments', (names) => `policy: [{name: a, environments: ${names}}]`],
  ['freezes[0].apps', (names) => `freezes: [${frozen}apps: ${names}}]`],
  ['freezes[0].environments', (names) => `freezes: [${frozen}environments: ${names}}]`],
  ['images.allow[0].apps', (names) => `images: {allow: [${allowing}apps: ${names}}]}`],
  ['images.allow[0].environments', (names) => `images: {allow: [${allowing}environments: ${names}}]}`],
  ['manifests.clusterScopedIn', (names) => `manifests: {clusterScopedIn: ${names}}`],
];

test.each(lists)('%s holds names and patterns that a name can fit', (path, text) => {
  expect(faultsOf(byPattern + text("['*-pay-*', 'Pay_*', Web, sts/db]"))).toEqual([
    `shipmate.yaml:3 ${path}[0]: “*-pay-*” has more than one “*”.`,
    `shipmate.yaml:3 ${path}[1]: “Pay_*” must be lower-case letters, digits and “-”.`,
    `shipmate.yaml:3 ${path}[2]: “Web” must be lower-case letters, digits and “-”.`,
    `shipmate.yaml:3 ${path}[3]: “sts/db” must be lower-case letters, digits and “-”.`,
  ]);
  expect(faultsOf(byPattern + text("['*', '*-eu', web]"))).toEqual([]);
  expect(faultsOf(base + text("['x-*']"))).toEqual([expect.stringMatching(/there is no (app|environment) “x-\*”/)]);
});

test.each([
  [
    'fleets: {all: [web, "pr-*", Web_1]}',
    ['fleets.all[1]: there is no environment “pr-*”', 'all[2]: there is no environment'],
  ],
  ['dockerHosts: {a: {address: "unix:///a", env: Web_1}}', ['there is no environment “Web_1”']],
])('what names one environment is a name: %s', (text, words) => {
  expect(faultsOf(byPattern + text)).toEqual(words.map((each) => expect.stringContaining(each)));
});

test('what is written out has no blank where a name stands: it is filled in for patterns alone', () => {
  const app =
    "{image: 'r.io/{app}', images: ['r.io/a/{app}'], workload: 'a-{app}', container: '{app}', owner: '{app}', analysis: '{app}', rollout: {service: '{app}-svc'}}";
  const said = faultsOf(`apps: {web: ${app}}\nenvironments: {live: {namespace: 'a-{env}', analysis: '{env}'}}\n`);
  const left = (path: string, blank: string) => `${path}: ${blank} is filled in for patterns alone: write the name.`;
  expect(said.map((each) => each.replace(/^shipmate.yaml:\d /, '')).sort()).toEqual([
    'apps.web.analysis: there is no analysis “{app}”.',
    left('apps.web.container', '{app}'),
    left('apps.web.image', '{app}'),
    left('apps.web.images[0]', '{app}'),
    'apps.web.owner[0]: there is no role “{app}”.',
    left('apps.web.rollout.service', '{app}'),
    left('apps.web.workload', '{app}'),
    'environments.live.analysis: there is no analysis “{env}”.',
    left('environments.live.namespace', '{env}'),
  ]);
  // As it was before there were patterns: such a context of a kubeconfig, and letters that a program reads.
  const old = `build: {args: {NAME: '\${app}'}}`;
  expect(
    faultsOf(`apps: {web: {image: r/web, ${old}}}\nenvironments: {live: {namespace: a, cluster: 'c-{env}'}}\n`),
  ).toEqual([]);
});

test('a push leads to an environment that there is, and to no pattern', () => {
  const pushed = (env: string) => byPattern.replace("{app}'", `{app}', on: {push: {tags: 'v*', env: '${env}'}}`);
  const at = 'shipmate.yaml:1 apps.*.on.push.env: there is no environment';
  expect(faultsOf(pushed('*'))).toEqual([`${at} “*”.`]);
  expect(faultsOf(pushed('Web_1'))).toEqual([`${at} “Web_1”.`]);
  expect(['web', 'pr-{app}'].flatMap((env) => faultsOf(pushed(env)))).toEqual([]);
});

const more = 'environments:\n  staging: { namespace: staging }\npolicy:\n  - { name: all, effects: [read] }\n';

test.each([
  ["apps:\n  *: { image: 'r/{app}', channel: C0 }", "2 what begins with “*” must be in quotes: '*'."],
  ["apps:\n  *-api: { image: 'r/{app}' }", "2 what begins with “*” must be in quotes: '*-api'."],
  ["apps:\n  *:\n    image: 'r/{app}'\n    channel: C0", "2 what begins with “*” must be in quotes: '*'."],
  ["apps:\n  web: {image: r/web}\n  *:\n    image: 'r/{app}'", "3 what begins with “*” must be in quotes: '*'."],
  ['apps: {web: {image: r/web}}\nfreezes: [{apps: [*]}]', "2 what begins with “*” must be in quotes: '*'."],
  ['apps: {web: {image: r/web}}\nfreezes: [{apps: [ *-api ]}]', "2 what begins with “*” must be in quotes: '*-api'."],
  [
    "apps:\n  '*': { image: r.example.com/{app}, channel: C0 }",
    "2 what has braces in it must be in quotes: 'r.example.com/{app}'.",
  ],
  ["apps:\n  '*': { image: r/{ app }-main }", "2 what has braces in it must be in quotes: 'r/{ app }-main'."],
  ["apps:\n  '*': { image: {app} }", "2 apps.*.image: what has braces in it must be in quotes: '{app}'."],
])('%j wants quotes, and nothing else is said of it', (text, words) => {
  expect(faultsOf(`${text}\n${more}`)).toEqual([`shipmate.yaml:${words}`]);
});

test.each([
  ['image', 'r/{ap}', '{ap}', '{app}'],
  ['image', 'r/{env}', '{env}', '{app}'],
  ['image', 'r/{ app }', '{ app }', '{app}'],
  ['workload', '{ap}-server', '{ap}', '{app}'],
  ['images', 'r.example.com/{ap}/*', '{ap}', '{app}'],
])('of an app’s %s “%s” the wrong blank is named, and the right one', (field, text, wrong, right) => {
  const value = field === 'images' ? `['${text}']` : `'${text}'`;
  const image = field === 'image' ? '' : "image: 'r/{app}', ";
  expect(faultsOf(`apps:\n  '*': { ${image}${field}: ${value} }\n${more}`)).toEqual([
    `shipmate.yaml:2 apps.*.${field}${field === 'images' ? '[0]' : ''}: has ${wrong} in it: what stands for the name here is ${right}.`,
  ]);
});

test('of a namespace the wrong blank is named, and the right one', () => {
  expect(faultsOf("apps: {}\nenvironments:\n  preview-*: { namespace: '{app}' }")).toEqual([
    'shipmate.yaml:3 environments.preview-*.namespace: has {app} in it: what stands for the name here is {env}.',
  ]);
});

test.each([
  ['apps:', 'apps: is empty: entries by name belong here (“NAME: …”).'],
  ['apps: [web]', 'apps: is a list: entries by name belong here (“NAME: …”).'],
  ['apps: web', 'apps: is a text: entries by name belong here (“NAME: …”).'],
  ['apps: {web: }', 'apps.web: is empty: settings belong here (“NAME: …”).'],
  ['apps: {web: r/web}', 'apps.web: is a text: settings belong here (“NAME: …”).'],
  ['apps: {}\nfreezes: {a: b}', 'freezes: is a mapping: a list belongs here (“- …”, or “[…]”).'],
  ['apps: {}\nchannel:', 'channel: is empty: a text belongs here.'],
  ['apps: {}\nreads: {perMinute: 1.5}', 'reads.perMinute: is a number: a whole number belongs here.'],
  ['apps: {}\nfreezes: 3', 'freezes: is a number: a list belongs here (“- …”, or “[…]”).'],
])('%j is refused in plain words', (text, words) => {
  expect(faultsOf(`${text}\n${more}`)).toEqual([`shipmate.yaml:${text.split('\n').length} ${words}`]);
});

test('a key that stands twice is named', () => {
  expect(faultsOf(`apps:\n  web: {image: r/a}\n  web: {image: r/b, image: r/c}\n${more}`)).toEqual([
    'shipmate.yaml:3 “web” stands here a second time: put both together, or take one away.',
    'shipmate.yaml:3 “image” stands here a second time: put both together, or take one away.',
  ]);
});

test('of many faults ten are shown, and how many there are besides', () => {
  const apps = Array.from({ length: 13 }, (_, n) => `  app-${n}: {imag: r/a}`);
  const faults = faultsOf(`apps:\n${apps.join('\n')}\n${more}`);
  expect(faults).toHaveLength(11);
  expect(faults.at(-1)).toBe('and 16 more.');
});

test('aliases of aliases do not fill the memory', () => {
  const level = (name: string, of: string) => `${name}: &${name} [${Array(9).fill(of).join(',')}]`;
  const bomb = [level('a', 'x'), level('b', '*a'), level('c', '*b'), level('d', '*c'), level('e', '*d')].join('\n');
  expect(faultsOf(bomb).join()).toContain('alias');
});

test('a file that is not there is named, with what to do', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shipmate-config-'));
  try {
    const path = join(folder, 'shipmate.yaml');
    await expect(readSettings(path, operations)).rejects.toThrow(/ENOENT.*shipmate\.example\.yaml/s);
    await writeFile(path, base);
    expect((await readSettings(path, operations)).apps.web?.image).toBe('r/web');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('public keys are files from where the settings lie, or texts; allowances name what there is', () => {
  const pem = '-----BEGIN PUBLIC KEY-----';
  const more = `{namespace: a, verify: {keys: [keys/cosign.pub, "${pem}"]}}`;
  const settings = parse(base.replace('{namespace: prod}', more));
  expect(settings.environments.production?.verify?.keys).toEqual(['/srv/config/keys/cosign.pub', pem]);
  const allow = 'images: {allow: [{id: A, reason: b, until: 2027-01-31, apps: [web2]}]}\n';
  expect(faultsOf(`${base}${allow}`)).toEqual([expect.stringContaining('there is no app “web2”.')]);
});
