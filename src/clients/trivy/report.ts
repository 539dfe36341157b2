import { z } from 'zod';
import { type Finding, Severity } from '../../core/scan.ts';
import { inPath } from '../../core/url-part.ts';

const severity = z
  .string()
  .transform((word) => word.toLowerCase())
  .pipe(Severity)
  .catch('unknown');
const words = z.string().optional();

const Vulnerability = z.object({
  VulnerabilityID: z.string(),
  PkgName: z.string(),
  InstalledVersion: words,
  FixedVersion: words,
  Severity: severity,
  Title: words,
});
const Misconfiguration = z.object({ ID: z.string(), Severity: severity, Title: words, Message: words });
const Secret = z.object({ RuleID: z.string(), Severity: severity, Title: words });

/** Trivy's JSON report, as far as it is used. Anything else in its place is no report. */
export const TrivyReport = z.object({
  SchemaVersion: z.literal(2),
  Trivy: z.object({ Version: words }).optional(),
  Results: z
    .array(
      z.object({
        Target: z.string(),
        Vulnerabilities: z.array(Vulnerability).nullish(),
        Misconfigurations: z.array(Misconfiguration).nullish(),
        Secrets: z.array(Secret).nullish(),
      }),
    )
    .nullish(),
});
export type TrivyReport = z.output<typeof TrivyReport>;

const asPath = (target: string) => target.split('/').map(inPath).join('/');

/** A report of which Trivy 0.74 can make SARIF: it falls over names that are no URL, such as `HOST:5000/web` and `a%zz`. */
export const SarifReport = z.looseObject({
  Results: z
    .array(
      z.looseObject({
        Target: z.string().transform(asPath),
        Class: words,
        Vulnerabilities: z.array(z.looseObject({ PkgPath: z.string().transform(asPath).optional() })).nullish(),
      }),
    )
    .nullish(),
});

const most = { title: 200, versions: 100 };

const kept = (text: string | undefined, length: number) =>
  text === undefined || text === '' ? undefined : text.slice(0, length);

/** The findings of a report. Of a secret only its place and kind is kept, never what it says. */
export function findingsIn({ Results }: TrivyReport): Finding[] {
  return (Results ?? []).flatMap(({ Target, Vulnerabilities, Misconfigurations, Secrets }): Finding[] => [
    ...(Vulnerabilities ?? []).map((each) => {
      const fixed = kept(each.FixedVersion, most.versions);
      const installed = kept(each.InstalledVersion, most.versions);
      return {
        kind: 'vulnerability' as const,
        severity: each.Severity,
        id: each.VulnerabilityID,
        title: kept(each.Title, most.title) ?? '',
        where: each.PkgName,
        ...(installed !== undefined && { installed }),
        ...(fixed !== undefined && { fixed }),
      };
    }),
    ...(Secrets ?? []).map(({ RuleID, Severity: found, Title }) => ({
      kind: 'secret' as const,
      severity: found,
      id: RuleID,
      title: kept(Title, most.title) ?? '',
      where: Target,
    })),
    ...(Misconfigurations ?? []).map(({ ID, Severity: found, Title, Message }) => ({
      kind: 'misconfiguration' as const,
      severity: found,
      id: ID,
      title: kept(Message ?? Title, most.title) ?? '',
      where: Target,
    })),
  ]);
}
