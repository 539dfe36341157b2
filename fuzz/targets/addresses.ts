import fc from 'fast-check';
import { checkRef, checkUrl } from '../../src/clients/git/addresses.ts';
import { Address, Block, holds as blockHolds } from '../../src/core/cidr.ts';
import { DockerHostSettings, HarborSettings } from '../../src/core/host-settings.ts';
import { imageOfApp, parseImage, Repository, repositoryOf, shortImage } from '../../src/core/image.ts';
import { json, text } from '../inputs.ts';
import { holds, type Target, target } from '../target.ts';

const digest = `@sha256:${'a'.repeat(64)}`;
const image = text(
  [
    'web',
    'team/',
    'registry.example.com/',
    'localhost:5000/',
    ':',
    ':v1',
    digest,
    '@',
    '.',
    '_',
    '__',
    '-',
    '/',
    'A',
    '[::1]:80/',
  ],
  1_000,
);
const url = text(
  [
    'https://',
    'http://',
    'ssh://',
    'git@',
    'github.com',
    ':',
    '/',
    'team/web.git',
    '#',
    '?',
    '@',
    '%2f',
    '::',
    'ext::',
    '-',
    '[::1]',
    '0x7f.1',
    '127.0.0.1',
    '..',
    'user:pass@',
  ],
  1_000,
);
const address = text(['10.', '0', '255', '256', '.', ':', '::', 'ffff', '/8', '/128', '/', '1'], 300);

export const addresses: readonly Target[] = [
  target(
    'git-address',
    'An address that passes is on a host that was allowed, and is no option.',
    fc.tuple(url, url),
    ([said, ref]) => {
      const problem = checkUrl(said, ['github.com']);
      holds(problem !== undefined || (said.includes('github.com') && !said.startsWith('-')), 'another host passes');
      holds(checkRef(ref) !== undefined || !/^-|\.\.|[\s:~^?*[\\]/.test(ref), 'what is no reference passes');
    },
  ),
  target('image', 'An image is its parts, which make the same image again.', image, (said) => {
    const parts = parseImage(said);
    const again = `${repositoryOf(parts)}${parts.tag ? `:${parts.tag}` : ''}${parts.digest ? `@${parts.digest}` : ''}`;
    holds(again === said, `it became ${again}`);
    shortImage(said);
  }),
  target(
    'image-of-app',
    'What was asked for is an image of the app’s own repository.',
    fc.tuple(image, image, fc.boolean()),
    ([said, tag, named]) => {
      const home = 'registry.example.com/team/web';
      const whole = imageOfApp('web', { image: home }, named ? { image: said } : { tag });
      holds(repositoryOf(parseImage(whole)) === home, `it is ${whole}`);
    },
  ),
  target('repository', 'A repository is one, or is refused by its schema.', image, (said) => {
    holds(!Repository.safeParse(said).success || repositoryOf(parseImage(said)) === said, 'it is none');
  }),
  target(
    'block',
    'A block holds an address or not, and each holds itself.',
    fc.tuple(address, address),
    ([block, one]) => {
      blockHolds(block, one);
      if (Address.safeParse(one).success)
        holds(blockHolds(`${one}/${one.includes(':') ? 128 : 32}`, one), 'it does not hold itself');
      if (Block.safeParse(block).success)
        holds(blockHolds(block, block.split('/')[0] ?? ''), 'it does not hold its own beginning');
    },
  ),
  target(
    'host-address',
    'The address of a host is taken or refused by its schema.',
    fc.tuple(
      text(['unix:///', 'tcp://', 'ssh://', 'a@', 'localhost', '[::1]', ':2376', '-o', '/', '..'], 1_000),
      json(),
    ),
    ([said, other]) => {
      DockerHostSettings.safeParse({ address: said });
      DockerHostSettings.safeParse(other);
      HarborSettings.safeParse({ url: said });
    },
  ),
];
