import { z } from 'zod';
import { actorId, personOf } from '../../core/actor.ts';
import { fault } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { didYouMean } from '../../core/near.ts';
import { ObjectName, type Site } from '../../core/place.ts';
import { type Resource, resourceCalled } from '../../core/rbac.ts';
import { ClusterSubject, type Settings } from '../../core/settings.ts';
import { actorNamed } from '../admin/can.ts';

/** Somebody in the sense of a cluster. `groups` are those that it counts them into. */
export type Subject = { title: string; user?: string; groups: string[]; rbac: JsonObject };

const said = 'must be a person, user:NAME, group:NAME or sa/NAME; subjects of the system are not for people to name';

function isSubject(who: string): boolean {
  const [kind = '', name] = who.split(/[:/](.*)/s);
  if (name === undefined || name === '') return !who.includes('system:');
  if (kind === 'sa' || kind === 'serviceaccount') return ObjectName.safeParse(name).success;
  if (kind === 'user' || kind === 'group') return ClusterSubject.safeParse(name).success;
  return /^<@/.test(who);
}

export const SubjectRef = z
  .string()
  .min(1)
  .max(253)
  .refine(isSubject, said)
  .describe('A person of shipmate.yaml, user:NAME, group:NAME, or sa/NAME for a service account of the environment')
  .meta({ examples: ['sa/ci'] });

const rbacGroup = 'rbac.authorization.k8s.io';

/** @throws Fault NOT_MAPPED for a person of whom the settings don't say who they are in a cluster */
export function subjectCalled(settings: Settings, { namespace }: Pick<Site, 'namespace'>, who: string): Subject {
  const [kind = '', name = ''] = who.split(/[:/](.*)/s);
  const everybody = 'system:authenticated';
  if (kind === 'sa' || kind === 'serviceaccount') {
    const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, everybody];
    const rbac = { kind: 'ServiceAccount', name, namespace };
    return { title: `service account ${name}`, user: `system:serviceaccount:${namespace}:${name}`, groups, rbac };
  }
  const named = (kind: string, name: string) => ({ apiGroup: rbacGroup, kind, name });
  if (kind === 'user') return { title: `user ${name}`, user: name, groups: [everybody], rbac: named('User', name) };
  if (kind === 'group') return { title: `group ${name}`, groups: [name, everybody], rbac: named('Group', name) };
  const actor = actorNamed(settings, who);
  const person = personOf(settings, actor) ?? '';
  const mapped = settings.people[person]?.kubernetes;
  if (!mapped) throw fault('NOT_MAPPED', { who: person || actorId(actor) });
  const { user, groups } = mapped;
  return { title: person, user, groups: [...groups, everybody], rbac: named('User', user) };
}

/** @throws Fault BAD_INPUT for what is no resource */
export function resourceOf(word: string): Resource {
  const found = resourceCalled(word);
  if ('problem' in found) throw fault('BAD_INPUT', { problem: found.problem });
  return found;
}

const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];

/** Any verb that a rule may speak of, such as `use`; a slip of the finger is told from it. */
export const Verb = z
  .string()
  .regex(/^[a-z]{2,30}$/, 'must be a verb: get, list, watch, create, update, patch, delete, …')
  .refine((verb) => verbs.includes(verb) || didYouMean(verb, verbs) === '', {
    error: ({ input }) => `is no verb.${didYouMean(String(input), verbs)}`,
  })
  .describe('What they would do: get, list, watch, create, update, patch, delete, …')
  .meta({ examples: ['get'] });

export const ResourceWord = z
  .string()
  .min(1)
  .max(253)
  .describe('A resource: pods, deploy, pods/log, widgets.example.com')
  .meta({ examples: ['pods'] });
