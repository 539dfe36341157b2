import { stringify } from 'yaml';
import { appEntry, isAppNamed } from '../../core/apps.ts';
import { choosesPods } from '../../core/effects/app-objects.ts';
import { parseImage, wholeRepository } from '../../core/image.ts';
import { at, isObject, type Json, type JsonObject, text } from '../../core/json.ts';
import { labelsOf } from '../../core/label-selector.ts';
import { markOf, marks } from '../../core/marks.ts';
import { Label } from '../../core/name-pattern.ts';
import { isForAll } from '../../core/new-workloads.ts';
import { countOf } from '../../core/observed.ts';
import { oneLine } from '../../core/one-line.ts';
import type { EnvironmentSettings, Settings } from '../../core/settings.ts';
import { list, nameIn, podSpecOf } from '../kubernetes/reading.ts';
import type { Scaler } from '../workloads/scaler.ts';

/** A workload that is to be an app, and what stands around it. */
export type Candidate = {
  kind: string;
  object: JsonObject;
  /** What its pods are made after: itself, or the Deployment that a Rollout names. */
  template: JsonObject;
  services: readonly JsonObject[];
  scalers: readonly Scaler[];
  environment: EnvironmentSettings | undefined;
  /** Where it was asked for, where that is a channel. */
  channel: string | undefined;
};

/** A line of the entry: what it says, and what is to be known of it. */
type Line = { field?: readonly [key: string, value: Json]; remark?: string };

/** What stands beside an app's own container in its pods, by the names that are usual. */
const beside = /(^|-)(proxy|agent|sidecar|exporter|envoy|fluent-?bit|filebeat|otel.*|collector|reloader)(-|$)/;

/** The container that is the app, and whether that is more than a guess. */
export function mainContainer(template: JsonObject, names: readonly string[]): { main: JsonObject; guessed?: string } {
  const all = list(at(podSpecOf(template), 'containers'));
  const marked = text(
    at(template, 'spec', 'template', 'metadata', 'annotations', 'kubectl.kubernetes.io/default-container'),
  );
  const named = [marked, ...names].map((name) => all.find((each) => each.name === name)).find((found) => found);
  const [first = {}, second] = all;
  if (named ?? second === undefined) return { main: named ?? first };
  const main = all.find(({ name }) => !beside.test(text(name))) ?? first;
  return { main, guessed: `one of ${all.map(({ name }) => text(name)).join(', ')}` };
}

/** A name for the app that nothing else bears, nor would bear by a pattern: whatever says so of itself takes over no app. */
export function nameFor(settings: Pick<Settings, 'apps'>, { kind, object }: Pick<Candidate, 'kind' | 'object'>) {
  const workload = nameIn(object);
  const label = text(at(object, 'metadata', 'labels', 'app.kubernetes.io/name'));
  const tried = [
    { name: markOf(object, 'app'), guessed: `its annotation ${marks.app}` },
    { name: label, ...(label !== workload && { guessed: 'the label app.kubernetes.io/name' }) },
    { name: workload },
    { name: `${workload}-${kind.toLowerCase()}`.slice(0, 63), guessed: `“${workload}” is taken` },
  ];
  const free = ({ name }: { name: string }) =>
    Label.safeParse(name).success &&
    (name === workload ? !isAppNamed(settings, name) : appEntry(settings, name) === undefined);
  return tried.find(free) ?? { name: 'new-app', guessed: 'every other name is taken' };
}

const servicesFor = ({ services, template, environment, object }: Candidate): JsonObject[] => {
  const labels = labelsOf(at(template, 'spec', 'template', 'metadata', 'labels'));
  return services.filter(
    (service) =>
      choosesPods(at(service, 'spec', 'selector'), labels) &&
      !isForAll(environment?.newWorkloads, service, nameIn(object)),
  );
};

/** How its traffic is found, where the Service is not called like the app or its workload. */
function rolloutLine(candidate: Candidate, own: readonly JsonObject[], names: readonly string[]): Line[] {
  const headed = own.filter((service) => at(service, 'spec', 'clusterIP') !== 'None');
  const [service] = headed.length > 0 ? headed : own;
  if (service === undefined || candidate.kind !== 'Deployment') return [];
  if (own.some((each) => names.includes(nameIn(each)))) return [];
  // What the environment says of rollouts holds only where the app says nothing.
  const strategy = candidate.environment?.rollout?.strategy;
  const value = { ...(strategy !== undefined && { strategy }), service: nameIn(service) };
  const others = own.length > 1 ? { remark: `guessed: one of ${own.map(nameIn).join(', ')}` } : {};
  return [{ field: ['rollout', value], ...others }];
}

function probesText(main: JsonObject): string {
  const one = (kind: string) => {
    const probe = main[`${kind}Probe`];
    if (!isObject(probe)) return `no ${kind} probe`;
    const { path = '/', port } = isObject(probe.httpGet) ? probe.httpGet : {};
    return `${kind} ${port === undefined ? 'probe' : `GET ${String(path)} at ${String(port)}`}`;
  };
  return ['readiness', 'liveness', 'startup'].map(one).join(', ');
}

