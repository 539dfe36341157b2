import { describe, expect, test } from 'vitest';
import { checkBlocks } from '../../testbed/slack/check-blocks.ts';

const text = (length: number, type = 'plain_text') => ({ type, text: 'x'.repeat(length) });
const button = (over: object = {}) => ({ type: 'button', action_id: 'a', text: text(75), value: 'v', ...over });
const times = <Item>(count: number, make: (index: number) => Item) =>
  Array.from({ length: count }, (_, index) => make(index));
const richText = { type: 'rich_text', elements: [{ type: 'rich_text_section', elements: [text(5, 'text')] }] };
const task = { type: 'task_card', task_id: 't', title: 'Apply', status: 'complete', details: richText };

describe('takes what is just within the limits', () => {
  test.each([
    ['50 blocks', times(50, () => ({ type: 'divider' }))],
    ['a section of 3000', [{ type: 'section', text: text(3_000, 'mrkdwn') }]],
    ['a header of 150', [{ type: 'header', text: text(150) }]],
    ['25 buttons', [{ type: 'actions', elements: times(25, (index) => button({ action_id: `a${index}` })) }]],
    ['a plan of tasks', [{ type: 'plan', title: 'Deploy', tasks: [task] }, task]],
    ['a table', [{ type: 'table', rows: [[{ type: 'raw_text', text: 'a' }, richText]] }]],
    ['a container', [{ type: 'container', title: text(9), is_collapsible: true, child_blocks: [richText] }]],
  ])('%s', (_, blocks) => {
    expect(checkBlocks('message', blocks)).toEqual([]);
  });
});

describe('points at what goes beyond', () => {
  test.each([
    ['message', times(51, () => ({ type: 'divider' })), 'no more than 50 items allowed [json-pointer:/blocks]'],
    ['modal', times(101, () => ({ type: 'divider' })), 'no more than 100 items allowed [json-pointer:/view/blocks]'],
    [
      'message',
      [{ type: 'section', text: text(3_001) }],
      'less than 3001 characters [json-pointer:/blocks/0/text/text]',
    ],
    ['message', [{ type: 'section' }], 'missing required field: text [json-pointer:/blocks/0]'],
    [
      'message',
      [{ type: 'actions', elements: [button({ text: text(76) })] }],
      'less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]',
    ],
    [
      'message',
      [{ type: 'actions', elements: [button({ value: 'x'.repeat(2_001) })] }],
      'less than 2001 characters [json-pointer:/blocks/0/elements/0/value]',
    ],
    [
      'message',
      [{ type: 'actions', elements: [button(), button()] }],
      'action_id must be unique [json-pointer:/blocks/0/elements]',
    ],
    [
      'message',
      [{ type: 'actions', elements: times(26, (index) => button({ action_id: `a${index}` })) }],
      'no more than 25 items allowed [json-pointer:/blocks/0/elements]',
    ],
    [
      'message',
      [{ type: 'actions', elements: [button({ colour: 'red' })] }],
      'invalid additional property: colour [json-pointer:/blocks/0/elements/0]',
    ],
    [
      'message',
      [{ type: 'context', elements: times(11, () => text(3)) }],
      'no more than 10 items allowed [json-pointer:/blocks/0/elements]',
    ],
    ['message', [{ type: 'alert', text: text(3) }], 'unsupported type [json-pointer:/blocks/0/type]'],
    ['modal', [{ type: 'plan', title: 'x' }], 'unsupported type [json-pointer:/view/blocks/0/type]'],
    ['home', [task], 'unsupported type [json-pointer:/view/blocks/0/type]'],
    [
      'message',
      [
        { type: 'table', rows: [] },
        { type: 'table', rows: [] },
      ],
      'no more than 1 table blocks allowed',
    ],
    ['message', times(2, () => ({ type: 'divider', block_id: 'same' })), 'block_id must be unique'],
    ['message', times(2, () => ({ type: 'markdown', text: 'x'.repeat(6_001) })), 'less than 12001 characters together'],
    ['message', [{ ...richText, elements: [] }], 'no fewer than 1 items allowed [json-pointer:/blocks/0/elements]'],
    ['message', 'not blocks', 'must be of type array'],
  ] as const)('on a %s: %j', (surface, blocks, pointer) => {
    expect(checkBlocks(surface, blocks)).toContainEqual(expect.stringContaining(pointer));
  });
});
