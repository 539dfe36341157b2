/**
 * How the API itself tells the entries of a list apart: by some of their fields (containers by their name), by their own
 * value, or not at all: then the list is one value, in which every place counts.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
 */
export type ListType = { kind: 'map'; keys: readonly string[] } | { kind: 'set' } | { kind: 'atomic' };

/**
 * The type of the list at a path of field names; entries of lists on the way have no name: `spec containers ports`. Each
 * cluster says it for its own kinds, so whoever compares objects has to ask it.
 */
export type ListTypes = (fields: readonly string[]) => ListType;

/** Where nobody knows better: nothing is hidden, but one entry that comes first moves all others. */
export const wholeLists: ListTypes = () => ({ kind: 'atomic' });

/** The types of the lists below a field. */
export const below =
  (lists: ListTypes, fields: readonly string[]): ListTypes =>
  (more) =>
    lists([...fields, ...more]);