const scalerText = ({ kind, name, min, max }: Scaler) => `${kind}/${name} scales it between ${min} and ${max}`;

/** What a canary would need and does not find. */
function lacks({ kind }: Candidate, own: readonly JsonObject[], main: JsonObject): string[] {
  return [
    ...(kind === 'Deployment' ? [] : [`it is a ${kind}: only a Deployment can have one`]),
    ...(own.length > 0 ? [] : ['no Service leads to its pods']),
    ...(main.readinessProbe === undefined ? ['it has no readiness probe'] : []),
  ];
}

function remarks(candidate: Candidate, own: readonly JsonObject[], main: JsonObject): string[] {
  const { object, scalers } = candidate;
  const [keeper] = list(at(object, 'metadata', 'ownerReferences')).filter(({ controller }) => controller === true);
  const source = markOf(object, 'repository');
  const missing = lacks(candidate, own, main);
  return [
    ...(keeper ? [`It is kept by ${text(keeper.kind)}/${text(keeper.name)}, which may set back what is changed.`] : []),
    ...(source === '' ? [] : [`Its source: ${source}`]),
    `Replicas: ${[String(countOf(object).replicas), ...scalers.map(scalerText)].join('; ')}`,
    `Service: ${own.map(nameIn).join(', ') || 'none'}; probes: ${probesText(main)}`,
    ...(missing.length > 0 ? [`For a canary: ${missing.join('; ')}.`] : []),
  ];
}

function ownerLine({ roles }: Pick<Settings, 'roles'>, object: JsonObject): Line[] {
  const owner = markOf(object, 'owner');
  if (owner === '') return [];
  return Object.hasOwn(roles, owner)
    ? [{ field: ['owner', owner], remark: `guessed: its annotation ${marks.owner}` }]
    : [{ remark: `owner: ${owner}, as it says; there is no such role yet` }];
}

/** A channel as Slack has it: by its id, or by its name. */
const channelForm = /^([CG][A-Z0-9]{2,20}|#[\p{L}\p{N}][\p{L}\p{N}_-]{0,79})$/u;

function channelLine({ object, channel }: Candidate): Line[] {
  const said = markOf(object, 'channel');
  if (channelForm.test(said)) return [{ field: ['channel', said], remark: `guessed: its annotation ${marks.channel}` }];
  if (said !== '') return [{ remark: `channel: ${marks.channel} says none: “${said.slice(0, 80)}”` }];
  return channel === undefined ? [] : [{ field: ['channel', channel], remark: 'guessed: where this was asked for' }];
}

const style = { collectionStyle: 'flow', flowCollectionPadding: false, singleQuote: true, lineWidth: 0 } as const;

/** A value of settings in one line, whatever is in it: what would break one is written out in escapes. */
export function inOneLine(value: Json): string {
  const plain = stringify(value, { ...style, aliasDuplicateObjects: false }).replace(/\n$/, '');
  if (plain.search(breaking) < 0) return plain;
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value).replace(breaking, (letter) => letter.replace(/./gs, escaped));
}
const breaking = /[\p{Cc}\p{Zl}\p{Zp}\p{Cf}]/gu;

const lineText = ({ field, remark }: Line): string =>
  [...(field ? [`${field[0]}: ${inOneLine(field[1])}`] : []), ...(remark ? [`# ${oneLine(remark)}`] : [])].join(' ');

/** The entry of `shipmate.yaml` that would cover a workload, as text to paste; what is guessed is marked. */
export function entryFor(
  settings: Pick<Settings, 'apps' | 'roles'>,
  candidate: Candidate,
): { name: string; text: string } {
  const { kind, object, template } = candidate;
  const workload = nameIn(object);
  const { name, guessed: why } = nameFor(settings, candidate);
  const { main, guessed } = mainContainer(template, [workload, name]);
  const container = text(main.name);
  const own = servicesFor(candidate);
  const lines: Line[] = [
    {
      field: ['image', wholeRepository(parseImage(text(main.image)))],
      ...(guessed !== undefined && { remark: `guessed: that of ${container}` }),
    },
    ...(kind === 'Deployment' ? [] : [{ field: ['kind', kind] } as const]),
    ...(workload === name ? [] : [{ field: ['workload', workload] } as const]),
    ...(container === workload
      ? []
      : [
          { field: ['container', container], ...(guessed !== undefined && { remark: `guessed: ${guessed}` }) } as const,
        ]),
    ...ownerLine(settings, object),
    ...channelLine(candidate),
    ...rolloutLine(candidate, own, [workload, name]),
    ...remarks(candidate, own, main).map((remark) => ({ remark })),
  ];
  const head = `  ${inOneLine(name)}:${why === undefined ? '' : ` # guessed: ${oneLine(why)}`}`;
  return { name, text: ['apps:', head, ...lines.map((line) => `    ${lineText(line)}`)].join('\n') };
}
