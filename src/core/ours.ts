import { at, type JsonObject } from './json.ts';

const label = 'app.kubernetes.io/managed-by';
const name = 'shipmate';

/** What Shipmate makes bears this; what does not is somebody else's, whatever its name. */
export const ownLabels = { [label]: name };
/** The same as the API takes it. */
export const ownSelector = `${label}=${name}`;

export const isOurs = (object: JsonObject | undefined): boolean => at(object, 'metadata', 'labels', label) === name;
