import { EventEmitter } from 'node:events';
import type { KnownBlock, View } from '@slack/types';

export type User = {
  id: string;
  name: string;
  realName: string;
  title: string;
  guest?: true;
  bot?: true;
  /** No longer in the workspace. */
  deleted?: true;
  /** Another workspace, where they are from. */
  team?: string;
  /** On Enterprise Grid: the workspaces of the organization that they belong to, where that is not this one alone. */
  teams?: string[];
};
export type Channel = {
  id: string;
  name: string;
  topic: string;
  /** The other workspaces that are in it. */
  sharedWith?: string[];
  /** They are of another organization: it is shared by Slack Connect. */
  external?: true;
};

export type SharedFile = {
  id: string;
  name: string;
  title: string;
  size: number;
  content?: string;
  /** Its upload is over: until then nothing can show it. */
  complete?: true;
  /** Its bytes, and how Slack gives them out. */
  attached?: { bytes: Uint8Array; mimetype: string; url?: string; redirect?: string; shared?: true };
};

export type Attachment = { color?: string | undefined; blocks?: unknown[] | undefined; [field: string]: unknown };

export type Message = {
  ts: string;
  channel: string;
  user: string;
  text: string;
  blocks: KnownBlock[];
  attachments?: Attachment[];
  metadata?: unknown;
  files?: SharedFile[];
  thread?: string | undefined;
  broadcast?: boolean;
  edited?: string;
  /** Seen by this user alone, and forgotten when the page is loaded anew, as in Slack. */
  onlyFor?: string;
};

export type OpenView = { id: string; user: string; hash: string; view: View; externalId?: string };

export type WorkspaceEvent =
  | { kind: 'message'; message: Message }
  | { kind: 'removed'; channel: string; ts: string }
  | { kind: 'view'; view: OpenView }
  | { kind: 'view-closed'; id: string; user: string }
  | { kind: 'home'; home: OpenView };

/** What Slack's servers remember of one workspace. */
export type Workspace = {
  teamId: string;
  domain: string;
  /** The organization on Enterprise Grid that it is part of. */
  enterprise?: { id: string; name: string };
  users: User[];
  channels: Channel[];
  userGroups: { id: string; handle: string; name: string; users: string[] }[];
  messages: Map<string, Message>;
  views: Map<string, OpenView>;
  /** The app's Home tab, by person. */
  homes: Map<string, OpenView>;
  files: Map<string, SharedFile>;
  /** A new timestamp, unique and growing, as Slack's are. */
  nextTs(): string;
  put(message: Message): Message;
  remove(channel: string, ts: string): void;
  showView(view: OpenView): void;
  closeView(id: string): void;
  publishHome(home: OpenView): void;
  listen(heard: (event: WorkspaceEvent) => void): () => void;
};

export const botUser = 'U0SHIPMATE';
export const botId = 'B0SHIPMATE';
export const appId = 'A0SHIPMATE';

export const enterprise = { id: 'E0FLEET', name: 'The Fleet' };

const users = (): User[] => [
  { id: 'U0ANA', name: 'ana', realName: 'Ana Lima', title: 'Product engineer' },
  { id: 'U0BEN', name: 'ben', realName: 'Ben Okafor', title: 'Platform engineer' },
  { id: 'U0CHO', name: 'cho', realName: 'Cho Min-ji', title: 'Security officer' },
  { id: 'U0GUS', name: 'gus', realName: 'Gus (guest)', title: 'Contractor', guest: true },
  { id: 'U0EVE', name: 'eve', realName: 'Eve Moreau', title: 'Somebody at a supplier', team: 'T0SUPPLIER' },
  { id: 'U0SAM', name: 'sam', realName: 'Sam Stone', title: 'Known from a mention alone', team: 'T0ELSEWHERE' },
  { id: 'U0OLD', name: 'old', realName: 'Otto Lange', title: 'Has left', deleted: true },
  { id: botUser, name: 'shipmate', realName: 'Shipmate', title: 'Ships software', bot: true },
];

/** Of the organization, on Enterprise Grid: in this workspace too, and not in it. */
const organization = (): User[] => [
  {
    id: 'U0DUO',
    name: 'duo',
    realName: 'Duo Haddad',
    title: 'In two workspaces',
    team: 'T0HARBOUR',
    teams: ['T0HARBOUR', 'T0SHIPYARD'],
  },
  {
    id: 'U0ORG',
    name: 'org',
    realName: 'Orga Nilsen',
    title: 'In the harbour alone',
    team: 'T0HARBOUR',
    teams: ['T0HARBOUR'],
  },
];

const channels = (): Channel[] => [
  { id: 'C0SHIP', name: 'ship', topic: 'Deploys of all our apps' },
  { id: 'C0ALERTS', name: 'alerts', topic: 'What is wrong, and what is well again' },
  { id: 'C0GENERAL', name: 'general', topic: 'Everything else' },
  { id: 'C0DOCK', name: 'dock', topic: 'With our supplier', sharedWith: ['T0SUPPLIER'], external: true },
];
const fleet: Channel = { id: 'C0FLEET', name: 'fleet', topic: 'All workspaces of ours', sharedWith: ['T0HARBOUR'] };

/**
 * A workspace with a requester, two approvers, a guest, outsiders, and the channels that the examples speak of; on `grid`
 * it is one of two of an organization.
 */
export function createWorkspace({ grid = false } = {}): Workspace {
  const bus = new EventEmitter().setMaxListeners(1_000);
  const messages = new Map<string, Message>();
  const views = new Map<string, OpenView>();
  const homes = new Map<string, OpenView>();
  let lastMicros = 0;
  const tell = (event: WorkspaceEvent) => bus.emit('event', event);
  return {
    teamId: 'T0SHIPYARD',
    domain: 'shipyard',
    ...(grid && { enterprise }),
    users: [...users(), ...(grid ? organization() : [])],
    channels: [...channels(), ...(grid ? [fleet] : [])],
    userGroups: [{ id: 'S0ENGINEERS', handle: 'engineers', name: 'Engineers', users: ['U0ANA', 'U0BEN'] }],
    messages,
    views,
    homes,
    files: new Map(),
    nextTs: () => {
      lastMicros = Math.max(lastMicros + 1, Date.now() * 1_000);
      return `${Math.floor(lastMicros / 1_000_000)}.${String(lastMicros % 1_000_000).padStart(6, '0')}`;
    },
    put: (message) => {
      messages.set(`${message.channel}/${message.ts}`, message);
      tell({ kind: 'message', message });
      return message;
    },
    remove: (channel, ts) => {
      messages.delete(`${channel}/${ts}`);
      tell({ kind: 'removed', channel, ts });
    },
    showView: (view) => {
      views.set(view.id, view);
      tell({ kind: 'view', view });
    },
    closeView: (id) => {
      const view = views.get(id);
      views.delete(id);
      if (view) tell({ kind: 'view-closed', id, user: view.user });
    },
    publishHome: (home) => {
      homes.set(home.user, home);
      tell({ kind: 'home', home });
    },
    listen: (heard) => {
      bus.on('event', heard);
      return () => void bus.off('event', heard);
    },
  };
}
