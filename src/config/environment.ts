import { ConfigurationError } from './configuration-error.ts';
import { type Environment, type VariableName, variables } from './variables.ts';

type Raw = Readonly<Record<string, string | undefined>>;

/** Blanks around a value, such as the newline at the end of a mounted secret, are never meant; an empty one is none. */
function given(raw: Raw, name: string): string | undefined {
  const value = raw[name]?.trim();
  return value === '' ? undefined : value;
}

function readOne(raw: Raw, name: VariableName): { value?: unknown; faults: string[] } {
  const { form, should, open } = variables[name];
  const value = given(raw, name);
  const parsed = form.safeParse(value);
  if (parsed.success) return { value: parsed.data, faults: [] };
  const is = open ? `is “${value?.slice(0, 50)}”` : 'does not look right';
  return { faults: [`${name} ${is}; it should be ${should}.`] };
}

/** What is wrong between variables that are each well formed. */
function crossFaults(raw: Raw): string[] {
  const has = (name: VariableName) => given(raw, name) !== undefined;
  const faults: string[] = [];
  const pair = (a: VariableName, b: VariableName) => {
    if (has(a) !== has(b)) faults.push(`${has(a) ? b : a} is missing; ${a} and ${b} should be set together.`);
  };
  pair('REGISTRY_USERNAME', 'REGISTRY_PASSWORD');
  pair('DOCKER_USERNAME', 'DOCKER_PASSWORD');
  const listens = given(raw, 'ROLE') !== 'worker';
  if (has('SLACK_BOT_TOKEN') && listens && !has('SLACK_SIGNING_SECRET') && !has('SLACK_APP_TOKEN'))
    faults.push('SLACK_SIGNING_SECRET is missing; it should be set for HTTP, or SLACK_APP_TOKEN for Socket Mode.');
  if (!has('SLACK_BOT_TOKEN') && (has('SLACK_SIGNING_SECRET') || has('SLACK_APP_TOKEN')))
    faults.push('SLACK_BOT_TOKEN is missing; it should be set where Slack’s other variables are.');
  if (has('JWT_SECRET') && has('JWKS_URI'))
    faults.push('JWT_SECRET and JWKS_URI are both set; only one of them should be: it decides how tokens are checked.');
  if (has('ACCEPT_UNSEALED_UNTIL') && !has('ENCRYPTION_KEY'))
    faults.push(
      'ENCRYPTION_KEY is missing; it should be set where ACCEPT_UNSEALED_UNTIL is: without it nothing is sealed.',
    );
  if (has('JWKS_URI') && !has('JWT_ISSUER'))
    faults.push('JWT_ISSUER is missing; it should be the issuer whose keys JWKS_URI holds.');
  return faults;
}

/**
 * Reads the environment.
 * @throws ConfigurationError with every fault at once; values that may be secret are not repeated
 */
export function readEnvironment(raw: Raw): Environment {
  // Object.keys widens; the record is const.
  const names = Object.keys(variables) as VariableName[];
  const results = names.map((name) => [name, readOne(raw, name)] as const);
  const faults = [...results.flatMap(([, result]) => result.faults), ...crossFaults(raw)];
  if (faults.length > 0) throw new ConfigurationError('The environment is not right', faults);
  // Each value is what its variable's own schema made of it.
  return Object.fromEntries(results.map(([name, result]) => [name, result.value])) as Environment;
}
