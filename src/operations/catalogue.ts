import { judgingPermissions } from '../core/effects/app-objects.ts';
import type { Catalogue, Operation } from '../core/operation.ts';
import { accessCan, accessWho } from './access/access.ts';
import { doctor } from './access/doctor.ts';
import { accessGrant, accessRevoke } from './access/grants.ts';
import { network, networkReach } from './access/network.ts';
import { networkAllow } from './access/network-allow.ts';
import { networkDeny } from './access/network-deny.ts';
import { audit } from './admin/audit.ts';
import { away, back } from './admin/away.ts';
import { can } from './admin/can.ts';
import { clusters } from './admin/clusters.ts';
import { figures } from './admin/figures.ts';
import { history } from './admin/history.ts';
import { join } from './admin/join.ts';
import { lock, resume, stop, unlock } from './admin/locks.ts';
import { queue } from './admin/queue.ts';
import { why } from './admin/why.ts';
import { appAdopt } from './delivery/app-adopt.ts';
import { apps } from './delivery/apps.ts';
import { canaryAbort, canaryPause, canaryPromote, canaryResume, canaryWeight } from './delivery/canary/steer.ts';
import { deploy } from './delivery/deploy.ts';
import { release } from './delivery/release/release.ts';
import { rollback } from './delivery/rollback.ts';
import { scale } from './delivery/scale.ts';
import { status } from './delivery/status.ts';
import { docker, harbor, images } from './image-subjects.ts';
import { configSet, configUnset } from './kubernetes/config.ts';
import { configConsumers } from './kubernetes/config-consumers.ts';
import { configShow, secretShow } from './kubernetes/keeper-show.ts';
import { limits, limitsSet } from './kubernetes/limits.ts';
import { namespaceCreate } from './kubernetes/namespace-create.ts';
import { namespaceDelete } from './kubernetes/namespace-delete.ts';
import { namespaces } from './kubernetes/namespaces.ts';
import { pdbSet, pdbs } from './kubernetes/pdb.ts';
import { quota, quotaSet } from './kubernetes/quota.ts';
import { routeSet } from './kubernetes/route-set.ts';
import { routes } from './kubernetes/routes.ts';
import { secretSet, secretUnset } from './kubernetes/secrets.ts';
import { serviceDelete } from './kubernetes/service-delete.ts';
import { serviceExpose } from './kubernetes/service-expose.ts';
import { serviceAccountCreate, serviceAccounts } from './kubernetes/serviceaccounts.ts';
import { services } from './kubernetes/services.ts';
import { volumeCreate, volumeDelete, volumeResize } from './kubernetes/volume-changes.ts';
import { volumes } from './kubernetes/volumes.ts';
import { apply } from './manifests/apply.ts';
import { applyUndo } from './manifests/apply-undo.ts';
import { diff } from './manifests/diff.ts';
import { exportObject } from './manifests/export.ts';
import { balance, breaker, pool } from './mesh/breaker.ts';
import { callers } from './mesh/callers.ts';
import { callersDrop } from './mesh/callers-drop.ts';
import { callersAllow, callersDeny } from './mesh/callers-set.ts';
import { calls } from './mesh/calls.ts';
import { externalDelete, externalSet, externals } from './mesh/externals.ts';
import { fault } from './mesh/fault.ts';
import { faultOff } from './mesh/fault-off.ts';
import { gatewayDelete, gatewaySet } from './mesh/gateways.ts';
import { jwt } from './mesh/jwt.ts';
import { mesh } from './mesh/mesh.ts';
import { mirror } from './mesh/mirror.ts';
import { mtls } from './mesh/mtls.ts';
import { telemetry } from './mesh/telemetry.ts';
import { retries, timeout } from './mesh/timeouts.ts';
import { traffic } from './mesh/traffic.ts';
import { trafficSet } from './mesh/traffic-set.ts';
import { debug } from './pods/debug.ts';
import { describe } from './pods/describe.ts';
import { events } from './pods/events.ts';
import { exec } from './pods/exec.ts';
import { images as imagesOfPods } from './pods/images.ts';
import { logs } from './pods/logs.ts';
import { podDelete } from './pods/pod-delete.ts';
import { pods } from './pods/pods.ts';
import { top } from './pods/top.ts';
import { autoscale } from './scaling/autoscale.ts';
import { autoscaleOff } from './scaling/autoscale-off.ts';
import { autoscalers } from './scaling/autoscalers.ts';
import { cordon, uncordon } from './scaling/cordon.ts';
import { drain } from './scaling/drain.ts';
import { kedaPause, kedaResume } from './scaling/keda.ts';
import { nodepoolLimit, nodepools } from './scaling/nodepools.ts';
import { nodes } from './scaling/nodes.ts';
import { vpa, vpaSet } from './scaling/vpa.ts';
import { cronResume, cronSuspend } from './workloads/cron.ts';
import { jobRun } from './workloads/job-run.ts';
import { jobs } from './workloads/jobs.ts';
import { rolloutPause, rolloutResume } from './workloads/pause.ts';
import { restart } from './workloads/restart.ts';
import { rolloutAbort, rolloutRetry } from './workloads/rollout-abort.ts';
import { rolloutHistory } from './workloads/rollout-history.ts';
import { rolloutPromote } from './workloads/rollout-promote.ts';
import { rolloutStatus } from './workloads/rollout-status.ts';
import { workloadDelete } from './workloads/workload-delete.ts';

