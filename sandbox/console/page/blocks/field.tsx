import type { InputBlock } from '@slack/types';
import { useId } from 'react';
import { withEmoji } from '../emoji.ts';
import { choicesOf, useChoices } from './choices.ts';
import { Text } from './mrkdwn.tsx';

type InputElement = InputBlock['element'];
type Wiring = { id: string; name: string; required: boolean; 'aria-describedby': string; 'aria-invalid': boolean };

function Select({ element, wiring }: { element: Parameters<typeof useChoices>[0]; wiring: Wiring }) {
  const choices = useChoices(element);
  const placeholder = 'placeholder' in element ? element.placeholder?.text : undefined;
  return (
    <select className="menu" {...wiring} defaultValue={choicesOf(element).initial}>
      <option value="">{placeholder ?? 'Choose an option'}</option>
      {choices.map(({ value, label }) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </select>
  );
}

const Options = ({ type, element, name }: { type: 'checkbox' | 'radio'; element: InputElement; name: string }) => (
  <div className="options">
    {'options' in element &&
      element.options?.map(({ text, value }) => (
        <label key={value}>
          <input type={type} name={name} value={value} /> <Text text={text} />
        </label>
      ))}
  </div>
);

const inputTypes: Record<string, string> = {
  email_text_input: 'email',
  url_text_input: 'url',
  datepicker: 'date',
  timepicker: 'time',
};

/** What one types or chooses; its name is the block's id, so that the form's data are the view's values. */
function Control({ element, wiring }: { element: InputElement; wiring: Wiring }) {
  const placeholder = 'placeholder' in element ? element.placeholder?.text : undefined;
  switch (element.type) {
    case 'static_select':
    case 'users_select':
    case 'channels_select':
    case 'conversations_select':
      return <Select element={element} wiring={wiring} />;
    case 'checkboxes':
    case 'multi_static_select':
      return <Options type="checkbox" element={element} name={wiring.name} />;
    case 'radio_buttons':
      return <Options type="radio" element={element} name={wiring.name} />;
    case 'plain_text_input': {
      const { initial_value, max_length, multiline } = element;
      const shared = { ...wiring, placeholder, defaultValue: initial_value, maxLength: max_length ?? 3_000 };
      return multiline ? <textarea className="text" rows={4} {...shared} /> : <input className="text" {...shared} />;
    }
    case 'number_input':
      return (
        <input
          className="text"
          inputMode={element.is_decimal_allowed ? 'decimal' : 'numeric'}
          placeholder={placeholder}
          defaultValue={element.initial_value}
          {...wiring}
        />
      );
    default:
      return <input className="text" type={inputTypes[element.type] ?? 'text'} placeholder={placeholder} {...wiring} />;
  }
}

/** One input of a form, with its label, hint, and what the app found wrong with it. */
export function Field({ block, error }: { block: InputBlock; error: string | undefined }) {
  const id = useId();
  const { label, element, hint, optional = false, block_id: name = '' } = block;
  const about = `${id}-about`;
  const wiring = { id, name, required: !optional, 'aria-describedby': about, 'aria-invalid': error !== undefined };
  return (
    <div className="field">
      <label className="field-label" htmlFor={id}>
        {withEmoji(label.text)}
        {optional && <span className="field-optional"> (optional)</span>}
      </label>
      <Control element={element} wiring={wiring} />
      <div id={about}>
        {error !== undefined && (
          <div className="field-error" role="alert">
            {error}
          </div>
        )}
        {hint && <div className="field-hint">{withEmoji(hint.text)}</div>}
      </div>
    </div>
  );
}
