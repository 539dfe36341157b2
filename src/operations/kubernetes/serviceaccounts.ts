import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import { defineOperation } from '../../core/operation.ts';
import { EnvRef, ObjectName } from '../../core/place.ts';
import { some } from '../../core/some.ts';
import { Switch } from '../../core/values.ts';
import { rolloutsIn, rolloutsPermission } from './list-known.ts';
import { ageOf, byName, isKept, list, nameIn, podSpecOf } from './reading.ts';
import { showsEnvironment } from './shows-environment.ts';
import { planWrites, runWrites, writeSteps } from './writes.ts';

const running = ['Deployment', 'StatefulSet', 'DaemonSet', 'CronJob', 'Job', 'Pod'] as const;

const accountOf = (object: JsonObject) => text(at(podSpecOf(object), 'serviceAccountName')) || 'default';

export const serviceAccounts = showsEnvironment({
  name: 'serviceaccounts',
  summary: 'List ServiceAccounts with what runs under them',
  permissions: [
    'list,watch serviceaccounts,pods,cronjobs.batch,jobs.batch',
    'list,watch deployments.apps,statefulsets.apps,daemonsets.apps',
    rolloutsPermission,
  ],
  look: async (run, signal) => {
    const { cluster, namespace, env } = run.site;
    const kube = run.on.kube(cluster);
    const [accounts, ...sights] = await Promise.all([
      ...(['ServiceAccount', ...running] as const).map(
        async (kind) => (await kube.look(kind, namespace, signal)).objects,
      ),
      rolloutsIn(kube, namespace, signal),
    ]);
    const users = sights.flat().filter((object) => !isKept(object));
    const rows = [...(accounts ?? [])].sort(byName).map((account) => [
      nameIn(account),
      some(
        users.filter((user) => accountOf(user) === nameIn(account)).map((user) => `${text(user.kind)}/${nameIn(user)}`),
      ),
      list(account.imagePullSecrets)
        .map(({ name }) => text(name))
        .join(', '),
      account.automountServiceAccountToken === false ? 'no' : 'yes',
      ageOf(account, run.now()),
    ]);
    const known = new Set((accounts ?? []).map(nameIn));
    const lost = users.filter((user) => !known.has(accountOf(user)));
    return {
      kind: 'table' as const,
      title: `ServiceAccounts in ${env}`,
      columns: ['ServiceAccount', 'Runs', 'Pulls with', 'Token in pods', 'Age'],
      rows,
      ...(lost.length > 0 && {
        note: `Not there, but asked for: ${some(lost.map((user) => `${accountOf(user)} by ${text(user.kind)}/${nameIn(user)}`))}`,
      }),
    };
  },
});

const annotationForm = /^([A-Za-z0-9][-A-Za-z0-9_./]*)=(.*)$/;

export const serviceAccountCreate = defineOperation({
  name: 'serviceaccount-create',
  summary: 'Make a ServiceAccount for an app to run under',
  effect: 'change',
  input: z.strictObject({
    name: ObjectName.describe('The new ServiceAccount'),
    env: EnvRef,
    pull: z.array(ObjectName).max(20).optional().describe('Secrets to pull images with'),
    token: Switch.optional().describe('Whether pods get its token; yes where it is left out'),
    annotations: z
      .array(z.string().max(2_000).regex(annotationForm, 'must be KEY=VALUE'))
      .max(20)
      .optional()
      .describe('Annotations such as eks.amazonaws.com/role-arn=…')
      .meta({ examples: [['eks.amazonaws.com/role-arn=arn:aws:iam::1:role/web']] }),
  }),
  usage: '<name> in <env> [pull=<pull>] [token=no]',
  examples: ['worker in staging', 'worker in staging pull=registry-login token=no'],
  needs: ['kube'],
  permissions: ['get,create,patch serviceaccounts'],
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan: async ({ on, site, signal }, { name, pull, token, annotations }) => {
    const kube = on.kube(site.cluster);
    const { namespace } = site;
    const ref = { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name };
    if (await kube.read(ref, signal)) throw fault('OBJECT_EXISTS', { kind: ref.kind, name, where: namespace });
    const pairs = (annotations ?? []).map((pair) => annotationForm.exec(pair) ?? []);
    const notes = Object.fromEntries(pairs.map(([, key = '', value = '']) => [key, value]));
    const manifest = {
      apiVersion: 'v1',
      kind: ref.kind,
      metadata: { name, namespace, ...(pairs.length > 0 && { annotations: notes }) },
      ...(pull && { imagePullSecrets: pull.map((secret) => ({ name: secret })) }),
      automountServiceAccountToken: token ?? true,
    };
    const planned = await planWrites(kube, [{ kind: 'create', manifest }], signal);
    return {
      summary: `new ServiceAccount/${name}: it may do nothing in the cluster until a role is bound to it`,
      ...planned,
    };
  },
  run: (run) => runWrites(run),
});
