import { actorId, personOf } from '../../core/actor.ts';
import { standing } from '../../core/approval.ts';
import { at } from '../../core/json.ts';
import type { RunContext } from '../../core/operation.ts';
import type { Run } from '../../core/run.ts';
import type { Settings } from '../../core/settings.ts';
import { judge } from '../../core/verification.ts';
import { pinnedImage } from '../../images/pinned.ts';
import { attest, readProofs } from '../../images/proof.ts';

/** Who asked, who approved, and what exactly; `decided` is the run that people decided about, of which it may be a part. */
function predicateOf(run: Run, decided: Run, settings: Settings) {
  const { plan, actor, place, breakGlass, createdAt } = run;
  const nameOf = (who: Run['actor']) => ({ id: actorId(who), name: personOf(settings, who) ?? actorId(who) });
  // What was approved before runs noted it rests on all that stood.
  const { plan: shown, counted = standing(settings, decided) } = decided;
  const time = (ms: number) => new Date(ms).toISOString();
  return {
    run: run.id,
    operation: run.operation,
    app: place?.app ?? '',
    environment: place?.env ?? '',
    cluster: place?.cluster ?? '',
    namespace: place?.namespace ?? '',
    image: plan?.image?.reference ?? '',
    imageDigest: plan?.image?.digest ?? '',
    planDigest: plan?.digest ?? '',
    ...(decided.id !== run.id && { partOf: { run: decided.id, planDigest: shown?.digest ?? '' } }),
    requestedBy: { ...nameOf(actor), at: time(createdAt) },
    approvedBy: counted.map((decision) => ({ ...nameOf(decision.actor), at: time(decision.at) })),
    ...(breakGlass && { breakGlass: breakGlass.reason }),
  };
}

/**
 * Puts the decision that a deploy rests on beside its image, as a signed statement, before anything changes. Where this
 * Shipmate has no key, or nobody had to decide, there is nothing to say.
 */
export async function attestDecision(run: RunContext<'attachments' | 'signing' | 'runs', 'attest'>): Promise<void> {
  const found = run.plan.image;
  if (!run.on.signing.ready || !found) return;
  const stored = await run.on.runs.read(run.id);
  const decided = stored?.partOf?.approved ? await run.on.runs.read(stored.partOf.id) : stored;
  if (!stored || !decided || (decided.decisions.length === 0 && !stored.breakGlass)) return;
  const image = pinnedImage(found.reference, found.digest);
  await run.step('attest', async ({ signal, startedAt }) => {
    const own = await run.on.signing.own();
    const there = judge(
      'decision',
      image.digest,
      [own],
      await readProofs(run.on.attachments, image, ['decision'], signal),
    );
    const said = there.kind === 'proven' && there.statements.some(({ predicate }) => at(predicate, 'run') === run.id);
    if (said) return;
    const predicate = predicateOf(stored, decided, run.settings);
    await attest(run.on, image, { proof: 'decision', predicate, at: startedAt }, signal);
  });
}
