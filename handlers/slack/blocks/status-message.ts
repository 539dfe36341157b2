import type { Report } from '../../../src/core/report.ts';
import { code, context, harmless, header, type MessageView, mrkdwn, section } from './elements.ts';
import { troubleText } from './trouble-text.ts';

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
const most = 40;

/** What runs where, an environment a paragraph. */
export function statusMessage({ apps }: Status, at: number): MessageView {
  const environments = [...new Set(apps.map(({ env }) => env))];
  const rest = environments.length - most;
  const well = apps.filter(({ ready, replicas, problem }) => problem === undefined && ready === replicas).length;
  return {
    text: mrkdwn`What runs where: ${well} of ${apps.length} well`,
    blocks: [
      header('What runs where'),
      ...environments.slice(0, most).map((env) => {
        const lines = apps.filter((app) => app.env === env).map(lineOf);
        return section(`*${harmless(env)}*\n${lines.join('\n')}`);
      }),
      ...(rest > 0 ? [context(`… and ${rest} more environments: /ship status in ENVIRONMENT`)] : []),
      context(`as of <!date^${Math.floor(at / 1_000)}^{time_secs}|${new Date(at).toISOString()}>`),
    ],
  };
}
