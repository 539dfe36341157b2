import { type Fault, fault } from '../../core/errors.ts';
import { bindCommand, needText } from '../../core/permission.ts';

const said =
  /User "(?<user>[^"]*)" cannot (?<verb>\S+) resource "(?<resource>[^"]*)" in API group "(?<group>[^"]*)"(?: in the namespace "(?<namespace>[^"]*)")?/;

/** Where to get what is lacking: Shipmate's own permissions come from a file, a person's from whoever they ask. */
const remedy = {
  shipmate: `Whoever looks after the cluster can give it, for your own environments and for those by pattern: “${bindCommand}”. /ship doctor shows what else is missing.`,
  person: 'In this environment everybody acts in their own name. Whoever looks after the cluster can give them a role.',
};

/** A 403 in words: which permission is lacking where, whose it is, and whom to ask. `as` is whom the call was made for. */
export function forbidden(cluster: string, problem: string, as: string | undefined, thrown: unknown): Fault {
  const found = said.exec(problem)?.groups;
  const who = as ?? 'Shipmate';
  const remedied = as === undefined ? remedy.shipmate : remedy.person;
  // Where the call could not even be made in somebody's name, it is Shipmate that lacks the permission to.
  if (!found || found.verb?.startsWith('impersonate'))
    return fault(
      'CLUSTER_FORBIDDEN',
      { cluster, who: 'Shipmate', what: `do this: ${problem}`, remedy: remedy.shipmate },
      thrown,
    );
  const { verb = '', resource = '', group = '', namespace } = found;
  const where = namespace === undefined ? 'the cluster as a whole' : `the namespace ${namespace}`;
  const what = `${needText({ verb, group, resource })} in ${where}.`;
  return fault('CLUSTER_FORBIDDEN', { cluster, who, what, remedy: remedied }, thrown);
}
