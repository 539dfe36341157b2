import type { PodTrouble } from './report.ts';

const causes: Record<PodTrouble['code'], { what: string; next: string }> = {
  'image-pull': {
    what: 'the image can’t be pulled',
    next: 'Check that the tag exists and that the nodes may pull it.',
  },
  'crash-loop': { what: 'the container starts and crashes', next: 'Its last log lines are below.' },
  'no-room': { what: 'no node has room for the pods', next: 'Lower the requests, or add nodes.' },
  quota: { what: 'the namespace’s quota is used up', next: 'Lower the requests or replicas, or raise the quota.' },
  'bad-config': {
    what: 'a ConfigMap, Secret or setting it needs is missing or wrong',
    next: 'Create it, then deploy again.',
  },
  'not-ready': { what: 'the pods run but don’t get ready', next: 'Look at the readiness probe and the logs.' },
  unheard: {
    what: 'the controller has not taken up the change',
    next: 'Check that it runs: Kubernetes’ own controllers, or Argo Rollouts’.',
  },
  unknown: { what: 'the pods don’t get ready', next: 'Look at the pods’ events.' },
};

/** What is wrong in one line, and what to do. */
export function troubleText({ code, pod, detail }: PodTrouble): { what: string; next: string } {
  const { what, next } = causes[code];
  const where = pod === undefined ? '' : ` (${pod})`;
  return { what: detail === '' ? `${what}${where}` : `${what}${where}: ${detail}`, next };
}
