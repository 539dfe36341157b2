import { z } from 'zod';
import { covers } from './name-pattern.ts';
import type { Allowance, Gate, ScanRules } from './trust-settings.ts';

export const severities = ['critical', 'high', 'medium', 'low', 'unknown'] as const;
export const Severity = z.enum(severities);
export type Severity = z.output<typeof Severity>;

/** One thing that a scanner found: in a package, a file of the image, its configuration, or the Dockerfile. */
export const Finding = z.object({
  kind: z.enum(['vulnerability', 'secret', 'misconfiguration']),
  severity: Severity,
  /** `CVE-2024-1234`, or the rule's own id. */
  id: z.string(),
  title: z.string(),
  /** The package, or the file. */
  where: z.string(),
  installed: z.string().optional(),
  /** The versions that mend it. */
  fixed: z.string().optional(),
});
export type Finding = z.output<typeof Finding>;

/** What is attested of a scan; the frame is that of cosign's type `vuln`. */
export const Scan = z.object({
  scanner: z.object({
    uri: z.string(),
    version: z.string(),
    db: z.object({ uri: z.string(), version: z.string(), lastUpdate: z.string() }),
    result: z.object({ findings: z.array(Finding) }),
  }),
  metadata: z.object({ scanStartedOn: z.string(), scanFinishedOn: z.string() }),
});
export type Scan = z.output<typeof Scan>;

export const finishedOf = ({ metadata }: Scan): number => Date.parse(metadata.scanFinishedOn);
export const findingsOf = ({ scanner }: Scan): Finding[] => scanner.result.findings;

/** The newest of several scans, by what they say themselves. */
export function newestScan(scans: readonly Scan[]): Scan | undefined {
  return scans.toSorted((a, b) => finishedOf(b) - finishedOf(a))[0];
}

const keyOf = ({ kind, id, where }: Finding) => `${kind} ${id} ${where}`;

/** The findings that an earlier image did not have. */
export function newSince(findings: readonly Finding[], earlier: readonly Finding[]): Finding[] {
  const known = new Set(earlier.map(keyOf));
  return findings.filter((finding) => !known.has(keyOf(finding)));
}

/** The worst first, and what can be mended before what cannot. */
export function byWeight(findings: readonly Finding[]): Finding[] {
  const weight = ({ severity, fixed }: Finding) => severities.indexOf(severity) * 2 + (fixed === undefined ? 1 : 0);
  return findings.toSorted((a, b) => weight(a) - weight(b) || (a.id < b.id ? -1 : 1));
}

/** `2 critical, 5 high`, worst first. */
export function countText(findings: readonly Finding[]): string {
  const counts = severities.map((severity) => [findings.filter((each) => each.severity === severity).length, severity]);
  const said = counts.filter(([count]) => count !== 0).map(([count, severity]) => `${count} ${severity}`);
  return said.length === 0 ? 'nothing' : said.join(', ');
}

/** Where an image would go. */
export type Destination = { app: string; env: string };

/** An allowance counts to the end of its last day (UTC). */
export const lapsed = ({ until }: Allowance, now: number): boolean => now >= Date.parse(until) + 86_400_000;

function gateOf(rules: ScanRules, { kind, severity, fixed }: Finding): Gate {
  if (kind === 'secret') return rules.secrets ?? rules[severity] ?? 'allow';
  // A misconfiguration is advice: it never keeps an image from being deployed.
  const gate = rules[severity] ?? 'allow';
  if (kind === 'misconfiguration') return gate === 'block' ? 'warn' : gate;
  return gate === 'block' && rules.unfixed === false && fixed === undefined ? 'warn' : gate;
}

export type Sifted = {
  blocked: Finding[];
  warned: Finding[];
  /** Those that an allowance covers. */
  allowed: { finding: Finding; allowance: Allowance }[];
  /** Allowances that would cover a finding, but for their last day. */
  lapsed: Allowance[];
};

/** What the rules make of the findings. An allowance that has lapsed counts no more, and is named. */
export function sift(
  findings: readonly Finding[],
  rules: ScanRules,
  allowances: readonly Allowance[],
  { app, env }: Destination,
  now: number,
): Sifted {
  const here = allowances.filter(({ apps, environments }) => covers(apps, app) && covers(environments, env));
  const sifted: Sifted = { blocked: [], warned: [], allowed: [], lapsed: [] };
  for (const finding of byWeight(findings)) {
    const gate = gateOf(rules, finding);
    if (gate === 'allow') continue;
    const own = here.filter(({ id }) => id === finding.id);
    const allowance = own.find((each) => !lapsed(each, now));
    if (allowance) {
      sifted.allowed.push({ finding, allowance });
      continue;
    }
    sifted.lapsed.push(...own.filter((each) => !sifted.lapsed.includes(each)));
    (gate === 'block' ? sifted.blocked : sifted.warned).push(finding);
  }
  return sifted;
}
