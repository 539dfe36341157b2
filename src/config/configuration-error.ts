/** Everything that is wrong with the configuration, one sentence each: it is all mended in one go. */
export class ConfigurationError extends Error {
  readonly faults: readonly string[];
  constructor(what: string, faults: readonly string[]) {
    super(`${what}:\n${faults.map((text) => `  - ${text}`).join('\n')}`);
    this.name = 'ConfigurationError';
    this.faults = faults;
  }
}
