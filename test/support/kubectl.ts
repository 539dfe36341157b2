import { execFile } from 'node:child_process';
import { bed } from './bed.ts';

/** Runs kubectl as the bed's administrator. */
export function kubectl(args: string[], stdin = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const all = ['--kubeconfig', bed.kubeconfig, '--cache-dir', `${bed.kubeconfig}.cache`, ...args];
    const child = execFile(bed.kubectl, all, { timeout: 60_000 }, (problem, out, err) => {
      if (problem) reject(new Error(err || problem.message));
      else resolve(out);
    });
    child.stdin?.end(stdin);
  });
}

/** A namespace of the test's own. */
export async function freshNamespace(prefix: string): Promise<string> {
  const name = `${prefix}-${Math.random().toString(36).slice(2, 8)}`;
  await kubectl(['create', 'namespace', name]);
  return name;
}
