/** An instruction of a Dockerfile: where it begins, with its continued lines joined. */
export type Instruction = { line: number; text: string };

const tidy = (text: string): string => text.replace(/\s+/g, ' ').trim();
const isComment = (line: string): boolean => /^\s*#/.test(line);

/** The text's end marks of here-documents that an instruction opens: `RUN <<EOF`, `COPY <<-"A" <<B /x`. */
const heredocs = (text: string): string[] =>
  /^(RUN|COPY|ADD)\s/i.test(text) ? [...text.matchAll(/<<-?["']?(\w+)["']?/g)].map(([, mark = '']) => mark) : [];

/** The instructions of a Dockerfile, in their order. */
export function instructionsOf(dockerfile: string): Instruction[] {
  const lines = dockerfile.split(/\r?\n/);
  const continued = /^[ \t]*#[ \t]*escape[ \t]*=[ \t]*`/im.test(lines.slice(0, 5).join('\n')) ? /`\s*$/ : /\\\s*$/;
  const found: Instruction[] = [];
  for (let at = 0; at < lines.length; at++) {
    if (isComment(lines[at] ?? '') || (lines[at] ?? '').trim() === '') continue;
    const line = at + 1;
    let text = lines[at] ?? '';
    while (continued.test(text) && at + 1 < lines.length) {
      const next = lines[++at] ?? '';
      text = isComment(next) || next.trim() === '' ? text : `${text.replace(continued, '')} ${next}`;
    }
    const opened = tidy(text);
    for (const mark of heredocs(opened)) {
      while (at + 1 < lines.length && (lines[++at] ?? '').trim() !== mark);
    }
    found.push({ line, text: opened });
  }
  return found;
}

/**
 * What BuildKit takes for blank before a directive's name: besides JavaScript's the next-line character, which is Go's alone.
 * What it takes for a value ends at a blank of ASCII.
 */
const directive = /^[\s\u0085]*(?:#|\/\/)[\s\u0085]*syntax[\s\u0085]*=[\s\u0085]*([^ ]+)/i;
const isRemark = (line: string): boolean => /^[\s\u0085]*(#|\/\/|$)/.test(line);

/** Stands for whatever a Dockerfile in JSON names: no name of an image looks like it. */
const inJson = 'in JSON';

/**
 * The frontends that a Dockerfile may name for itself, in any of the forms that BuildKit reads: `# syntax=…`, `// syntax=…`, or JSON.
 * Rather one too many than one too few: a frontend runs with the rights of the build. So each line that may be read as one
 * counts, whichever of them BuildKit takes; and of JSON nothing is read, since two readers differ in keys that are there twice, or are
 * written with escapes. No Dockerfile that names no frontend begins with a brace.
 */
export function frontendsOf(dockerfile: string): string[] {
  const lines = dockerfile.replace(/^\ufeff/, '').split('\n');
  const first = lines.findIndex((line) => !isRemark(line));
  const remarks = first < 0 ? lines : lines.slice(0, first);
  const named = remarks.flatMap((line) => directive.exec(line.replace(/\r$/, ''))?.[1]?.trimEnd() ?? []);
  return /^[\s\u0085\ufeff]*\{/.test(lines[first] ?? '') ? [...named, inJson] : named;
}

/** `[linux/arm64 base 2/5] RUN npm ci`, taken apart; undefined for what is no instruction, such as `[internal] load …`. */
export function partOf(name: string): { stage: string; step: number; steps: number; text: string } | undefined {
  const [, inside = '', text = ''] = /^\[([^\]]*)\] ([\s\S]*)$/.exec(name) ?? [];
  const [count = '', step, steps] = /(?<!\d)(\d+)\/(\d+)$/.exec(inside) ?? [];
  if (step === undefined) return undefined;
  const stage = inside.slice(0, inside.length - count.length).trimEnd();
  return { stage, step: Number(step), steps: Number(steps), text: tidy(text) };
}

/** The line that an instruction, as BuildKit calls it, stands in; undefined where it cannot be told. */
export function lineOf(dockerfile: string, name: string): number | undefined {
  const part = partOf(name);
  if (!part) return undefined;
  const all = instructionsOf(dockerfile);
  const exact = all.find(({ text }) => text === part.text);
  if (exact) return exact.line;
  // Arguments are filled in in its name: the keyword, and how much of it is the same.
  const keyword = part.text.split(' ')[0] ?? '';
  const alike = all.filter(({ text }) => text.toUpperCase().startsWith(`${keyword.toUpperCase()} `));
  const same = (text: string) => {
    let n = 0;
    while (n < text.length && text[n] === part.text[n]) n++;
    return n;
  };
  return alike.toSorted((a, b) => same(b.text) - same(a.text))[0]?.line;
}
