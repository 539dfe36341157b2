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
import { harborEndpointCreate } from './harbor/endpoint-create.ts';
import { harborEndpointRemove } from './harbor/endpoint-remove.ts';
import { harborEndpointSet } from './harbor/endpoint-set.ts';
import { harborEndpoints, harborEndpointTest } from './harbor/endpoints.ts';
import { harborNews } from './harbor/news.ts';
import { harborProjectCreate, harborProjects } from './harbor/projects.ts';
import { harborQuotaSet, harborQuotas } from './harbor/quotas.ts';
import { harborReplicate, harborReplications } from './harbor/replication.ts';
import { harborReplicationCreate } from './harbor/replication-create.ts';
import { harborReplicationRemove } from './harbor/replication-remove.ts';
import { harborReplicationSet } from './harbor/replication-set.ts';
import { harborArtifacts, harborRepositories } from './harbor/repositories.ts';
import { harborRetention, harborRetentionSet } from './harbor/retention.ts';
import { harborRetentionRun } from './harbor/retention-run.ts';
import { harborRobotCreate } from './harbor/robot-create.ts';
import { harborRobotRemove, harborRobots } from './harbor/robots.ts';
import { harborReport, harborScan } from './harbor/scan.ts';
import { harborTag, harborUntag } from './harbor/tags.ts';
import { build } from './images/build.ts';
import { dockerBuild } from './images/docker-build.ts';
import { dockerPush } from './images/docker-push.ts';
import { imageDelete } from './images/image-delete.ts';
import { scan } from './images/scan.ts';
import { sign } from './images/sign.ts';
import { promote, tag } from './images/tag.ts';
import { tags } from './images/tags.ts';
import { verify } from './images/verify.ts';

/** The part of the catalogue about images, and about where they are kept and run outside a cluster. */
export const docker = [
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
export const harbor = [
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
  harborReplicationCreate,
  harborReplicationSet,
  harborReplicationRemove,
  harborEndpoints,
  harborEndpointTest,
  harborEndpointCreate,
  harborEndpointSet,
  harborEndpointRemove,
  harborQuotas,
  harborQuotaSet,
  harborNews,
];
export const images = [build, tags, promote, tag, imageDelete, dockerBuild, dockerPush, scan, sign, verify];
