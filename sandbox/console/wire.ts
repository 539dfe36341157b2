import type { Channel, Message, OpenView, User, Workspace, WorkspaceEvent } from '../../testbed/slack/workspace.ts';
import type { ShipmateState } from '../kept-alive.ts';

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
  /** Where the console keeps Shipmate running. */
  shipmate?: ShipmateState;
};

/** Shipmate was killed, or runs again. */
export type ShipmateEvent = { kind: 'shipmate'; state: ShipmateState };

export type Told = Snapshot | WorkspaceEvent | ShipmateEvent;

/** How the app took what somebody did. */
export type Outcome = { status: number; late: boolean; errors?: Record<string, string> };
