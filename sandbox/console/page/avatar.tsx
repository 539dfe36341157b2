import type { User } from '../../../testbed/slack/workspace.ts';

const colours = ['#2b6cb0', '#b7791f', '#2f855a', '#97266d', '#6b46c1', '#c05621'];

/** A colour that stays with the person. */
const colourOf = ({ id }: User) =>
  colours[[...id].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % colours.length];

/** A person's initial, or the app's ship. The name is written beside it. */
export function Avatar({ user, small = false }: { user: User; small?: boolean }) {
  const size = small ? 'avatar avatar-small' : 'avatar';
  if (user.bot) return <span className={`${size} avatar-app`} aria-hidden="true" />;
  return (
    <span className={size} style={{ backgroundColor: colourOf(user) }} aria-hidden="true">
      {user.realName.charAt(0)}
    </span>
  );
}
