import type { Catalogue } from '../core/operation.ts';
import { deploy } from './delivery/deploy.ts';
import { rollback } from './delivery/rollback.ts';
import { scale } from './delivery/scale.ts';
import { status } from './delivery/status.ts';
import { build } from './images/build.ts';

/** Everything that can be asked for. A new operation is one file and one line here. */
export const catalogue: Catalogue = new Map(
  [deploy, scale, rollback, status, build].map((operation) => [operation.name, operation]),
);
