#!/usr/bin/env node
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { ConfigurationError } from './config/configuration-error.ts';
import { readSettings } from './config/settings-file.ts';
import { AuditHead, AuditRecord, verifyChain } from './core/audit.ts';
import { catalogue } from './operations/catalogue.ts';

const usage = `shipmate audit verify FILE [--head NUMBER:HASH]   finds edited, removed and reordered records
shipmate check FILE                               says what is wrong with a shipmate.yaml`;

/** The head as it was noted elsewhere, \`12:9f3c…\`: with it a cut end is found too. */
function headOf(text: string | undefined): AuditHead | undefined {
  if (text === undefined) return undefined;
  const [seq, hash] = text.split(':');
  return AuditHead.parse({ seq: Number(seq), hash });
}

async function verify(path: string, head: AuditHead | undefined): Promise<number> {
  const records: AuditRecord[] = [];
  const unreadable: string[] = [];
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(path) })) {
    line += 1;
    try {
      records.push(AuditRecord.parse(JSON.parse(text)));
    } catch {
      unreadable.push(`line ${line} is not an audit record`);
    }
  }
  const { count, head: end, faults } = verifyChain(records, head);
  const problems = [...unreadable, ...faults.map(({ seq, problem }) => `record ${seq} ${problem}`)];
  for (const problem of problems) console.error(problem);
  console.log(
    `${count} records, up to ${end.seq}:${end.hash}: ${problems.length === 0 ? 'whole' : `${problems.length} faults`}`,
  );
  return problems.length === 0 ? 0 : 1;
}

async function check(path: string): Promise<number> {
  const settings = await readSettings(path, [...catalogue.keys()]);
  console.log(`${path} is right: ${Object.keys(settings.apps).length} apps, ${settings.policy.length} rules.`);
  return 0;
}

async function main([first, second, third, option, value]: readonly string[]): Promise<number> {
  if (first === 'audit' && second === 'verify' && third !== undefined)
    return await verify(third, option === '--head' ? headOf(value) : undefined);
  if (first === 'check' && second !== undefined) return await check(second);
  console.error(usage);
  return 2;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (problem: unknown) => {
    console.error(problem instanceof ConfigurationError || problem instanceof Error ? problem.message : problem);
    process.exitCode = 1;
  },
);
