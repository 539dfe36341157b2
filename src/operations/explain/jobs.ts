import { containerStates } from '../../core/containers.ts';
import { at, text } from '../../core/json.ts';
import { condition } from '../../core/observed.ts';
import { type Find, type Finding, kubectl, kubectlName, nameOf, sentence } from './finding.ts';

/** A Job that is not tried any more. */
export const jobGaveUp: Find = (picture): Finding | undefined => {
  const { job, pods } = picture;
  const failed = job && condition(job, 'Failed');
  if (failed?.status !== 'True') return undefined;
  const pod = pods.findLast((each) => at(each, 'status', 'phase') === 'Failed');
  const container = pod && containerStates(pod).find(({ exit }) => exit !== undefined && exit.code !== 0);
  const code = container?.exit?.code;
  const late = failed.reason === 'DeadlineExceeded';
  return {
    code: 'job-failed',
    what: late ? 'the job took too long and was stopped' : 'the job gave up',
    cause: `${sentence(text(failed.message))}${code === undefined ? '' : ` Its last pod ended with exit code ${code}.`}`,
    remedy: 'Mend what its last lines speak of, then delete the job and make it anew:',
    command: kubectl(picture, 'delete', picture.place.kind === 'Job' ? kubectlName(picture) : `job/${nameOf(job)}`),
    ...(pod && container && { crashed: { pod: nameOf(pod), container: container.name, ended: true } }),
  };
};
