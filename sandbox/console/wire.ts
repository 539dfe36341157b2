import type { Channel, Message, OpenView, User, Workspace, WorkspaceEvent } from '../../testbed/slack/workspace.ts';

/** What the console's server and its page say to one another. */

export type CommandHint = { command: string; description: string; usage_hint?: string };

/** Somebody whom one can be, and what for. */
export type Persona = { id: string; role: string };

export type Snapshot = {
  kind: 'snapshot';
  workspace: string;
  me: string;
  personas: Persona[];
  users: User[];
  channels: Channel[];
  userGroups: Workspace['userGroups'];
  messages: Message[];
  views: OpenView[];
  commands: CommandHint[];
  /** Lines worth trying, a click away. */
  suggestions: string[];
};

export type Told = Snapshot | WorkspaceEvent;

/** How the app took what somebody did. */
export type Outcome = { status: number; late: boolean; errors?: Record<string, string> };
