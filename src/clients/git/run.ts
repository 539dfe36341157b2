import { within } from '../../core/within.ts';
import { startProgram } from '../../processes/program.ts';

const callMs = 60_000;

export type Login = { username: string; password: string };

/** Nothing of the machine's own Git settings, and no question to a person who isn't there. */
const environment = (home: string, proof: Record<string, string>) => ({
  ...proof,
  PATH: process.env.PATH ?? '',
  HOME: home,
  LC_ALL: 'C',
  GIT_TERMINAL_PROMPT: '0',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ASKPASS: '/bin/false',
  GIT_SSH_COMMAND: 'ssh -o BatchMode=yes -o ConnectTimeout=10',
  GIT_ALLOW_PROTOCOL: 'https:http:ssh',
});

const settings = [
  'http.followRedirects=false',
  'http.lowSpeedLimit=1000',
  'http.lowSpeedTime=20',
  'gc.auto=0',
  'core.hooksPath=/dev/null',
];

/** `login` is for `origin` and nowhere else, and stands in the environment: arguments are everybody's to see. */
export type Call = {
  home: string;
  signal: AbortSignal;
  limit: number;
  ms?: number;
  proof?: { origin: string; login: Login };
};

function proofOf(proof: Call['proof']): Record<string, string> {
  if (!proof) return {};
  const { username, password } = proof.login;
  return {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `http.${proof.origin}/.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
  };
}

/** Runs git with an array of arguments and answers with what it printed. @throws Error in git's own words */
export function git(args: readonly string[], { home, signal, limit, ms = callMs, proof }: Call): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const all = [...settings.flatMap((setting) => ['-c', setting]), ...args];
  const over = within(signal, ms);
  const child = startProgram('git', all, {
    cwd: home,
    env: environment(home, proofOf(proof)),
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: over,
  });
  const out: Buffer[] = [];
  let [size, err] = [0, ''];
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= limit) return void out.push(chunk);
    child.kill('SIGKILL');
    reject(new Error(`there is more than ${Math.round(limit / 1_024)} KiB of it`));
  });
  child.stderr.on('data', (chunk: Buffer) => {
    if (err.length < 4_000) err += chunk.toString();
  });
  child.once('error', (problem) =>
    reject(
      over.aborted && !signal.aborted
        ? new Error(`it took more than ${ms === callMs ? 'a minute' : `${ms / 60_000} minutes`}`)
        : problem,
    ),
  );
  child.once('close', (code) => (code === 0 ? resolve(Buffer.concat(out)) : reject(new Error(complaintOf(err)))));
  return promise;
}

/** The last thing that git complained of, in one line. */
function complaintOf(err: string): string {
  const lines = err.split('\n').filter((line) => /^(fatal|error|remote):/.test(line));
  return (lines.at(0) ?? err.split('\n')[0] ?? '').replace(/^(fatal|error|remote): /, '').slice(0, 300) || 'git failed';
}

/** What proves to a server who Shipmate is, where it is known there. */
export function proofFor(url: string, login: (host: string) => Login | undefined): Pick<Call, 'proof'> {
  if (!/^https?:/.test(url)) return {};
  const { origin, host } = new URL(url);
  const own = login(host);
  return own ? { proof: { origin, login: own } } : {};
}
