import { identityOf, isPersonal } from '../core/identity.ts';
import { siteOf } from '../core/place.ts';
import type { Clients } from '../core/ports.ts';
import type { Run } from '../core/run.ts';
import type { Engine } from './engine.ts';

/** The clients that a run works with. Where its environment says so, clusters are asked in its asker's name. */
export function clientsFor(engine: Engine, run: Run): Clients {
  const { clients } = engine;
  if (engine.catalogue.get(run.operation)?.asShipmate) return clients;
  return {
    ...clients,
    kube: (cluster) => {
      const settings = engine.settings();
      const personal = isPersonal(settings, cluster, siteOf(run)?.env);
      return personal ? clients.kube(cluster, identityOf(settings, run.actor)) : clients.kube(cluster);
    },
  };
}
