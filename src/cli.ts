#!/usr/bin/env node
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { createSlackClient } from '../handlers/slack/client.ts';
import { glance } from '../handlers/slack/glance.ts';
import { createAttachments } from './clients/registry/attachments.ts';
import { createRegistry } from './clients/registry/registry.ts';
import { createSigning } from './clients/signing/signing.ts';
import { registryAccess } from './config/credentials.ts';
import { readEnvironment } from './config/environment.ts';
import { readSettings } from './config/settings-file.ts';
import { AuditHead, AuditRecord, verifyChain, WithheldRecord } from './core/audit.ts';
import { Fault } from './core/errors.ts';
import { after } from './core/within.ts';
import { openGiven } from './files/regular-file.ts';
import { pinnedImage } from './images/pinned.ts';
import { init } from './init/init.ts';
import { contextsOf } from './init/world.ts';
import { catalogue } from './operations/catalogue.ts';
import { proofs, verifiedRows } from './operations/images/verify.ts';

const usage = `npx shipmate init [--context NAME] [--namespace NAME]… [--registry HOST/TEAM] [--output FILE]
                        writes a first shipmate.yaml from what runs in a cluster
npx shipmate check FILE
                        says what is wrong with a shipmate.yaml
npx shipmate audit verify FILE [--head NUMBER:HASH]
                        finds edited, removed and reordered records
npx shipmate verify IMAGE --key FILE [--require signature,scan,sbom,decision]
                        checks an image's signature and attestations with public keys`;

/** The head as it was noted elsewhere, \`12:9f3c…\`: with it a cut end is found too. */
function headOf(text: string | undefined): AuditHead | undefined {
  if (text === undefined) return undefined;
  const [seq, hash] = text.split(':');
  return AuditHead.parse({ seq: Number(seq), hash });
}

/** A record, or what stands in its place in the log of somebody who may not read it. */
const AuditLine = z.union([WithheldRecord, AuditRecord]);

async function verify(path: string, head: AuditHead | undefined): Promise<number> {
  const records: z.output<typeof AuditLine>[] = [];
  const unreadable: string[] = [];
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(path, { fd: openGiven(path) }) })) {
    line += 1;
    try {
      records.push(AuditLine.parse(JSON.parse(text)));
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
  console.log(
    `${path} is right: ${Object.keys(settings.apps).length} entries under apps, ${settings.policy.length} rules.`,
  );
  return 0;
}

const Options = z.strictObject({
  key: z.array(z.string()).min(1, 'needs --key FILE'),
  require: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(proofs)))
    .default(['signature']),
});

/** Asks the registry, and nobody else; the keys are files. */
async function verifyImage(reference: string, args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { key: { type: 'string', multiple: true, default: [] }, require: { type: 'string' } },
  });
  const { key, require } = Options.parse(values);
  const access = registryAccess(readEnvironment(process.env));
  const signal = after(60_000);
  const keys = await createSigning().trusted(key);
  const digest = await createRegistry(access).resolve(reference, 'APP', signal);
  const image = pinnedImage(reference, digest);
  const rows = await verifiedRows(createAttachments(access), image, { keys, require, who: 'this check' }, signal);
  for (const [proof = '', result = '', by = ''] of rows) console.log([proof.padEnd(10), result, by].join(' ').trim());
  console.log(`${image.pinned} is what it should be.`);
  return 0;
}

/** Asks a cluster, and a workspace where SLACK_BOT_TOKEN is set; both are only read. */
async function begin(args: readonly string[]): Promise<number> {
  const { SLACK_BOT_TOKEN: token, SLACK_API_URL: apiUrl } = process.env;
  const { close, ...contexts } = contextsOf(process.env);
  const workspace = async () => {
    if (!token) return undefined;
    try {
      return await glance(createSlackClient({ token, ...(apiUrl && { apiUrl }) }));
    } catch (thrown) {
      console.log(`Slack does not say who is there: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      return undefined;
    }
  };
  try {
    const { tags } = createRegistry(registryAccess(readEnvironment(process.env)));
    return await init(args, { ...contexts, workspace, tags, say: (line) => console.log(line) });
  } finally {
    await close();
  }
}

async function main(args: readonly string[]): Promise<number> {
  const [first, second, third] = args;
  if (args.includes('--help') || args.includes('-h')) {
    console.log(usage);
    return 0;
  }
  if (first === 'init') return await begin(args.slice(1));
  if (first === 'verify' && second !== undefined) return await verifyImage(second, args.slice(2));
  if (first === 'audit' && second === 'verify' && third !== undefined) {
    const { values } = parseArgs({ args: args.slice(3), options: { head: { type: 'string' } } });
    return await verify(third, headOf(values.head));
  }
  if (first === 'check' && second !== undefined) return await check(second);
  console.error(usage);
  return 2;
}

/** What `parseArgs` throws: an option that there is not, or one without its value. */
const isMistyped = (problem: unknown): problem is Error =>
  problem instanceof Error && 'code' in problem && String(problem.code).startsWith('ERR_PARSE_ARGS_');

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (problem: unknown) => {
    if (problem instanceof z.ZodError) console.error(problem.issues.map(({ message }) => message).join('\n'), usage);
    else if (isMistyped(problem)) console.error(`${problem.message}\n\n${usage}`);
    else if (problem instanceof Fault) console.error(`${problem.message}\n${problem.hint}`);
    else console.error(problem instanceof Error ? problem.message : problem);
    process.exitCode = 1;
  },
);
