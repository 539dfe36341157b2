import { expect, test } from 'vitest';
import { allowsCommand, CommandPattern, commandText } from '../../src/core/command-pattern.ts';

const yes: [string, string[]][] = [
  ['ls', ['ls']],
  ['ls *', ['ls', '/var/log']],
  ['ls *', ['ls', 'with blanks and ; $(id)']],
  ['ls -la *', ['ls', '-la', '/etc']],
  ['cat /etc/*', ['cat', '/etc/hosts']],
  ['cat /etc/**', ['cat', '/etc/nginx/nginx.conf']],
  ['cat /etc/*.conf', ['cat', '/etc/a.conf']],
  ['echo ...', ['echo']],
  ['echo ...', ['echo', 'a', 'b', 'c']],
  ['curl http://127.0.0.1:*/**', ['curl', 'http://127.0.0.1:8080/a/b?c=d']],
  ['env', ['env']],
];
test.each(yes)('“%s” allows %j', (pattern, command) => {
  expect(CommandPattern.safeParse(pattern).success).toBe(true);
  expect(allowsCommand(pattern, command)).toBe(true);
});

const no: [string, string[]][] = [
  ['ls', ['ls', '/']],
  ['ls *', ['ls']],
  ['ls *', ['ls', '-la']],
  ['ls *', ['ls', '/a', '/b']],
  ['ls *', ['ls', '/etc/../root']],
  ['ls *', ['ls', '..']],
  ['ls *', ['/bin/ls', '/etc']],
  ['ls *', ['ls *']],
  ['cat /etc/*', ['cat', '/etc/ssl/key']],
  ['cat /etc/*', ['cat', '/etc/../root/key']],
  ['cat /etc/**', ['cat', '/etc/x/../../root/key']],
  ['cat /etc/*', ['cat', '/etcetera']],
  ['cat /etc/*.conf', ['cat', '/etc/axconf']],
  ['cat /etc/*', ['cat', '/etc/hosts\n/root/key', 'x']],
  ['echo ...', ['echo', '-e']],
  ['echo ...', ['echo', 'a', '../b']],
  ['rm -f *', ['rm', '-rf', '/']],
];
test.each(no)('“%s” does not allow %j', (pattern, command) => {
  expect(allowsCommand(pattern, command)).toBe(false);
});

test.each(['* /etc', '/bin/* x', 'l*s', ' ls', 'ls  *', 'ls ... x', '...', ''])('“%s” is no pattern', (pattern) => {
  expect(CommandPattern.safeParse(pattern).success).toBe(false);
});

test('a command is shown so that its words can be told apart', () => {
  expect(commandText(['sh', '-c', "it's $x"])).toBe("sh -c 'it'\\''s $x'");
  expect(commandText(['cat', '/etc/hosts'])).toBe('cat /etc/hosts');
});
