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

test.each(['{app}.example.com/web', 'r-{app}:5000/web', '{app}/web', '{app}:5000/{app}'])(
  '“%s” would have each app choose its registry by its name',
  (image) => {
    const text = base.replace('web: {image: r/web}', `'*': {image: '${image}'}`);
    expect(faultsOf(text)).toEqual(['shipmate.yaml:1 apps.*.image: must not have {app} in its registry.']);
    expect(faultsOf(text.replace(image, 'r.example.com/{app}/web-{app}'))).toEqual([]);
  },
);

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
