import { at, text } from '../../core/json.ts';
import { list, number } from '../../core/observed.ts';
import { counted, ended, type Find, type Finding, kubectl, kubectlName, nameOf } from './finding.ts';
import { type Stuck, stuckContainers } from './images.ts';
import { type Picture, seenAt } from './picture.ts';

/** What an exit code usually means. https://tldp.org/LDP/abs/html/exitcodes.html */
const meanings: Record<number, string> = {
  126: 'a command could not be executed',
  127: 'a command was not found',
  134: 'it aborted itself, SIGABRT',
  137: 'it was killed, SIGKILL',
  139: 'it touched memory that is not its own, SIGSEGV',
  143: 'it was asked to end, SIGTERM',
};

/** The first container that begins and ends again and again, or does not begin at all. */
const failing = (picture: Picture): Stuck | undefined =>
  stuckContainers(picture).find(({ symptom }) => symptom === 'crash-loop' || symptom === 'bad-start');

const who = ({ container }: Stuck) =>
  container.init ? `the init container ${container.name}` : `the container ${container.name}`;

const crashedOf = ({ pod, container: { name, running, waiting } }: Stuck) => ({
  pod,
  container: name,
  ended: !running && waiting === '',
});

const logsOf = (picture: Picture, { pod, container }: Stuck) =>
  kubectl(picture, 'logs', pod, '-c', container.name, '--previous', '--tail=50');

/** The words of the runtime that tell most: `exec: "/bin/x": stat /bin/x: no such file or directory`. */
function lastPart(said: string): string {
  const at = said.search(/exec:? /);
  return at < 0 || !said.includes(': ', at) ? said : said.slice(at).replace(/: unknown$/, '');
}

/** Its command can't be run at all. */
export const badCommand: Find = (picture): Finding | undefined => {
  const stuck = failing(picture);
  const said = stuck?.container.exit?.message || stuck?.container.message || '';
  const never = stuck?.container.exit?.code === 128 || stuck?.symptom === 'bad-start';
  if (!stuck || !never) return undefined;
  const format = said.includes('exec format error');
  const denied = said.includes('permission denied');
  const missing = /no such file or directory|executable file not found/.test(said);
  const what = format
    ? 'has a program for another processor'
    : denied
      ? 'has a command that is not executable'
      : missing
        ? 'has a command that is not in its image'
        : 'can’t be started';
  return {
    code: format ? 'exec-format' : missing ? 'no-command' : 'bad-start',
    what: `${who(stuck)} ${what}`,
    cause: ended(`The node says: ${lastPart(said)}`),
    remedy: format
      ? 'Build the image for the nodes’ platform; a script needs a first line such as #!/bin/sh.'
      : 'Correct command and args, or the image:',
    command: kubectl(picture, 'edit', kubectlName(picture)),
    goBack: true,
  };
};

/** Some runtimes start a container all the same, and say only in its log that they could not: `exec /app: exec format error`. */
export function knowingLogs(finding: Finding, logs: readonly string[]): Finding {
  const said = logs.find((line) =>
    /^exec \S+: (exec format error|no such file or directory|permission denied)$/.test(line),
  );
  if (finding.code !== 'crash' || said === undefined) return finding;
  const format = said.endsWith('exec format error');
  const { crashed: _, ...rest } = finding;
  return {
    ...rest,
    code: format ? 'exec-format' : 'no-command',
    what: format ? 'its program is not one that the nodes can run' : 'its command can’t be run',
    cause: ended(`The node says: ${said}`),
    remedy: format
      ? 'Build the image for the nodes’ platform; a script needs a first line such as #!/bin/sh:'
      : 'Correct command and args, or the image:',
  };
}

