import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import { mask, type SecretSettings } from '../../core/secret-names.ts';
import { withoutSecrets } from '../../core/secret-values.ts';

/** Objects as somebody would have written them: without what the API server and controllers add, and without secrets. */

const served = [
  'managedFields',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'selfLink',
  'ownerReferences',
];
const noisy =
  /^(deployment\.kubernetes\.io\/|shipmate\.dev\/(run|apply)$|kubectl\.kubernetes\.io\/last-applied-configuration$)/;

const maskedValues = (data: Json | undefined): JsonObject =>
  Object.fromEntries(Object.keys(isObject(data) ? data : {}).map((key) => [key, mask]));

function cleanMetadata(metadata: JsonObject): JsonObject {
  const kept = Object.entries(metadata).filter(([key]) => !served.includes(key));
  const { annotations, ...rest } = Object.fromEntries(kept);
  const own = Object.entries(isObject(annotations) ? annotations : {}).filter(([key]) => !noisy.test(key));
  return { ...rest, ...(own.length > 0 && { annotations: Object.fromEntries(own) }) };
}

/** As it would be applied again, with all its values: not for people. */
export function asWritten({ status: _, ...object }: JsonObject): JsonObject {
  const metadata = isObject(object.metadata) ? cleanMetadata(object.metadata) : {};
  const { apiVersion = '', kind = '', ...rest } = object;
  return { apiVersion, kind, ...rest, metadata };
}

/** A copy fit for a file or for people. */
export function cleanObject(object: JsonObject, settings?: SecretSettings): JsonObject {
  const clean = asWritten(object);
  if (clean.kind === 'Secret') {
    if (object.data !== undefined) clean.data = maskedValues(object.data);
    if (object.stringData !== undefined) clean.stringData = maskedValues(object.stringData);
    return clean;
  }
  const shown = withoutSecrets(clean, settings);
  return isObject(shown) ? shown : clean;
}
