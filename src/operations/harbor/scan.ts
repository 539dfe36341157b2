import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { isObject, type Json, type JsonObject, text } from '../../core/json.ts';
import { defineOperation, type PlanContext, route } from '../../core/operation.ts';
import type { Report } from '../../core/report.ts';
import { list, number } from '../docker/reading.ts';
import { artifactCalled, artifactPath, Reference, Repository, readArtifact } from './names.ts';
import { countsText, isUnderWay, overviewOf, severities } from './overview.ts';

const lookMs = 1_000;
const longestMs = 10 * 60_000;
const mostRows = 200;
const Input = z.strictObject({ repository: Repository, reference: Reference });
type Input = z.output<typeof Input>;
type On = PlanContext<'harbor'>['on'];

const rank = (severity: Json | undefined): number => {
  const index = severities.map(String).indexOf(text(severity));
  return index < 0 ? severities.length : index;
};

/** What the last scan found, worst first. */
async function reportOf(on: On, { repository, reference }: Input, signal: AbortSignal): Promise<Report> {
  const path = [...artifactPath(repository, reference), 'additions', 'vulnerabilities'];
  const reports = await on.harbor.read(path, {}, signal);
  const [report] = isObject(reports) ? Object.values(reports) : [];
  const title = `${repository}:${reference.replace(/^(sha256:.{12}).*/, '$1')}`;
  const columns = ['Vulnerability', 'Severity', 'Package', 'Version', 'Fixed in'];
  const again = `/ship harbor scan ${repository} ${reference}`;
  if (!isObject(report)) return { kind: 'table', title, columns, rows: [], note: `It was not scanned: ${again}` };
  const found = list(report.vulnerabilities).toSorted((a, b) => rank(a.severity) - rank(b.severity));
  const rows = found
    .slice(0, mostRows)
    .map((each: JsonObject) =>
      [each.id, each.severity, each.package, each.version, each.fix_version].map((cell) => text(cell)),
    );
  const counts: Record<string, number> = {};
  for (const { severity } of found) counts[text(severity)] = number(counts[text(severity)]) + 1;
  const fixable = found.filter(({ fix_version: version }) => text(version) !== '').length;
  const more = found.length > mostRows ? `; the ${mostRows} worst are shown` : '';
  return { kind: 'table', title, columns, rows, note: `${countsText(counts, fixable)}${more}` };
}

export const harborReport = defineOperation({
  name: 'harbor-report',
  summary: 'Show what Harbor’s last scan of an image found, worst first',
  effect: 'read',
  input: Input,
  usage: '<repository> <reference>',
  examples: ['team/web v1'],
  routes: [
    route({
      method: 'GET',
      path: '/harbor/scans',
      summary: 'What the last scan of an image found',
      request: Input,
      input: (request) => request,
    }),
  ],
  needs: ['harbor'],
  steps: ['read'],
  target: () => ({}),
  plan: async (_context, { repository, reference }) => ({
    summary: `scan of ${repository}:${reference}`,
    changes: [],
    takesOver: [],
  }),
  run: async (run, input) =>
    await run.step('read', async ({ signal }) => {
      await artifactCalled(run.on, input.repository, input.reference, signal);
      return await reportOf(run.on, input, signal);
    }),
});

export const harborScan = defineOperation({
  name: 'harbor-scan',
  summary: 'Have Harbor scan an image now, and show what it finds',
  effect: 'change',
  aside: true,
  input: Input,
  usage: '<repository> <reference>',
  examples: ['team/web v1'],
  routes: [
    route({
      method: 'POST',
      path: '/harbor/scans',
      summary: 'Scan an image',
      request: Input,
      input: (request) => request,
    }),
  ],
  needs: ['harbor'],
  steps: ['scan', 'wait', 'report'],
  limits: { steps: { wait: longestMs + 30_000 } },
  target: () => ({}),
  plan: async ({ on, signal }, { repository, reference }) => {
    const { digest } = await artifactCalled(on, repository, reference, signal);
    // The very image: a tag may be moved meanwhile.
    const call = { method: 'POST' as const, path: [...artifactPath(repository, text(digest)), 'scan'] };
    return {
      summary: `scans ${repository}:${reference}`,
      changes: [{ path: `artifact/${repository} scan`, to: text(digest) }],
      harbor: [{ ...call, body: { scan_type: 'vulnerability' }, done: `${repository}: scan asked for` }],
      takesOver: [],
    };
  },
  run: async (run, { repository }) => {
    const { path = [], body } = run.plan.harbor?.[0] ?? {};
    const digest = path.at(-2) ?? '';
    const before = await run.step('scan', async ({ signal }) => {
      const known = overviewOf((await readArtifact(run.on, repository, digest, signal)) ?? {});
      // 409: one is under way already, and its end is as good as another's.
      const { status, message } = await run.on.harbor.send({ method: 'POST', path, body }, signal);
      if (status === 404) throw fault('HARBOR_REFUSED', { problem: message, hint: 'Does Harbor have a scanner?' });
      return status === 409 ? '' : (known?.startedAt ?? '');
    });
    await run.step('wait', async ({ signal, note, startedAt }) => {
      for (;;) {
        const now = overviewOf((await readArtifact(run.on, repository, digest, signal)) ?? {});
        if (now && !isUnderWay(now) && now.startedAt !== before) {
          if (now.status === 'Success') return;
          const hint = 'The thread of its scanner in Harbor says why.';
          throw fault('HARBOR_REFUSED', { problem: `the scan ended as “${now.status}”.`, hint });
        }
        note(now?.status ?? 'waiting');
        if (run.now() - startedAt > longestMs)
          throw fault('HARBOR_REFUSED', {
            problem: 'the scan is not over after 10 minutes.',
            hint: 'Look at it in Harbor.',
          });
        await sleep(lookMs, undefined, { signal });
      }
    });
    return await run.step('report', ({ signal }) => reportOf(run.on, { repository, reference: digest }, signal));
  },
});
