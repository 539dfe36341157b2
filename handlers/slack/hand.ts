import type { WebClient } from '@slack/web-api';
import type { Hand } from '../../src/core/ports.ts';

/** Hands something to the asker alone: Slack shows it to them once and keeps it nowhere, and neither does Shipmate. */
export function createHand(client: WebClient | undefined): Hand {
  return {
    reaches: (origin) => client !== undefined && origin.surface === 'slack',
    give: async (origin, text) => {
      if (!client || origin.surface !== 'slack') throw new Error('there is no way to its asker');
      const { channel, user } = origin;
      // Plain text: nothing in it may become a link, a ping or a preview.
      const blocks = [{ type: 'section' as const, text: { type: 'plain_text' as const, text, emoji: false } }];
      await client.chat.postEphemeral({ channel, user, text: 'Only you see this, and only now.', blocks });
    },
  };
}
