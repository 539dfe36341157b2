import { environmentEntry } from '../core/apps.ts';
import { fault } from '../core/errors.ts';
import type { PlanContext } from '../core/operation.ts';
import type { Place } from '../core/place.ts';
import { type Finding, findingsOf, finishedOf, newestScan, type Scan, type Sifted, sift } from '../core/scan.ts';
import type { Settings } from '../core/settings.ts';
import type { ScanRules } from '../core/trust-settings.ts';
import { type Judgement, judge, type Proof } from '../core/verification.ts';
import { type PinnedImage, pinnedImage } from './pinned.ts';
import { anyScans, faultOf, readProofs, scansIn } from './proof.ts';
import { checkOneReading } from './readings.ts';

/** What the findings of a scan do in an environment; undefined where nobody asks for scans there. */
export function rulesOf(settings: Settings, env: string): ScanRules | undefined {
  const rules = { ...settings.images.scan, ...environmentEntry(settings, env)?.its.scan };
  return Object.keys(rules).length > 0 ? rules : undefined;
}

/** `critical CVE-2024-1 in musl 1.2.4 (fixed in 1.2.5)`. */
export function findingText({ severity, id, where, installed, fixed }: Finding): string {
  const version = installed === undefined ? '' : ` ${installed}`;
  return `${severity} ${id} in ${where}${version}${fixed === undefined ? '' : ` (fixed in ${fixed})`}`;
}

/** The first three, and how many there are besides. */
export function findingsText(findings: readonly Finding[]): string {
  const more = findings.length - 3;
  return `${findings.slice(0, 3).map(findingText).join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

function blockedFault({ blocked, lapsed }: Sifted, { short }: PinnedImage, env: string) {
  const mendable = blocked.some(({ fixed }) => fixed !== undefined);
  const over = lapsed.map(({ id, until }) => ` The allowance for ${id} ended on ${until}.`).join('');
  return fault('SCAN_BLOCKED', {
    env,
    image: short,
    findings: findingsText(blocked),
    mend: mendable ? 'Build it anew with the versions that mend it. ' : '',
    id: blocked[0]?.id ?? '',
    lapsed: over,
  });
}

/** What people should know of a scan that forbids nothing. */
function warningsOf({ warned, allowed }: Sifted): string[] {
  return [
    ...(warned.length > 0 ? [`The scan found ${findingsText(warned)}.`] : []),
    ...allowed.map(
      ({ finding, allowance }) => `${finding.id} is allowed until ${allowance.until}: ${allowance.reason}`,
    ),
  ];
}

type Where = { app: string; env: string; settings: Settings; now: number };

/** @throws Fault SCAN_MISSING, SCAN_BLOCKED */
function passScan(scans: readonly Scan[], rules: ScanRules, image: PinnedImage, where: Where): string[] {
  const { settings, app, env, now } = where;
  const { days, unscanned = 'block' } = rules;
  const found = newestScan(scans);
  const young = found && (days === undefined || now - finishedOf(found) < days * 86_400_000);
  if (!found || !young) {
    const age = days === undefined ? '' : ` within ${days} days`;
    if (unscanned === 'block') throw fault('SCAN_MISSING', { env, age, image: image.short, name: image.short });
    return unscanned === 'warn' ? [`${image.short} was not scanned${age}.`] : [];
  }
  const sifted = sift(findingsOf(found), rules, settings.images.allow, { app, env }, now);
  if (sifted.blocked.length > 0) throw blockedFault(sifted, image, env);
  return warningsOf(sifted);
}

const unproven = (judgement: Judgement) => (judgement.kind === 'unproven' ? judgement : undefined);

/**
 * Whether the environment takes the image: all programs read it the same, it bears the signatures and attestations that `verify`
 * requires, and its scan has nothing in it that is forbidden. Reads only.
 * @returns what whoever approves should know
 * @throws Fault IMAGE_AMBIGUOUS, IMAGE_UNPROVEN, IMAGE_FOREIGN_KEY, IMAGE_ALTERED, IMAGE_OTHER_DIGEST, SCAN_MISSING, SCAN_BLOCKED
 */
export async function checkImage(
  {
    on,
    place,
    settings,
    now,
    signal,
  }: Pick<PlanContext<'attachments' | 'signing' | 'registry'>, 'on' | 'settings' | 'now' | 'signal'> & {
    place: Pick<Place, 'app' | 'env'>;
  },
  reference: string,
  digest: string,
): Promise<string[]> {
  const { env, app } = place;
  const rules = rulesOf(settings, env);
  const verify = environmentEntry(settings, env)?.its.verify;
  if (!rules && !verify) return [];
  const image = pinnedImage(reference, digest);
  const proofs: Proof[] = [...new Set([...(verify?.require ?? []), ...(rules ? ['scan' as const] : [])])];
  const [attached, keys] = await Promise.all([
    readProofs(on.attachments, image, proofs, signal),
    on.signing.trusted(verify?.keys ?? []),
    checkOneReading(on.registry, image, signal),
  ]);
  for (const proof of verify?.require ?? []) {
    const found = unproven(judge(proof, digest, keys, attached));
    if (found) throw faultOf(found, image, env, keys);
  }
  if (!rules) return [];
  const where = { app, env, settings, now: now() };
  if (!verify) return passScan(anyScans(attached, digest), rules, image, where);
  const scan = judge('scan', digest, keys, attached);
  // A scan that is there but not by a trusted key is no scan, and says so more plainly than its absence would.
  if (scan.kind === 'unproven' && scan.why !== 'none' && (rules.unscanned ?? 'block') === 'block')
    throw faultOf(scan, image, env, keys);
  return passScan(scan.kind === 'proven' ? scansIn(scan.statements) : [], rules, image, where);
}
