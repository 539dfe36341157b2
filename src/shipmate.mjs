#!/usr/bin/env node
// The way into the commands for a fresh clone: plain JavaScript without dependencies, for whatever Node is there.
const missing = ['ERR_MODULE_NOT_FOUND', 'ERR_UNKNOWN_FILE_EXTENSION'];

try {
  await import('./cli.ts');
} catch (thrown) {
  if (!missing.includes(thrown.code)) throw thrown;
  console.error('Shipmate’s packages and its Node are not here yet: call npm ci, then npx shipmate again.');
  process.exitCode = 1;
}
