import { z } from 'zod';
import type { BuildProgress } from '../../core/build.ts';
import { partOf } from '../../core/dockerfile.ts';

const Vertex = z.looseObject({
  digest: z.string(),
  name: z.string().default(''),
  started: z.string().optional(),
  completed: z.string().optional(),
  cached: z.boolean().optional(),
  error: z.string().optional(),
});
const Log = z.looseObject({ vertex: z.string(), data: z.string() });
/** A line of `--progress=rawjson`: BuildKit's SolveStatus. */
const Status = z.looseObject({
  vertexes: z.array(Vertex).nullish(),
  logs: z.array(Log).nullish(),
});

export type Failed = { name: string; error: string };
export type BuildLog = {
  read(line: string): void;
  /** The instruction that failed. */
  failed(): Failed | undefined;
  /** What was said beside the progress: why it failed, in the program's own words. */
  said(): string;
};

const longestSaid = 8_000;
/** A thread is no place for a line without end. */
const longestLine = 2_000;

/** Reads what buildx says, and tells it as it would be told to people: one line when an instruction begins, and what it prints. */
export function createBuildLog(seen: (progress: BuildProgress) => void, redact: (text: string) => string): BuildLog {
  const begun = new Set<string>();
  const open = new Map<string, { text: string; progress: Omit<BuildProgress, 'text'> }>();
  const decoders = new Map<string, InstanceType<typeof TextDecoder>>();
  let failed: Failed | undefined;
  let said = '';

  const begins = ({ digest, name, started, cached }: z.output<typeof Vertex>) => {
    if (started === undefined || begun.has(digest)) return;
    begun.add(digest);
    const part = partOf(name);
    if (!part) return;
    const { stage, step, steps, text } = part;
    const progress = { step, steps, ...(stage !== '' && { stage }) };
    open.set(digest, { text: '', progress });
    seen({ text: `${text}${cached ? ' (cached)' : ''}`, ...progress });
  };
  const prints = ({ vertex, data }: z.output<typeof Log>) => {
    const decoder = decoders.get(vertex) ?? new TextDecoder();
    decoders.set(vertex, decoder);
    const known = open.get(vertex) ?? { text: '', progress: {} };
    const lines = (known.text + decoder.decode(Buffer.from(data, 'base64'), { stream: true })).split(/\r?\n/);
    const rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') seen({ text: redact(line).slice(0, longestLine) });
    open.set(vertex, { ...known, text: rest.slice(0, longestLine) });
  };
  const ends = ({ digest, name, error, completed }: z.output<typeof Vertex>) => {
    const rest = open.get(digest)?.text ?? '';
    if ((completed ?? error) !== undefined && rest.trim() !== '') {
      seen({ text: redact(rest) });
      open.delete(digest);
    }
    // What is cancelled because another one failed is not what failed.
    if (error && !/context canceled/.test(error)) failed ??= { name, error: redact(error) };
  };
  return {
    read: (line) => {
      const status = line.startsWith('{') ? parsed(line) : undefined;
      if (!status) {
        if (line.trim() !== '') said = `${said}${redact(line)}\n`.slice(-longestSaid);
        return;
      }
      for (const vertex of status.vertexes ?? []) begins(vertex);
      for (const log of status.logs ?? []) prints(log);
      for (const vertex of status.vertexes ?? []) ends(vertex);
    },
    failed: () => failed,
    said: () => said,
  };
}

function parsed(line: string): z.output<typeof Status> | undefined {
  try {
    return Status.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
