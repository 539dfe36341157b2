import { z } from 'zod';
import { same } from '../../core/edits.ts';
import { fault } from '../../core/errors.ts';
import { at, type JsonObject } from '../../core/json.ts';
import { didYouMean } from '../../core/near.ts';
import { defineOperation } from '../../core/operation.ts';
import { isOurs } from '../../core/ours.ts';
import { EnvRef } from '../../core/place.ts';
import { nameIn } from '../kubernetes/reading.ts';
import { missing, planWrites, runWrites, writeSteps } from '../kubernetes/writes.ts';
import { reachText } from './caller-words.ts';
import { PolicyName } from './callers.ts';
import { meshList, meshRef } from './objects.ts';

export const callersDrop = defineOperation({
  name: 'callers-drop',
  summary: 'Take away an AuthorizationPolicy that Shipmate made',
  effect: 'change',
  input: z.strictObject({ name: PolicyName, env: EnvRef }),
  usage: '<name> in <env>',
  examples: ['allow-old-to-web in staging'],
  needs: ['kube'],
  permissions: ['get,list,delete authorizationpolicies.security.istio.io'],
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan: async ({ on, site, signal }, { name }) => {
    const kube = on.kube(site.cluster);
    const all = await meshList(kube, 'AuthorizationPolicy', site.namespace, signal);
    const live = all.find((policy) => nameIn(policy) === name);
    const ref = meshRef('AuthorizationPolicy', site.namespace, name);
    if (!live) throw missing(ref, didYouMean(name, all.filter(isOurs).map(nameIn)));
    if (!isOurs(live)) throw fault('NOT_OURS', { kind: ref.kind, name });
    const planned = await planWrites(kube, [{ kind: 'remove', ref }], signal);
    const like = (policy: JsonObject) => same(at(policy, 'spec', 'selector'), at(live, 'spec', 'selector'));
    const [from, to] = [all, all.filter((policy) => policy !== live)].map((each) => reachText(each.filter(like)));
    return { summary: `takes away ${name}${from === to ? '' : `; from then on may call: ${to}`}`, ...planned };
  },
  run: (run) => runWrites(run),
});