/** It needs more memory than it may have. */
export const outOfMemory: Find = (picture): Finding | undefined => {
  const stuck = failing(picture);
  if (stuck?.container.exit?.reason !== 'OOMKilled') return undefined;
  const { name, restarts } = stuck.container;
  const pod = picture.pods.find((each) => nameOf(each) === stuck.pod);
  const all = [...list(at(pod, 'spec', 'initContainers')), ...list(at(pod, 'spec', 'containers'))];
  const limit = text(
    at(
      all.find((each) => each.name === name),
      'resources',
      'limits',
      'memory',
    ),
  );
  return {
    code: 'out-of-memory',
    what: `${who(stuck)} runs out of memory`,
    cause: `${limit === '' ? 'The node’s memory was used up' : `Its limit is ${limit}`}, and it was killed for wanting more (OOMKilled), ${counted(restarts, 'restart')} so far.`,
    remedy: 'Raise its memory limit, or find out what it needs so much for:',
    command: kubectl(picture, 'set', 'resources', kubectlName(picture), '-c', name, '--limits=memory=AMOUNT'),
    crashed: crashedOf(stuck),
    goBack: true,
  };
};

/** The newest failure of a probe of that kind about a container that was told often enough to count. */
export function probeFailure(
  { events, pods }: Picture,
  kind: 'Liveness' | 'Readiness' | 'Startup',
  { pod, container }: { pod: string; container: string },
): { said: string; at: number; count: number } | undefined {
  const uid = at(
    pods.find((each) => nameOf(each) === pod),
    'metadata',
    'uid',
  );
  const found = events.filter(
    (event) =>
      event.reason === 'Unhealthy' &&
      at(event, 'involvedObject', 'uid') === uid &&
      text(at(event, 'involvedObject', 'fieldPath')).endsWith(`{${container}}`) &&
      text(event.message).startsWith(`${kind} probe`),
  );
  const [newest] = found;
  if (!newest) return undefined;
  const said = text(newest.message).replace(/^\w+ probe (failed|errored)[^:]*: /, '');
  return { said, at: seenAt(newest), count: found.reduce((sum, { count }) => sum + Math.max(1, number(count)), 0) };
}

/** It runs, but is killed because a probe says that it does not live. */
export const killedByProbe: Find = (picture): Finding | undefined => {
  const stuck = failing(picture);
  if (!stuck) return undefined;
  const { name, exit, restarts } = stuck.container;
  for (const kind of ['Liveness', 'Startup'] as const) {
    const failure = probeFailure(picture, kind, { pod: stuck.pod, container: name });
    // A probe that failed before the last start is of another day.
    if (!failure || (exit && failure.at < exit.startedAt)) continue;
    return {
      code: kind === 'Liveness' ? 'liveness' : 'startup-probe',
      what: `${who(stuck)} is killed by its ${kind.toLowerCase()} probe`,
      cause: ended(`The probe fails: ${failure.said} (${counted(restarts, 'restart')} so far)`),
      remedy: 'Correct the probe’s path, port and patience, or what keeps the app from answering:',
      command: kubectl(picture, 'describe', 'pod', stuck.pod),
      crashed: crashedOf(stuck),
      goBack: true,
    };
  }
  return undefined;
};

/** It begins and ends, again and again. */
export const crashLoop: Find = (picture): Finding | undefined => {
  const stuck = failing(picture);
  if (!stuck) return undefined;
  const { exit, restarts, init } = stuck.container;
  const code = exit?.code ?? 0;
  const shared = { crashed: crashedOf(stuck), command: logsOf(picture, stuck) };
  if (code === 0 && !init)
    return {
      ...shared,
      code: 'ends',
      what: `${who(stuck)} ends although it should go on`,
      cause: `Its process ended without a fault (exit code 0), ${counted(restarts, 'restart')} so far.`,
      remedy: 'Let its main process stay in the foreground, or make it a Job if it is meant to end. It said last:',
    };
  const meaning = meanings[code];
  return {
    ...shared,
    code: init ? 'init-failed' : 'crash',
    what: init ? `${who(stuck)} fails, so the pod never starts` : `${who(stuck)} starts and crashes`,
    cause: `It ended with exit code ${code}${meaning === undefined ? '' : ` (${meaning})`}, ${counted(restarts, 'restart')} so far.`,
    remedy: 'Mend what its last lines speak of, or go back to the version before:',
    goBack: true,
  };
};
