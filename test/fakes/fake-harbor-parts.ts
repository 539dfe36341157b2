import type { Json, JsonObject } from '../../src/core/json.ts';
import type { stocked } from './fake-harbor.ts';

/** What the handlers of the fake Harbor share. */

export type Answer = { status: number; body?: Json | undefined; location?: string; total?: number };
export type Handler = (params: Record<string, string>, body: Json | undefined) => Answer;

export type State = ReturnType<typeof stocked>;
export type Inside = { state: State; secrets: string[]; scans: string[]; next: () => number };

export const longAgo = '2026-11-01T10:00:00.000Z';
export const error = (status: number, message: string): Answer => ({
  status,
  body: { errors: [{ code: 'X', message }] },
});
export const found = (body: Json | undefined, what: string): Answer =>
  body === undefined ? error(404, `${what} not found`) : { status: 200, body };
export const byId = (all: JsonObject[], id: string | undefined) => all.find((each) => String(each.id) === id);
