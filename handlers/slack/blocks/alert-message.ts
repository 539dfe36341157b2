import type { AlertGroup } from '../../../src/core/alert.ts';
import { actions, context, harmless, header, type MessageView, moment, section, spokenText } from './elements.ts';
import { askAction, askButton } from './run-buttons.ts';

const most = 10;

/** One message a group of alerts, edited as alerts join it and when it resolves. */
export function alertMessage(group: AlertGroup): MessageView {
  const firing = group.alerts.filter(({ status }) => status === 'firing');
  const over = group.status === 'resolved';
  const severity = group.severity?.toUpperCase() ?? 'ALERT';
  const count = over ? 'resolved' : `${firing.length} firing`;
  const where = [group.app, group.env].filter(Boolean).join(' in ');
  const shown = (over ? group.alerts : firing).slice(0, most);
  const rest = (over ? group.alerts : firing).length - shown.length;
  const lines = shown.map(
    ({ name, summary }) => `• *${harmless(name)}*${summary === '' ? '' : `: ${harmless(summary)}`}`,
  );
  const { app, env } = group;
  return {
    text: spokenText(`${severity} ${group.title}${where === '' ? '' : ` – ${where}`}: ${count}`),
    blocks: [
      header(`${over ? ':white_check_mark:' : ':rotating_light:'} ${group.title}`),
      section(`*${over ? 'Resolved' : harmless(severity)}* · ${count}${where === '' ? '' : ` · ${harmless(where)}`}`),
      section([...lines, ...(rest > 0 ? [`… and ${rest} more`] : [])].join('\n') || 'No details were sent.'),
      ...(!over && app !== undefined && env !== undefined
        ? [
            actions([
              askButton('Why?', { operation: 'why', input: { what: app, env } }, 0),
              {
                action: `${askAction}_rollback`,
                text: 'Roll back',
                value: JSON.stringify({ operation: 'rollback', input: { app, env } }),
                style: 'danger',
              },
            ]),
          ]
        : []),
      context(`since ${moment(group.firstAt)}${over ? ` · resolved ${moment(group.updatedAt)}` : ''}`),
    ],
  };
}
