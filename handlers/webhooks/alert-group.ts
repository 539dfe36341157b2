import { createHash } from 'node:crypto';
import type { AlertGroup } from '../../src/core/alert.ts';
import { appEntry, appNames, appsBehind } from '../../src/core/apps.ts';
import { Fault } from '../../src/core/errors.ts';
import { EnvRef, siteCalled } from '../../src/core/place.ts';
import type { Settings } from '../../src/core/settings.ts';
import type { AlertPayload } from './alert-payload.ts';

type Alert = AlertGroup['alerts'][number];

/** Firing ones first; no message shows more, and no group may grow without end. */
const mostAlerts = 200;
/**
 * A delivery is not late by more than this. Word that an alert fires, though it resolved, is taken for a late delivery
 * until then, and afterwards for the truth: Alertmanager keeps `startsAt` where an alert only seemed to have ended.
 */
const lateMs = 5 * 60_000;
const longest = 500;

/** A group's id: its key is long and may hold anything. */
export function groupIdOf({ groupKey }: Pick<AlertPayload, 'groupKey'>): string {
  return createHash('sha256').update(groupKey).digest('hex').slice(0, 16);
}

function alertsOf({ alerts }: AlertPayload): Alert[] {
  return alerts.map(({ fingerprint, status, labels, annotations, startsAt, endsAt }) => ({
    fingerprint,
    status,
    name: (labels.alertname ?? 'alert').slice(0, longest),
    summary: (annotations.summary ?? annotations.description ?? annotations.message ?? '').slice(0, longest),
    startsAt,
    ...(status === 'resolved' && { endsAt }),
  }));
}

/** Of two words on one alert the later: by when it began, then resolved over firing. */
function laterOf(known: Alert, told: Alert, now: number): Alert {
  const [before, after] = [Date.parse(known.startsAt), Date.parse(told.startsAt)];
  if (before !== after) return after > before ? told : known;
  if (known.status === 'firing' || told.status === 'resolved') return told;
  return known.endsAt !== undefined && now - Date.parse(known.endsAt) > lateMs ? told : known;
}

/** When the whole group resolved, what it no longer lists and what began before that is over too. */
function endedWith({ status, alerts }: AlertPayload, known: Alert): Alert {
  const end = Math.max(...alerts.map(({ endsAt }) => Date.parse(endsAt)));
  if (status === 'firing' || known.status === 'resolved' || Date.parse(known.startsAt) > end) return known;
  return { ...known, status: 'resolved', endsAt: new Date(end).toISOString() };
}

function merged(known: readonly Alert[], payload: AlertPayload, now: number): Alert[] {
  const told = new Map(alertsOf(payload).map((alert) => [alert.fingerprint, alert]));
  const kept = known.map((alert) => {
    const word = told.get(alert.fingerprint);
    told.delete(alert.fingerprint);
    return word ? laterOf(alert, word, now) : endedWith(payload, alert);
  });
  const all = [...kept, ...told.values()];
  const firing = all.filter(({ status }) => status === 'firing');
  return [...firing, ...all.filter(({ status }) => status === 'resolved')].slice(0, mostAlerts);
}

/** The app and environment that the labels name, where `shipmate.yaml` knows them. */
function targetOf(settings: Settings, labels: Record<string, string>): Pick<AlertGroup, 'app' | 'env'> {
  const named = (...keys: string[]) => keys.flatMap((key) => (Object.hasOwn(labels, key) ? [labels[key]] : []));
  const findApp = (name = '') =>
    [
      ...(appNames(settings).includes(name) ? [name] : []),
      ...appsBehind(settings, ({ workload }, app) => workload ?? app, name),
      ...(appEntry(settings, name) ? [name] : []),
    ][0];
  const findEnv = (name = '') => {
    try {
      return EnvRef.safeParse(name).success ? siteCalled(settings, name).env : undefined;
    } catch (thrown) {
      if (thrown instanceof Fault) return undefined;
      throw thrown;
    }
  };
  const app = named('app', 'service', 'deployment')
    .map(findApp)
    .find((found) => found !== undefined);
  const env = named('environment', 'env', 'namespace')
    .map(findEnv)
    .find((found) => found !== undefined);
  return { ...(app !== undefined && { app }), ...(env !== undefined && { env }) };
}

const webAddress = (text: string) => (/^https?:\/\/\S{1,2000}$/.test(text) ? text : undefined);

/**
 * The group as it is after a delivery; the known one itself where the delivery says nothing new, because it is a
 * repetition or comes late. Deliveries may come twice and in any order: each alert's latest word counts.
 */
export function afterDelivery(
  known: AlertGroup | undefined,
  payload: AlertPayload,
  settings: Settings,
  now: number,
): AlertGroup {
  const { groupLabels, commonLabels, commonAnnotations } = payload;
  // What fires again after all was over is a new incident: it does not drag the old one's alerts along.
  const over = known?.status === 'resolved';
  const alerts = merged(known?.alerts ?? [], payload, now);
  const status = alerts.some((alert) => alert.status === 'firing') ? 'firing' : 'resolved';
  if (known && JSON.stringify(alerts) === JSON.stringify(known.alerts)) return known;
  const again = over && status === 'firing';
  const labels = { ...commonLabels, ...groupLabels };
  const title = labels.alertname ?? commonAnnotations.summary ?? alerts[0]?.name ?? 'alert';
  const severity = commonLabels.severity ?? payload.alerts.find((alert) => alert.labels.severity)?.labels.severity;
  return {
    id: groupIdOf(payload),
    status,
    ...(known && !again && { app: known.app, env: known.env }),
    ...targetOf(settings, labels),
    ...(severity !== undefined && { severity: severity.slice(0, 50) }),
    title: title.slice(0, 150),
    alerts: again ? alerts.filter((alert) => alert.status === 'firing') : alerts,
    firstAt: known && !again ? known.firstAt : now,
    updatedAt: now,
    ...(webAddress(payload.externalURL) && { source: payload.externalURL }),
  };
}
