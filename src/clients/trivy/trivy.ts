import { access, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { Fault, fault } from '../../core/errors.ts';
import { parseImage, shortImage } from '../../core/image.ts';
import type { Scanned, Scanner } from '../../core/image-ports.ts';
import { Json } from '../../core/json.ts';
import { within } from '../../core/within.ts';
import { isMissing, readGiven, readInside, UnfitFile } from '../../files/regular-file.ts';
import { Complaint, inFolder, outputOf, runProgram } from './program.ts';
import { findingsIn, SarifReport, TrivyReport } from './report.ts';

export type TrivyOptions = {
  /** The program: its path, or its name on the PATH. */
  program?: string | undefined;
  /** Where its database is, in the folder `db`. */
  cache?: string | undefined;
  /** Sent only for images of their own host. */
  credentials?: readonly { host: string; username: string; password: string }[];
  /** Hosts that are spoken to over plain http. */
  insecureHosts?: readonly string[];
};

const limitBytes = 64 * 1_048_576;
/** Of a Dockerfile, and of what the database says of itself. */
const smallBytes = 1_048_576;
/** Nothing is fetched and nobody is told: what is scanned is the registry's image, with the database that is there. */
const alone = ['--quiet', '--skip-version-check', '--disable-telemetry', '--skip-check-update'];

const Database = z.object({ Version: z.number(), UpdatedAt: z.iso.datetime({ offset: true }) });

/** @throws Fault SCAN_DATABASE where it is missing, unreadable or too old: no database is not "no vulnerabilities" */
async function databaseIn(cache: string, days: number, image: string): Promise<Scanned['database']> {
  const bad = (problem: string) => fault('SCAN_DATABASE', { problem, image });
  const there = await access(join(cache, 'db', 'trivy.db')).then(
    () => true,
    () => false,
  );
  if (!there) throw bad('is missing');
  let told: unknown;
  try {
    told = JSON.parse(readGiven(join(cache, 'db', 'metadata.json'), smallBytes).toString('utf8'));
  } catch (thrown) {
    throw bad(isMissing(thrown) ? 'is missing' : 'is damaged (metadata.json)');
  }
  const { success, data } = Database.safeParse(told);
  if (!success) throw bad('is damaged (metadata.json)');
  const age = Math.floor((Date.now() - Date.parse(data.UpdatedAt)) / 86_400_000);
  if (age > days)
    throw bad(`is ${age} days old, and ${days} is the most that shipmate.yaml allows (images.databaseDays)`);
  return { version: String(data.Version), updatedAt: data.UpdatedAt };
}

function parsedReport(bytes: Buffer): { report: TrivyReport; sarif: string } {
  try {
    const whole: unknown = JSON.parse(bytes.toString('utf8'));
    return { report: TrivyReport.parse(whole), sarif: JSON.stringify(SarifReport.parse(whole)) };
  } catch {
    throw new Complaint('what Trivy wrote is no report of its own');
  }
}

function parsedJson(bytes: Buffer): Json {
  try {
    return Json.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    throw new Complaint('what Trivy wrote is no JSON');
  }
}

type Run = (args: readonly string[], output: string) => Promise<Buffer>;

async function imageReport(run: Run, image: string, cache: string, minutes: number) {
  const kinds = ['--scanners', 'vuln,secret,misconfig', '--image-config-scanners', 'misconfig,secret'];
  const offline = ['--skip-db-update', '--skip-java-db-update', '--offline-scan', '--cache-backend', 'memory'];
  const where = ['--image-src', 'remote', '--cache-dir', cache, '--timeout', `${minutes}m`, '--format', 'json'];
  return parsedReport(await run(['image', ...alone, ...kinds, ...offline, ...where, image], 'report.json'));
}

/** Looks at the one file: what else is beside it is not for Trivy to read. */
async function dockerfileReport(
  run: Run,
  dockerfile: { folder: string; path: string },
  folder: string,
): Promise<TrivyReport> {
  const copy = join(folder, 'Dockerfile');
  try {
    await writeFile(copy, readInside(dockerfile.folder, dockerfile.path, smallBytes));
  } catch (thrown) {
    const why = thrown instanceof UnfitFile ? `it ${thrown.message}` : undefined;
    throw new Complaint(`the Dockerfile that shipmate.yaml names can’t be read${why ? ` (${why})` : ''}`);
  }
  return parsedReport(await run(['config', ...alone, '--format', 'json', copy], 'dockerfile.json')).report;
}

/** What became of it, in words for people. */
function faultOf(thrown: unknown, image: string, minutes: number, limited: AbortSignal): unknown {
  if (thrown instanceof Fault) return thrown;
  if (limited.aborted) return fault('SCAN_TIMED_OUT', { image, minutes: String(minutes) }, thrown);
  if (thrown instanceof Complaint) return fault('SCAN_FAILED', { image, problem: thrown.message }, thrown);
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  if (code === 'ENOENT') return fault('SCANNER_MISSING', { image, problem: 'there is no such program' }, thrown);
  if (code === 'EACCES') return fault('SCANNER_MISSING', { image, problem: 'it may not be run' }, thrown);
  return thrown;
}

/** Scans through the program Trivy, which reads the image from its registry by itself. */
export function createTrivy(options: TrivyOptions = {}): Scanner {
  const program = options.program ?? 'trivy';
  const cache = options.cache ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'trivy');

  const environmentFor = (image: string): Record<string, string> => {
    const { registry } = parseImage(image);
    const own = options.credentials?.find(({ host }) => host === registry);
    return {
      ...(own && { TRIVY_USERNAME: own.username, TRIVY_PASSWORD: own.password }),
      ...(registry !== undefined && options.insecureHosts?.includes(registry) && { TRIVY_NON_SSL: 'true' }),
    };
  };

  return {
    ready: options.program !== undefined,
    scan: async ({ image, dockerfile }, { minutes, databaseDays }, signal) => {
      const short = shortImage(image);
      const database = await databaseIn(cache, databaseDays, short);
      const limited = within(signal, minutes * 60_000);
      try {
        return await inFolder(async (folder) => {
          const call = { program, folder, env: environmentFor(image), signal: limited };
          const run: Run = async (args, output) => {
            await runProgram([...args, '--output', join(folder, output)], call);
            return outputOf(folder, output, limitBytes);
          };
          const { report: found, sarif: forSarif } = await imageReport(run, image, cache, minutes);
          await writeFile(join(folder, 'for-sarif.json'), forSarif);
          const convert = (file: string, format: string, to: string) =>
            run(['convert', '--quiet', join(folder, file), '--format', format], to);
          const sarif = await convert('for-sarif.json', 'sarif', 'report.sarif');
          const sbom = parsedJson(await convert('report.json', 'cyclonedx', 'sbom.json'));
          const advice = dockerfile === undefined ? undefined : await dockerfileReport(run, dockerfile, folder);
          parsedJson(sarif);
          const findings = [...findingsIn(found), ...(advice ? findingsIn(advice) : [])];
          return { findings, version: found.Trivy?.Version ?? 'unknown', database, sarif, sbom };
        });
      } catch (thrown) {
        signal.throwIfAborted();
        throw faultOf(thrown, short, minutes, limited);
      }
    },
  };
}
