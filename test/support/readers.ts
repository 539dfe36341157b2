import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { compiled } from '../../testbed/compile.ts';

type Question = {
  kind: 'ignore' | 'reference' | 'manifest' | 'image';
  text: string | Uint8Array;
  paths?: string[];
};
const Answer = z.union([z.object({ value: z.unknown() }), z.object({ error: z.string() })]);
type Answer = z.output<typeof Answer>;

/** What BuildKit, containerd, the kubelet, cosign and Trivy read, by their own libraries: an answer to each question, in that order. */
export async function readByOthers(questions: readonly Question[]): Promise<Answer[]> {
  const folder = await compiled('readers', () => {});
  const child = spawn(join(folder, 'readers'), { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = questions.map(({ text: said, ...rest }) =>
    JSON.stringify({ ...rest, text: Buffer.from(said).toString('base64') }),
  );
  child.stdin.end(`${lines.join('\n')}\n`);
  const answers = (await text(child.stdout)).trimEnd().split('\n');
  return z
    .array(Answer)
    .length(questions.length)
    .parse(answers.map((line) => JSON.parse(line)));
}
