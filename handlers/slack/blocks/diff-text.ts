import type { Json } from '../../../src/core/json.ts';
import type { Change } from '../../../src/core/plan.ts';
import { cut } from './elements.ts';

const boring = /^spec\.template\.spec\.|^spec\./;
const longDigest = /sha256:([a-f0-9]{12})[a-f0-9]{52}/g;

function shown(value: Json): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return cut(text.replace(longDigest, 'sha256:$1'), 140);
}

function linesOf({ path, from, to }: Change): string[] {
  const name = path.replace(boring, '');
  if (from === undefined && to !== undefined) return [`+ ${name}: ${shown(to)}`];
  if (to === undefined && from !== undefined) return [`- ${name}: ${shown(from)}`];
  return [`  ${name}`, `- ${shown(from ?? null)}`, `+ ${shown(to ?? null)}`];
}

/** The changes as a diff that fits a phone; what is too long for a message is counted. */
export function diffText(changes: readonly Change[], most = 30): string {
  const lines = changes.flatMap(linesOf);
  const rest = lines.length - most;
  return (rest > 0 ? [...lines.slice(0, most), `… and ${rest} more lines`] : lines).join('\n');
}
