import type { InputBlock, InputBlockElement, ModalView, PlainTextOption } from '@slack/types';
import { z } from 'zod';
import type { Field } from '../../src/core/fields.ts';
import { isPattern } from '../../src/core/name-pattern.ts';
import type { Operation } from '../../src/core/operation.ts';
import type { Settings } from '../../src/core/settings.ts';
import { cut } from './blocks/elements.ts';

export const askForm = 'ask_form';
export const rejectForm = 'reject_form';

const option = (name: string): PlainTextOption => ({ text: { type: 'plain_text', text: cut(name, 75) }, value: name });

function elementOf(name: string, { type, multiline }: Field, choices: string[]): InputBlockElement {
  if (choices.length > 0 && choices.length <= 100)
    return { type: 'static_select', action_id: name, options: choices.map(option) };
  if (type === 'integer' || type === 'number')
    return { type: 'number_input', action_id: name, is_decimal_allowed: false };
  return { type: 'plain_text_input', action_id: name, ...(multiline && { multiline }) };
}

/** Names to choose from; none where patterns cover more than can be listed: then the name is typed. */
const writtenOnly = (all: Record<string, unknown>): string[] => {
  const names = Object.keys(all);
  return names.some(isPattern) ? [] : names;
};

/** A form for the fields of an operation that fit one: apps and environments to choose, numbers and words to type. */
export function operationModal(operation: Operation, settings: Settings, channel: string): ModalView {
  const usable = [...operation.fields].filter(([, { type }]) => type !== 'object' && type !== 'array');
  const blocks = usable.map(([name, field]): InputBlock => {
    const { description, choices: values, required } = field;
    const choices =
      name === 'app'
        ? writtenOnly(settings.apps)
        : name === 'env'
          ? writtenOnly(settings.environments)
          : [...(values ?? [])];
    return {
      type: 'input',
      block_id: name,
      label: { type: 'plain_text', text: name },
      optional: !required,
      element: elementOf(name, field, choices),
      ...(description && { hint: { type: 'plain_text', text: cut(description, 150) } }),
    };
  });
  return {
    type: 'modal',
    callback_id: askForm,
    private_metadata: JSON.stringify({ operation: operation.name, channel }),
    title: { type: 'plain_text', text: cut(operation.name, 24) },
    submit: { type: 'plain_text', text: 'Show the plan' },
    close: { type: 'plain_text', text: 'Cancel' },
    blocks,
  };
}

/** Asks why a plan is rejected. */
export function rejectModal(metadata: { run: string; digest: string; channel: string }): ModalView {
  return {
    type: 'modal',
    callback_id: rejectForm,
    private_metadata: JSON.stringify(metadata),
    title: { type: 'plain_text', text: 'Reject this plan' },
    submit: { type: 'plain_text', text: 'Reject' },
    close: { type: 'plain_text', text: 'Cancel' },
    blocks: [
      {
        type: 'input',
        block_id: 'reason',
        optional: true,
        label: { type: 'plain_text', text: 'Why?' },
        element: { type: 'plain_text_input', action_id: 'reason', max_length: 500, multiline: true },
      },
    ],
  };
}

const Values = z.record(
  z.string(),
  z.record(
    z.string(),
    z.looseObject({ value: z.string().nullish(), selected_option: z.looseObject({ value: z.string() }).nullish() }),
  ),
);

/** What was filled in, by field; numbers as numbers. */
export function formInput(values: unknown): Record<string, unknown> {
  const fields = Object.entries(Values.parse(values)).map(([name, elements]) => {
    const element = elements[name];
    const text = element?.selected_option?.value ?? element?.value ?? undefined;
    return [name, element?.type === 'number_input' && text !== undefined ? Number(text) : text];
  });
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined && value !== ''));
}
