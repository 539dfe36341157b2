import { request } from 'undici';
import { mayAsk } from '../../core/analysis/template.ts';
import { boundedText } from '../../core/bounded-text.ts';
import { Fault, fault } from '../../core/errors.ts';
import type { Hooks } from '../../core/measuring.ts';
import { within } from '../../core/within.ts';

const mostBytes = 65_536;

/** Asks web hooks. Their addresses stand in shipmate.yaml, and what they answer is not trusted. */
export function createHooks(): Hooks {
  return {
    ask: async (url, body, { timeoutMs, hosts }, signal) => {
      const host = URL.canParse(url) ? new URL(url).host : 'an address that is none';
      const failed = (problem: string, cause?: unknown) => fault('HOOK_FAILED', { host, problem }, cause);
      if (!mayAsk(url, hosts)) throw failed('plain http is not allowed to that host');
      const limited = within(signal, timeoutMs);
      try {
        const answer = await request(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'application/json' },
          body: JSON.stringify(body),
          signal: limited,
        });
        const text = await boundedText(answer.body, mostBytes);
        if (answer.statusCode !== 200) throw failed(`HTTP ${answer.statusCode}`);
        const parsed: unknown = JSON.parse(text);
        return parsed;
      } catch (thrown) {
        signal.throwIfAborted();
        if (thrown instanceof Fault) throw thrown;
        if (limited.aborted) throw failed(`not within ${timeoutMs} ms`, thrown);
        throw failed(
          thrown instanceof SyntaxError ? 'it is not JSON' : String(thrown instanceof Error ? thrown.message : thrown),
          thrown,
        );
      }
    },
  };
}