const delivery = [deploy, scale, rollback, release, status, apps, appAdopt, history];
const rollouts = [
  rolloutStatus,
  rolloutHistory,
  rolloutPause,
  rolloutResume,
  rolloutPromote,
  rolloutAbort,
  rolloutRetry,
];
const canaries = [canaryPromote, canaryPause, canaryResume, canaryAbort, canaryWeight];
const workloads = [restart, workloadDelete, jobs, jobRun, cronSuspend, cronResume];
const configuration = [configSet, configUnset, configShow, configConsumers, secretSet, secretUnset, secretShow];
const namespacing = [namespaces, namespaceCreate, namespaceDelete, quota, quotaSet, limits, limitsSet];
const reaching = [services, serviceExpose, serviceDelete, routes, routeSet];
const meshing = [
  traffic,
  trafficSet,
  timeout,
  retries,
  breaker,
  pool,
  balance,
  mirror,
  fault,
  faultOff,
  mesh,
  mtls,
  callers,
  callersAllow,
  callersDeny,
  callersDrop,
  calls,
  jwt,
  gatewaySet,
  gatewayDelete,
  externals,
  externalSet,
  externalDelete,
  telemetry,
];
const standing = [
  volumes,
  volumeCreate,
  volumeResize,
  volumeDelete,
  pdbs,
  pdbSet,
  serviceAccounts,
  serviceAccountCreate,
];
const access = [network, networkReach, networkAllow, networkDeny, accessWho, accessCan, accessGrant, accessRevoke];
const podWork = [pods, describe, logs, events, top, imagesOfPods, exec, debug, podDelete];
const scaling = [autoscale, autoscaleOff, autoscalers, vpa, vpaSet, kedaPause, kedaResume];
const capacity = [nodes, cordon, uncordon, drain, nodepools, nodepoolLimit];
const manifests = [apply, applyUndo, diff, exportObject];
const order = [lock, unlock, queue, join, stop, resume];
const platform = [clusters, doctor];
const accountability = [can, why, away, back, audit, figures];

/** What operations are about, in the order in which help tells of them. */
const subjects = {
  delivery,
  images,
  canaries,
  rollouts,
  workloads,
  pods: podWork,
  config: configuration,
  services: reaching,
  mesh: meshing,
  namespaces: namespacing,
  storage: standing,
  manifests,
  autoscaling: scaling,
  nodes: capacity,
  access,
  docker,
  harbor,
  order,
  accounts: accountability,
  platform,
};

/** Whatever changes a cluster is judged by what it changes, and for that the cluster is read. */
const isJudged = ({ effect, aside, needs }: Operation) => effect === 'change' && !aside && needs.includes('kube');

/** Everything that can be asked for. A new operation is one file and one line here. */
export const catalogue: Catalogue = new Map(
  Object.entries(subjects).flatMap(([subject, operations]) =>
    operations.map((operation) => {
      const permissions = [...(operation.permissions ?? []), ...(isJudged(operation) ? judgingPermissions : [])];
      return [operation.name, { ...operation, subject, ...(permissions.length > 0 && { permissions }) }];
    }),
  ),
);
