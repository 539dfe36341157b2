import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { BuildOrder, BuildProgress } from '../../core/build.ts';
import { lineOf } from '../../core/dockerfile.ts';
import { type Fault, fault } from '../../core/errors.ts';
import { parseImage, repositoryOf } from '../../core/image.ts';
import type { BuildSettings } from '../../core/image-settings.ts';
import { createRedact } from '../../core/redact.ts';
import { isMissing, readInside } from '../../files/regular-file.ts';
import { buildArguments, builderArguments, secretVariable } from './build-args.ts';
import { type BuildLog, createBuildLog } from './build-log.ts';
import { type Home, type Login, runBuildx, withHome } from './buildx.ts';
import type { Context } from './context.ts';

const metadata = 'metadata.json';
const Metadata = z.looseObject({ 'containerimage.digest': z.string().optional() });

export type Build = {
  host: string;
  program: string;
  order: BuildOrder;
  /** Only with a builder of its own; the daemon's images are pushed by the daemon. */
  pushes: boolean;
  settings: BuildSettings;
  logins: readonly Login[];
  insecure: readonly string[];
  context: Context;
  /** The Dockerfile's. */
  text: string;
  /** What the builder may know its own copy of the context by. */
  copy: string | undefined;
  /** Of the order's secrets, in their order. */
  values: readonly string[];
};

/** The daemon went away, or was never there: that may pass. */
const lost =
  /code = (Unavailable|Canceled)|Cannot connect to the Docker daemon|error reading (from server|preface)|connection (refused|reset by peer|error)|no such session|(unexpected )?EOF\b|docker\.sock|broken pipe|transport is closing/i;
const away =
  /connection refused|connection reset|i\/o timeout|no such host|unexpected EOF|\bEOF\b|50[0-9] |TLS handshake timeout/i;
const unauthorised = /\b401\b|unauthorized|authentication required|denied|\b403\b|insufficient_scope/i;

/** `Dockerfile:12` alone on a line, as BuildKit says where it failed. */
const lineSaid = (said: string): string | undefined =>
  said
    .split('\n')
    .filter((line) => /^\S+$/.test(line) && /dockerfile/i.test(line))
    .map((line) => /:(\d+)$/.exec(line)?.[1])
    .find((line) => line !== undefined);

const plain = (text: string): string =>
  text
    .replace(/^ERROR: (failed to build: )?(failed to solve: )?/gm, '')
    .replace(/rpc error: code = \w+ desc = /g, '')
    .trim();

function unreachable({ host, settings: { builder } }: Build, problem: string): Fault {
  const where = builder && 'address' in builder ? builder.address : host;
  return fault('DOCKER_UNREACHABLE', { host: where, problem: problem.slice(0, 300) });
}

/** Why a build failed: the Dockerfile's line where an instruction did. */
function faultOf(build: Build, log: BuildLog): Fault {
  const { order, text, pushes } = build;
  const { image, dockerfile } = order;
  const failed = log.failed();
  const said = plain(log.said());
  const { registry = 'docker.io' } = parseImage(image);
  if (!failed && lost.test(said)) return unreachable(build, said);
  if (pushes && /pushing|export/i.test(failed?.name ?? '')) {
    const why = plain(failed?.error ?? said).slice(0, 500);
    if (unauthorised.test(why)) return fault('REGISTRY_FORBIDDEN', { registry });
    return away.test(why)
      ? fault('PUSH_BROKE', { image, problem: why })
      : fault('PUSH_FAILED', { image, problem: why });
  }
  if (!failed) return fault('BUILD_FAILED', { image, problem: said.slice(-600) || 'buildx ended and said nothing.' });
  const { name, error } = failed;
  const base = /^\[internal\] load metadata for (.*)$/.exec(name)?.[1];
  const why = plain(error).slice(0, 600);
  if (base !== undefined)
    return fault('BUILD_FAILED', { image, problem: `the base image ${base} cannot be pulled: ${why}` });
  const line = lineSaid(log.said()) ?? lineOf(text, name);
  const where = line === undefined ? name : `${dockerfile}:${line}, ${name.replace(/^\[[^\]]*\] /, '')}`;
  return fault('BUILD_FAILED', { image, problem: `${where.slice(0, 300)}: ${why}` });
}

/** A builder of its own is found again by a name that is made of its settings. */
async function builderOf(build: Build, home: Home, signal: AbortSignal): Promise<string> {
  const { settings, program, insecure, order } = build;
  if (settings.builder === undefined) return 'default';
  const terms = JSON.stringify([settings.builder, settings.memory, settings.cpus, settings.network, insecure]);
  const name = `shipmate-${createHash('sha256').update(terms).digest('hex').slice(0, 10)}`;
  const config = insecure.length === 0 ? undefined : join(home.folder, 'buildkitd.toml');
  if (config !== undefined)
    await writeFile(config, insecure.map((each) => `[registry."${each}"]\n  http = true\n`).join(''));
  const said: string[] = [];
  const heard = (line: string) => void said.push(line);
  const code = await runBuildx(program, builderArguments(name, settings, config), { env: home.env, heard, signal });
  if (code === 0) return name;
  const problem = said.join(' ').slice(0, 300);
  throw lost.test(problem) ? unreachable(build, problem) : fault('BUILD_FAILED', { image: order.image, problem });
}

function outputOf({ order, pushes, settings, insecure }: Build): string | undefined {
  if (settings.builder === undefined) return undefined;
  if (!pushes) return 'type=cacheonly';
  const plainHttp = insecure.includes(parseImage(order.image).registry ?? '') ? ',registry.insecure=true' : '';
  // Under its digest alone: it gets its tag when it is known to be what was approved.
  const name = repositoryOf(parseImage(order.image));
  return `type=image,name=${name},push=true,push-by-digest=true,oci-mediatypes=true${plainHttp}`;
}

/** What buildx wrote down of the image; it writes nothing where none was made. */
function digestIn(folder: string): string | undefined {
  try {
    return Metadata.parse(JSON.parse(readInside(folder, metadata, 1_048_576).toString('utf8')))[
      'containerimage.digest'
    ];
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
}

/**
 * Builds a context that was looked at. To abort it ends the build where it runs.
 * @returns the digest, where it is told
 * @throws Fault BUILD_FAILED, PUSH_FAILED, PUSH_BROKE, REGISTRY_FORBIDDEN, DOCKER_UNREACHABLE
 */
export async function runBuild(
  build: Build,
  seen: (progress: BuildProgress) => void,
  signal: AbortSignal,
): Promise<{ digest?: string }> {
  const { host, program, logins, order, settings, context, copy, values } = build;
  return await withHome(host, { logins, copy }, async (home) => {
    const builder = await builderOf(build, home, signal);
    const output = outputOf(build);
    const args = buildArguments(order, { ...context, builder, settings, ...(output !== undefined && { output }) });
    const secrets = Object.fromEntries(values.map((value, index) => [secretVariable(index), value]));
    const log = createBuildLog(seen, createRedact(values));
    const env = { ...home.env, ...secrets };
    const flags = [`--metadata-file=${join(home.folder, metadata)}`, '--provenance=false', '--sbom=false'];
    const code = await runBuildx(program, [...args.slice(0, 1), ...flags, ...args.slice(1)], {
      env,
      heard: log.read,
      signal,
    });
    if (code !== 0) throw faultOf(build, log);
    const digest = digestIn(home.folder);
    return digest === undefined ? {} : { digest };
  });
}
