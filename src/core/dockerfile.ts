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
 * Which frontend a Dockerfile names for itself, in any of the forms that BuildKit reads: `# syntax=…`, `// syntax=…`, or JSON.
 * Rather one too many than one too few: a frontend runs with the rights of the build.
 */
export function frontendOf(dockerfile: string): string | undefined {
  const lines = dockerfile.replace(/^\ufeff/, '').split(/\r?\n/);
  const first = lines.findIndex((line) => line.trim() !== '' && !/^\s*(#|\/\/)/.test(line));
  for (const line of first < 0 ? lines : lines.slice(0, first)) {
    const named = /^\s*(?:#|\/\/)\s*syntax\s*=\s*(\S+)/i.exec(line)?.[1];
    if (named !== undefined) return named;
  }
  const rest = first < 0 ? '' : lines.slice(first).join('\n').trimStart();
  return rest.startsWith('{') ? /"syntax"\s*:\s*"([^"]+)"/i.exec(rest)?.[1] : undefined;
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
