import { z } from 'zod';
import { isObject, type JsonObject, text } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { agoText, bytesText, list, number, shortId } from '../docker/reading.ts';
import { projectCalled, Repository, repositoryPath, tagsOf } from './names.ts';
import { overviewOf, overviewText } from './overview.ts';
import { projectTable } from './table.ts';

const most = 200;

export const harborRepositories = projectTable({
  kind: 'repositories',
  summary: 'Show the repositories of a project of Harbor',
  title: 'Repositories',
  read: async (on, project, signal) => {
    await projectCalled(on, project, signal);
    return await on.harbor.list(['projects', project, 'repositories'], {}, most, signal);
  },
  columns: ['Repository', 'Artifacts', 'Pulls', 'Changed'],
  rows: (found, now) =>
    found.map((each) => [
      text(each.name),
      String(number(each.artifact_count)),
      String(number(each.pull_count)),
      agoText(each.update_time, now),
    ]),
});

/** Whether there is a signature, not whether it is any good. */
const isSigned = (artifact: JsonObject): boolean =>
  list(artifact.accessories).some(({ type }) => /^signature\./.test(text(type)));

export const harborArtifacts = defineOperation({
  name: 'harbor-artifacts',
  summary: 'Show what a repository of Harbor holds, newest first, and what its scans found',
  effect: 'read',
  input: z.strictObject({ repository: Repository }),
  usage: '<repository>',
  examples: ['team/web'],
  routes: [
    route({
      method: 'GET',
      path: '/harbor/artifacts',
      summary: 'Artifacts of a repository',
      request: z.object({ repository: Repository }),
      input: (request) => request,
    }),
  ],
  needs: ['harbor'],
  steps: ['read'],
  target: () => ({}),
  plan: async (_context, { repository }) => ({ summary: `artifacts of ${repository}`, changes: [], takesOver: [] }),
  run: async (run, { repository }) => {
    const query = {
      with_tag: 'true',
      with_scan_overview: 'true',
      with_accessory: 'true',
      sort: '-push_time',
    };
    const path = [...repositoryPath(repository), 'artifacts'];
    const found = await run.step('read', ({ signal }) => run.on.harbor.list(path, query, most, signal));
    const rows = found
      .filter(isObject)
      .map((each) => [
        tagsOf(each).join(', ') || '(no tag)',
        shortId(each.digest),
        bytesText(number(each.size)),
        overviewText(overviewOf(each)),
        isSigned(each) ? 'yes' : '',
        agoText(each.push_time, run.now()),
      ]);
    const columns = ['Tags', 'Digest', 'Size', 'Scan', 'Signature', 'Pushed'];
    const note = rows.length === 0 ? 'There is nothing in it, or no such repository.' : undefined;
    return { kind: 'table', title: repository, columns, rows, ...(note && { note }) };
  },
});
