import type { PodSecurityLevel } from '../../../core/effects/pod-security.ts';
import { restrictedContext } from '../../../core/effects/restricted.ts';
import type { JsonObject } from '../../../core/json.ts';
import type { ImageUser } from '../../../images/image-user.ts';

export type Security = { securityContext?: JsonObject; warnings: string[] };

const { runAsNonRoot: _, ...forAnybody } = restrictedContext;
const { capabilities: __, ...forRoot } = forAnybody;

/** Where the level asks for all of it, all of it is set, and what that does to the image is said. */
function asked(env: string, user: ImageUser): string[] {
  const refused = `pods of ${env} may not run as root (podSecurity: restricted)`;
  switch (user.kind) {
    case 'number':
      return [];
    case 'root':
      return [
        `The image names no user but root, and ${refused}: its pods won’t start. Give it a user by number: USER 1000.`,
      ];
    case 'named':
      return [
        `The image runs as “${user.user}”, of whom Kubernetes can’t tell whether that is root, and ${refused}: its pods won’t start. Name the user by number: USER 1000.`,
      ];
    case 'unknown':
      return [
        `The registry does not tell whom the image runs as, and ${refused}: if it is root, its pods won’t start.`,
      ];
    default:
      return user satisfies never;
  }
}

/**
 * What restricted asks of a container, as far as the image can live with it. A kubelet that is told `runAsNonRoot` starts no image
 * of root, nor one whose user it knows by name alone; and root without capabilities may not even read its own files.
 */
export function securityOf(level: PodSecurityLevel, env: string, user: ImageUser): Security {
  if (level === 'restricted') return { securityContext: restrictedContext, warnings: asked(env, user) };
  switch (user.kind) {
    case 'number':
      return { securityContext: restrictedContext, warnings: [] };
    case 'named':
      return {
        securityContext: forAnybody,
        warnings: [
          `The image runs as “${user.user}”, of whom Kubernetes can’t tell whether that is root: runAsNonRoot is left out. Name the user by number: USER 1000.`,
        ],
      };
    case 'root':
      return {
        securityContext: forRoot,
        warnings: [
          'The image names no user but root: runAsNonRoot is left out, and it keeps its capabilities. Give it a user by number: USER 1000.',
        ],
      };
    case 'unknown':
      return {
        securityContext: forRoot,
        warnings: [
          'The registry does not tell whom the image runs as: it is taken for root, so runAsNonRoot is left out, and it keeps its capabilities.',
        ],
      };
    default:
      return user satisfies never;
  }
}
