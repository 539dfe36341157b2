import { z } from 'zod';
import { appEntry } from '../../core/apps.ts';
import type { Scanned } from '../../core/image-ports.ts';
import { defineOperation, type RunContext, route } from '../../core/operation.ts';
import { byWeight, countText, type Finding, newSince, type Scan, sift } from '../../core/scan.ts';
import type { Settings } from '../../core/settings.ts';
import { findingText, rulesOf } from '../../images/gate.ts';
import { type PinnedImage, pinnedImage } from '../../images/pinned.ts';
import { attest } from '../../images/proof.ts';
import { askedBody, askedFields, resolveAsked } from './asked.ts';
import { earlierScan } from './earlier-scan.ts';

/** So many lines of the table are kept; the whole is in the registry. */
const mostRows = 300;

const timeText = (ms: number) => new Date(ms).toISOString();

function predicateOf({ findings, version, database }: Scanned, startedAt: number, endedAt: number): Scan {
  const db = { uri: '', version: database.version, lastUpdate: database.updatedAt };
  return {
    scanner: { uri: 'https://trivy.dev', version, db, result: { findings } },
    metadata: { scanStartedOn: timeText(startedAt), scanFinishedOn: timeText(endedAt) },
  };
}

/** Puts the scan, the bill of material and SARIF beside the image. */
async function keep(
  { on, signal }: Pick<RunContext<'attachments' | 'signing', string>, 'on' | 'signal'>,
  image: PinnedImage,
  scanned: Scanned,
  { startedAt, endedAt }: { startedAt: number; endedAt: number },
): Promise<void> {
  const { sarif, sbom } = scanned;
  const files = [
    ['application/sarif+json', sarif],
    ['application/vnd.cyclonedx+json', Buffer.from(JSON.stringify(sbom))],
  ] as const;
  // One after the other: in a registry without referrers all of them are in one list.
  for (const [type, content] of files)
    await on.attachments.add(image.pinned, { kind: 'file', type, content }, endedAt, signal);
  await attest(on, image, { proof: 'sbom', predicate: sbom, at: endedAt }, signal);
  const predicate = predicateOf(scanned, startedAt, endedAt);
  await attest(on, image, { proof: 'scan', predicate, at: endedAt }, signal);
}

const rowOf = (finding: Finding, isNew: boolean): string[] => [
  isNew ? 'new' : '',
  finding.severity,
  finding.id,
  finding.where,
  finding.installed ?? '',
  finding.fixed ?? '',
  finding.title,
];

/** What each environment's rules would make of it. */
function verdicts(findings: readonly Finding[], settings: Settings, app: string, now: number): string[] {
  return Object.keys(settings.environments).flatMap((env) => {
    const rules = rulesOf(settings, env);
    if (!rules) return [];
    const { blocked } = sift(findings, rules, settings.images.allow, { app, env }, now);
    const [first] = blocked;
    return first ? [`${env} does not take it: ${findingText(first)}.`] : [];
  });
}

/** Only a Dockerfile of this machine can be looked at. */
function dockerfileOf(settings: Settings, app: string): { folder: string; path: string } | undefined {
  const build = appEntry(settings, app)?.its.build;
  return build?.context.startsWith('/') ? { folder: build.context, path: build.dockerfile } : undefined;
}

type Run = RunContext<'registry' | 'attachments' | 'signing' | 'scanner' | 'runs' | 'order', 'scan'>;

async function scanAndKeep(run: Run, app: string, image: PinnedImage, startedAt: number, signal: AbortSignal) {
  const { settings, on } = run;
  const { scanMinutes: minutes, databaseDays } = settings.images;
  const what = { image: image.pinned, dockerfile: dockerfileOf(settings, app) };
  const [scanned, earlier] = await Promise.all([
    on.scanner.scan(what, { minutes, databaseDays }, signal),
    earlierScan({ on, settings, signal }, app, image.digest),
  ]);
  await keep({ on, signal }, image, scanned, { startedAt, endedAt: run.now() });
  const findings = byWeight(scanned.findings);
  const fresh = new Set(earlier ? newSince(findings, earlier.findings) : []);
  const known = findings.filter((each) => !fresh.has(each));
  const ordered = [...fresh, ...known];
  const since = earlier ? `New since ${earlier.image}: ${countText([...fresh])}.` : 'No earlier image was scanned.';
  const more = ordered.length > mostRows ? `The first ${mostRows} are shown.` : '';
  const database = `Database of ${scanned.database.updatedAt.slice(0, 10)}.`;
  const signed = on.signing.ready ? ', signed' : '';
  const kept = `Scan, SARIF and SBOM are kept beside the image${signed}.`;
  const judged = verdicts(findings, settings, app, run.now());
  return {
    rows: ordered.slice(0, mostRows).map((each) => rowOf(each, fresh.has(each))),
    note: [`Found: ${countText(findings)}.`, since, ...judged, more, database, kept].filter(Boolean).join(' '),
  };
}

export const scan = defineOperation({
  name: 'scan',
  summary: 'Look for vulnerabilities, secrets and misconfiguration in an image',
  effect: 'change',
  input: z.strictObject(askedFields),
  usage: '<app>[:<tag>] [image=<image>]',
  examples: ['web:v2'],
  routes: [
    route({
      method: 'POST',
      path: '/docker/scan',
      summary: 'Scan an image',
      request: askedBody,
      input: (body) => body,
    }),
  ],
  needs: ['registry', 'attachments', 'signing', 'scanner', 'runs', 'order'],
  steps: ['scan'],
  limits: { steps: { scan: 3 * 60 * 60_000 } },
  target: ({ app }) => ({ app }),
  plan: async (context, input) => {
    const { reference, digest, short } = await resolveAsked(context, input);
    return { summary: short, image: { reference, digest }, changes: [], takesOver: [] };
  },
  run: async (run, { app }) => {
    const { reference, digest } = run.plan.image ?? { reference: '', digest: '' };
    const image = pinnedImage(reference, digest);
    const found = await run.step('scan', ({ signal, startedAt }) => scanAndKeep(run, app, image, startedAt, signal));
    const columns = ['', 'Severity', 'Finding', 'In', 'Installed', 'Fixed in', 'What'];
    return { kind: 'table', title: `Scan of ${image.short}`, columns, ...found };
  },
});
