import type { Catalogue } from '../core/operation.ts';
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
import { canaryAbort, canaryPause, canaryPromote, canaryResume, canaryWeight } from './delivery/canary/steer.ts';
import { deploy } from './delivery/deploy.ts';
import { rollback } from './delivery/rollback.ts';
import { scale } from './delivery/scale.ts';
import { status } from './delivery/status.ts';
import { dockerShow } from './docker/container-show.ts';
import { dockerContainers, dockerHosts } from './docker/containers.ts';
import { dockerExec } from './docker/exec.ts';
import { dockerImageRemove, dockerImages, dockerPull } from './docker/images.ts';
import { dockerRestart, dockerStart, dockerStop } from './docker/life.ts';
import { dockerLogs } from './docker/logs.ts';
import { dockerNetworkRemove } from './docker/network-remove.ts';
import { dockerNetworkCreate, dockerNetworks } from './docker/networks.ts';
import { dockerPrune } from './docker/prune.ts';
import { dockerRemove } from './docker/remove.ts';
import { dockerRun } from './docker/run.ts';
import { dockerStats } from './docker/stats.ts';
import { dockerUsage } from './docker/usage.ts';
import { dockerVolumeCreate, dockerVolumeRemove, dockerVolumes } from './docker/volumes.ts';
import { harborNews } from './harbor/news.ts';
import { harborProjectCreate, harborProjects } from './harbor/projects.ts';
import { harborQuotaSet, harborQuotas } from './harbor/quotas.ts';
import { harborReplicate, harborReplications } from './harbor/replication.ts';
import { harborArtifacts, harborRepositories } from './harbor/repositories.ts';
import { harborRetention, harborRetentionSet } from './harbor/retention.ts';
import { harborRetentionRun } from './harbor/retention-run.ts';
import { harborRobotCreate } from './harbor/robot-create.ts';
import { harborRobotRemove, harborRobots } from './harbor/robots.ts';
import { harborReport, harborScan } from './harbor/scan.ts';
import { harborTag, harborUntag } from './harbor/tags.ts';
import { build } from './images/build.ts';
import { scan } from './images/scan.ts';
import { sign } from './images/sign.ts';
import { verify } from './images/verify.ts';
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
import { images } from './pods/images.ts';
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

const delivery = [deploy, scale, rollback, status, history, build];
const trust = [scan, sign, verify];
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
const podWork = [pods, describe, logs, events, top, images, exec, debug, podDelete];
const scaling = [autoscale, autoscaleOff, autoscalers, vpa, vpaSet, kedaPause, kedaResume];
const capacity = [nodes, cordon, uncordon, drain, nodepools, nodepoolLimit];
const manifests = [apply, applyUndo, diff, exportObject];
const docker = [
  dockerHosts,
  dockerContainers,
  dockerShow,
  dockerRun,
  dockerStart,
  dockerStop,
  dockerRestart,
  dockerRemove,
  dockerLogs,
  dockerStats,
  dockerExec,
  dockerNetworks,
  dockerNetworkCreate,
  dockerNetworkRemove,
  dockerVolumes,
  dockerVolumeCreate,
  dockerVolumeRemove,
  dockerImages,
  dockerPull,
  dockerImageRemove,
  dockerUsage,
  dockerPrune,
];
const harbor = [
  harborProjects,
  harborProjectCreate,
  harborRepositories,
  harborArtifacts,
  harborScan,
  harborReport,
  harborTag,
  harborUntag,
  harborRobots,
  harborRobotCreate,
  harborRobotRemove,
  harborRetention,
  harborRetentionSet,
  harborRetentionRun,
  harborReplications,
  harborReplicate,
  harborQuotas,
  harborQuotaSet,
  harborNews,
];
const order = [lock, unlock, queue, join, stop, resume];
const platform = [clusters, doctor];
const accountability = [can, why, away, back, audit, figures];

/** What operations are about, in the order in which help tells of them. */
const subjects = {
  delivery,
  images: trust,
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

/** Everything that can be asked for. A new operation is one file and one line here. */
export const catalogue: Catalogue = new Map(
  Object.entries(subjects).flatMap(([subject, operations]) =>
    operations.map((operation) => [operation.name, { ...operation, subject }]),
  ),
);
