import type { z } from 'zod';
import { type Surface, surfaces } from './block-schemas.ts';

type Issue = z.core.$ZodIssue;
type Found = { path: PropertyKey[]; words: string };

const size = (most: number | bigint, origin: string) =>
  origin === 'string' ? `must be less than ${Number(most) + 1} characters` : `no more than ${most} items allowed`;

const leastSize = (least: number | bigint, origin: string) =>
  origin === 'string' ? `must be more than ${Number(least) - 1} characters` : `no fewer than ${least} items allowed`;

/** In Slack's own words where they are known, so that a log line here reads like one there. */
function found(issue: Issue): Found[] {
  const { path } = issue;
  switch (issue.code) {
    case 'too_big':
      return [{ path, words: size(issue.maximum, issue.origin) }];
    case 'too_small':
      return [{ path, words: leastSize(issue.minimum, issue.origin) }];
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path, words: `invalid additional property: ${key}` }));
    case 'invalid_type':
      return issue.input === undefined
        ? [{ path: path.slice(0, -1), words: `missing required field: ${String(path.at(-1))}` }]
        : [{ path, words: `must be of type ${issue.expected}` }];
    case 'invalid_union':
      return [{ path, words: path.at(-1) === 'type' ? 'unsupported type' : 'failed to match all allowed schemas' }];
    default:
      return [{ path, words: issue.message }];
  }
}

type Loose = Record<string, unknown>;
const isRecord = (value: unknown): value is Loose => typeof value === 'object' && value !== null;

/** What no block alone shows: texts that are missing, ids that come twice, too much of one kind. */
function together(blocks: readonly Loose[]): Found[] {
  const most = (type: string, allowed: number): Found[] =>
    blocks.filter((block) => block.type === type).length > allowed
      ? [{ path: [], words: `no more than ${allowed} ${type} blocks allowed` }]
      : [];
  const ids = blocks.flatMap(({ block_id }) => (typeof block_id === 'string' ? [block_id] : []));
  const markdown = blocks.reduce(
    (sum, { type, text }) => sum + (type === 'markdown' && typeof text === 'string' ? text.length : 0),
    0,
  );
  return [
    ...blocks.flatMap((block, index) => inBlock(block, index)),
    ...(new Set(ids).size < ids.length ? [{ path: [], words: 'block_id must be unique' }] : []),
    ...(markdown > 12_000 ? [{ path: [], words: 'markdown blocks must be less than 12001 characters together' }] : []),
    ...most('table', 1),
    ...most('data_visualization', 2),
  ];
}

function inBlock(block: Loose, index: number): Found[] {
  const elements = Array.isArray(block.elements) ? block.elements.filter(isRecord) : [];
  const ids = elements.flatMap(({ action_id }) => (typeof action_id === 'string' ? [action_id] : []));
  const repeated = block.type === 'actions' && new Set(ids).size < ids.length;
  const empty = block.type === 'section' && block.text === undefined && block.fields === undefined;
  return [
    ...(repeated ? [{ path: [index, 'elements'], words: 'action_id must be unique' }] : []),
    ...(empty ? [{ path: [index], words: 'missing required field: text' }] : []),
  ];
}

/**
 * What Slack would object to in these blocks, as it words it in `response_metadata.messages`; empty where it would
 * take them. `[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]`
 */
export function checkBlocks(surface: Surface, blocks: unknown): string[] {
  const parsed = surfaces[surface].safeParse(blocks, { reportInput: true });
  const single = parsed.success ? [] : parsed.error.issues.flatMap(found);
  const several = Array.isArray(blocks) ? together(blocks.filter(isRecord)) : [];
  const root = surface === 'message' ? '/blocks' : '/view/blocks';
  return [...single, ...several].map(
    ({ path, words }) => `[ERROR] ${words} [json-pointer:${[root, ...path.map(String)].join('/')}]`,
  );
}
