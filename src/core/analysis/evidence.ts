/**
 * The arithmetic of evidence. An e-value is a bet against a hypothesis that is fair where the hypothesis holds: by Ville's
 * inequality it ever reaches 1/α with a chance of at most α, however often one looks, so it may be looked at after every
 * request, and stopped at any time. Ramdas, Grünwald, Vovk, Shafer: Game-theoretic statistics and safe anytime-valid
 * inference, Statistical Science 38 (2023).
 */

/** ln(Σ exp(term)), without overflow. */
export function logSum(terms: readonly number[]): number {
  const most = Math.max(...terms);
  if (!Number.isFinite(most)) return most;
  return most + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - most), 0));
}

/** ln of the mean of the e-values whose ln is given: of several bets that are fair each, the mean is fair too. */
export const logMean = (terms: readonly number[]): number => logSum(terms) - Math.log(terms.length);

/**
 * Events, such as failures, that fell on the canary, and on others; under the hypothesis each falls on the canary with a
 * chance of at most `share`.
 */
export type Split = { hits: number; others: number; share: number };

/** ln of the odds ratios that are bet on: fine near 1, coarse towards 1,000. */
const ratios = Array.from({ length: 14 }, (_, n) => 0.04 * 1.5 ** n);

/**
 * ln of the evidence that more events fall on the canary (`more`), or fewer, than its share. For an odds ratio ρ the bet is
 * Π ρ^hits / (1 + share·(ρ − 1))^events: a product over phases, each with its own share, that depends on their counts only.
 * The mean over many ρ is bet, since none is known to be right: Lindon and Malek, Anytime-valid inference for multinomial
 * count data, NeurIPS 2022 (arXiv 2011.03567), with a grid in the place of a Dirichlet.
 *
 * Example: 4 failures, all on a canary with a tenth of the requests: a large ρ bets 10⁴ : 1 against chance.
 *
 * As a share, the canary's part of the requests that were seen is as good as the true one: where chance divides the requests,
 * hits are then hypergeometric, for which no such bet is better than for the binomial (Hoeffding 1963, theorem 4).
 */
export function logBet(splits: readonly Split[], side: 'more' | 'fewer'): number {
  const terms = ratios.map((size) => {
    const log = side === 'more' ? size : -size;
    const gain = Math.expm1(log);
    return splits.reduce(
      (sum, { hits, others, share }) => sum + hits * log - (hits + others) * Math.log1p(share * gain),
      0,
    );
  });
  return logMean(terms);
}

/** ln Γ(x) for x > 0: Lanczos' approximation with g = 7 and nine terms, good to some 15 digits. */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const terms = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ];
  const sum = terms.reduce((total, term, n) => total + (n === 0 ? term : term / (x - 1 + n)), 0);
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

/** ln B(a, b). */
export const logBeta = (a: number, b: number): number => logGamma(a) + logGamma(b) - logGamma(a + b);

/** What an arm served, and how much of it failed. */
export type Served = { requests: number; failures: number };

/** n·ln(p), and nothing of nothing. */
const times = (n: number, p: number): number => (n <= 0 ? 0 : n * Math.log(p));
const likelihood = ({ requests, failures }: Served, p: number): number =>
  times(failures, p) + times(requests - failures, 1 - p);

/** The largest ln likelihood of both arms where the canary fails by at least `difference` more often than stable. */
function likeliestWorse(canary: Served, stable: Served, difference: number): number {
  const rate = ({ failures, requests }: Served) => (requests > 0 ? failures / requests : 0);
  if (rate(canary) >= rate(stable) + difference)
    return likelihood(canary, rate(canary)) + likelihood(stable, rate(stable));
  const slope = (x: number) =>
    canary.failures / (x + difference) -
    (canary.requests - canary.failures) / (1 - x - difference) +
    stable.failures / x -
    (stable.requests - stable.failures) / (1 - x);
  let [low, high] = [0, 1 - difference];
  for (let n = 0; n < 50; n++) {
    const x = (low + high) / 2;
    if (slope(x) > 0) low = x;
    else high = x;
  }
  const x = (low + high) / 2;
  return likelihood(canary, x + difference) + likelihood(stable, x);
}

/** ln of the likelihood of counts, averaged over all rates (Jeffreys' prior). */
const averaged = ({ requests, failures }: Served): number =>
  logBeta(failures + 0.5, requests - failures + 0.5) - logBeta(0.5, 0.5);

const total = (arms: readonly Served[]): Served => ({
  requests: arms.reduce((sum, { requests }) => sum + requests, 0),
  failures: arms.reduce((sum, { failures }) => sum + failures, 0),
});

/**
 * ln of the evidence that the canary does not fail by `difference` (of 1) more often than stable: the likelihood of the counts
 * where both arms are alike, or each has a rate of its own, averaged over all rates, over the largest one where the canary is
 * that much worse, phase by phase, so that stable's own ups and downs from phase to phase are not taken for a difference.
 * Wasserman, Ramdas, Balakrishnan: Universal inference, PNAS 117 (2020).
 */
export function logNoWorse(phases: readonly { canary: Served; stable: Served }[], difference: number): number {
  const canary = total(phases.map((phase) => phase.canary));
  const stable = total(phases.map((phase) => phase.stable));
  const alike = averaged(total([canary, stable]));
  const apart = averaged(canary) + averaged(stable);
  const each = phases.reduce((sum, phase) => sum + averaged(total([phase.canary, phase.stable])), 0);
  const worst = phases.reduce((sum, phase) => sum + likeliestWorse(phase.canary, phase.stable, difference), 0);
  return logMean([alike, apart, each]) - worst;
}
