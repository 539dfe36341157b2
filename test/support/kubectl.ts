import { execFile } from 'node:child_process';
import { roleBinding } from '../../scripts/least-privilege.ts';
import { bed } from './bed.ts';

/** Runs kubectl as the bed's administrator. */
export function kubectl(args: string[], stdin = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const all = ['--kubeconfig', bed.kubeconfig, '--cache-dir', `${bed.kubeconfig}.cache`, ...args];
    const child = execFile(bed.kubectl, all, { timeout: 60_000, maxBuffer: 32_000_000 }, (problem, out, err) => {
      if (problem) reject(new Error(err || problem.message));
      else resolve(out);
    });
    child.stdin?.end(stdin);
  });
}

/** Makes a namespace in which Shipmate may do what its operations need. */
export async function makeNamespace(name: string): Promise<void> {
  const objects = [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, roleBinding(name, 'shipmate')];
  await kubectl(['create', '-f', '-'], objects.map((object) => JSON.stringify(object)).join('\n---\n'));
}

/** A namespace of the test's own. */
export async function freshNamespace(prefix: string): Promise<string> {
  const name = `${prefix}-${Math.random().toString(36).slice(2, 8)}`;
  await makeNamespace(name);
  return name;
}
