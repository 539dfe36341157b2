import type { Server } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import { appId } from './workspace.ts';

export type Sockets = {
  /** The connection whose turn it is; Slack hands each envelope to one of them. */
  next(): WebSocket | undefined;
  /** Tells all connections to go, as Slack does every few hours, and closes them. */
  disconnect(reason: 'warning' | 'refresh_requested' | 'link_disabled'): void;
  close(): void;
};

/** The server's side of Socket Mode: https://docs.slack.dev/apis/events-api/using-socket-mode */
export function acceptSockets(server: Server, path: string): Sockets {
  let open: WebSocket[] = [];
  const listener = new WebSocketServer({ server, path });
  listener.on('connection', (socket) => {
    open.push(socket);
    socket.on('close', () => {
      open = open.filter((other) => other !== socket);
    });
    const debug_info = { host: 'applink-fake', build_number: 1, approximate_connection_time: 18_060 };
    const hello = { type: 'hello', num_connections: open.length, connection_info: { app_id: appId }, debug_info };
    socket.send(JSON.stringify(hello));
  });
  return {
    next: () => {
      const socket = open.shift();
      if (socket) open.push(socket);
      return socket;
    },
    disconnect: (reason) => {
      for (const socket of open) {
        socket.send(JSON.stringify({ type: 'disconnect', reason, debug_info: { host: 'applink-fake' } }));
        socket.close();
      }
    },
    close: () => {
      for (const socket of open) socket.terminate();
      listener.close();
    },
  };
}
