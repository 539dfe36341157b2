import type { Report } from '../../../src/core/report.ts';
import { troubleText } from '../../../src/core/trouble-text.ts';
import { code, context, harmless, header, type MessageView, mrkdwn, section } from './elements.ts';

type Status = Extract<Report, { kind: 'status' }>;
type Line = Status['apps'][number];

const lostText = (run: string) =>
  `last changed by run ${code(run)}, which Shipmate no longer knows: its records may have been lost (Redis failover?)`;

function lineOf({ app, image, replicas, ready, trouble, held, problem, lostRun }: Line): string {
  if (problem !== undefined) return `:white_circle: *${harmless(app)}* ${harmless(problem)}`;
  const what = `*${harmless(app)}* ${image === undefined ? '' : `${code(image)} `}${ready} of ${replicas} ready`;
  const lost = lostRun === undefined ? '' : `\n      :warning: ${lostText(lostRun)}`;
  if (trouble) return `:red_circle: ${what}${lost}\n      ${harmless(troubleText(trouble).what)}`;
  const waits = held === undefined ? '' : `\n      :double_vertical_bar: ${harmless(held)}`;
  return `${ready === replicas ? ':large_green_circle:' : ':large_yellow_circle:'} ${what}${lost}${waits}`;
}

/** A message takes 50 blocks. */
const most = { sections: 40, letters: 2_900, ofOne: 3 };

/** Lines in as few texts as hold them whole. */
function joined(lines: readonly string[]): string[][] {
  const texts: string[][] = [];
  let letters = most.letters;
  for (const line of lines) {
    letters += line.length + 1;
    if (letters > most.letters) {
      texts.push([]);
      letters = line.length;
    }
    texts.at(-1)?.push(line);
  }
  return texts;
}

/** An environment: a paragraph, or several where so much runs there. */
function paragraphs(env: string, lines: readonly string[]): string[] {
  const texts = joined([`*${harmless(env)}*`, ...lines]);
  const left = texts.slice(most.ofOne).flat().length;
  const more = left > 0 ? [`… and ${left} more: /ship apps in ${harmless(env)}`] : [];
  return [...texts.slice(0, most.ofOne).map((text) => text.join('\n')), ...more];
}

/** What runs where, environment by environment. */
export function statusMessage({ apps }: Status, at: number): MessageView {
  const environments = [...new Set(apps.map(({ env }) => env))];
  const told = environments.map((env) => paragraphs(env, apps.filter((app) => app.env === env).map(lineOf)));
  const room = told.findIndex((_, index) => told.slice(0, index + 1).flat().length > most.sections);
  const shown = room === -1 ? told : told.slice(0, room);
  const rest = told.length - shown.length;
  const well = apps.filter(({ ready, replicas, problem }) => problem === undefined && ready === replicas).length;
  return {
    text: mrkdwn`What runs where: ${well} of ${apps.length} well`,
    blocks: [
      header('What runs where'),
      ...shown.flat().map(section),
      ...(rest > 0 ? [context(`… and ${rest} more environments: /ship status in ENVIRONMENT`)] : []),
      context(`as of <!date^${Math.floor(at / 1_000)}^{time_secs}|${new Date(at).toISOString()}>`),
    ],
  };
}
