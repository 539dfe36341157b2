import type { CardBlock } from '@slack/types';
import { ButtonElement, Picture } from './elements.tsx';
import { Text } from './mrkdwn.tsx';

/** A boxed summary, alone or in a carousel. */
export const CardView = ({
  block: { hero_image, icon, title, subtitle, body, actions = [] },
}: {
  block: CardBlock;
}) => (
  <article className="card">
    {hero_image && <Picture element={hero_image} />}
    {icon && <Picture element={icon} />}
    {title && (
      <b>
        <Text text={title} />
      </b>
    )}
    {subtitle && (
      <div className="context">
        <Text text={subtitle} />
      </div>
    )}
    {body && (
      <div>
        <Text text={body} />
      </div>
    )}
    {actions.length > 0 && (
      <div className="actions">
        {actions.map((action) => (
          <ButtonElement key={action.action_id ?? action.text.text} element={action} />
        ))}
      </div>
    )}
  </article>
);
