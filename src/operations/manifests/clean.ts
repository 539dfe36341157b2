import { isObject, type Json, type JsonObject } from '../../core/json.ts';

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
const secretVariable = /TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|PRIVATE|API_?KEY/i;
const mask = '••••••';

const maskedValues = (data: Json | undefined): JsonObject =>
  Object.fromEntries(Object.keys(isObject(data) ? data : {}).map((key) => [key, mask]));

/** Environment variables whose names sound like secrets, however deep. */
function withoutSecretValues(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutSecretValues);
  if (!isObject(value)) return value;
  const secret = typeof value.name === 'string' && secretVariable.test(value.name) && typeof value.value === 'string';
  const entries = Object.entries(value).map(([key, each]) => [key, withoutSecretValues(each)] as const);
  return { ...Object.fromEntries(entries), ...(secret && { value: mask }) };
}

function cleanMetadata(metadata: JsonObject): JsonObject {
  const kept = Object.entries(metadata).filter(([key]) => !served.includes(key));
  const { annotations, ...rest } = Object.fromEntries(kept);
  const own = Object.entries(isObject(annotations) ? annotations : {}).filter(([key]) => !noisy.test(key));
  return { ...rest, ...(own.length > 0 && { annotations: Object.fromEntries(own) }) };
}

/** A copy fit for a file or for people. */
export function cleanObject({ status: _, ...object }: JsonObject): JsonObject {
  const metadata = isObject(object.metadata) ? cleanMetadata(object.metadata) : {};
  const { apiVersion = '', kind = '', ...rest } = object;
  const clean: JsonObject = { apiVersion, kind, ...rest, metadata };
  if (kind === 'Secret') {
    if (object.data !== undefined) clean.data = maskedValues(object.data);
    if (object.stringData !== undefined) clean.stringData = maskedValues(object.stringData);
    return clean;
  }
  const shown = withoutSecretValues(clean);
  return isObject(shown) ? shown : clean;
}
