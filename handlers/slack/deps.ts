import type { Log } from '../../src/core/ports.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { Members } from './members.ts';

/** What the Slack surface needs. */
export type Deps = { engine: Engine; members: Members; log: Log };
