import { z } from 'zod';
import type { Message } from './workspace.ts';

const Option = z.looseObject({ text: z.looseObject({ text: z.string() }), value: z.string() });
const Element = z.looseObject({
  type: z.string(),
  action_id: z.string().optional(),
  text: z.looseObject({ text: z.string() }).optional(),
  placeholder: z.looseObject({ text: z.string() }).optional(),
  options: z.array(Option).optional(),
  option_groups: z.array(z.looseObject({ options: z.array(Option) })).optional(),
});
type Element = z.output<typeof Element>;

const Block = z.looseObject({
  block_id: z.string().optional(),
  elements: z.array(z.unknown()).optional(),
  accessory: z.unknown().optional(),
  actions: z.array(z.unknown()).optional(),
  child_blocks: z.array(z.unknown()).optional(),
});

/** What can be clicked in blocks, also in what they contain. */
function clickable(blocks: readonly unknown[]): { blockId: string; element: Element }[] {
  return blocks.flatMap((given) => {
    const block = Block.safeParse(given).data;
    if (!block) return [];
    const { block_id: blockId = '', elements = [], accessory, actions = [], child_blocks = [] } = block;
    const own = [...elements, accessory, ...actions].flatMap((candidate) => {
      const element = Element.safeParse(candidate).data;
      return element && (element.action_id !== undefined || element.type === 'button') ? [{ blockId, element }] : [];
    });
    return [...own, ...clickable([...child_blocks, ...(block.type === 'carousel' ? elements : [])])];
  });
}

/**
 * What a click on a message's element sends, by its action_id or its words; `value` chooses from a menu.
 * @throws Error where the message has no such element
 */
export function actionOf({ blocks, attachments = [] }: Message, wanted: string, value?: string) {
  const all = clickable([...blocks, ...attachments.flatMap((attachment) => attachment.blocks ?? [])]);
  const fits = ({ element }: (typeof all)[number]) =>
    element.action_id === wanted || element.text?.text === wanted || element.placeholder?.text === wanted;
  const found = all.find(fits);
  if (!found) {
    const there = all.map(({ element }) => element.text?.text ?? element.action_id).join(', ');
    throw new Error(`the message has nothing to click called “${wanted}”; it has: ${there || 'nothing'}`);
  }
  const { element, blockId } = found;
  if (element.type === 'button') {
    const { confirm, accessibility_label, url, ...sent } = element;
    return { ...sent, block_id: blockId };
  }
  const options = element.options ?? element.option_groups?.flatMap((group) => group.options) ?? [];
  const selected_option = options.find((option) => option.value === value) ?? null;
  return { type: element.type, action_id: element.action_id, block_id: blockId, selected_option };
}
