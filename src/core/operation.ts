import type { z } from 'zod';
import type { Actor } from './actor.ts';
import { fault } from './errors.ts';
import { type Field, fieldsOf } from './fields.ts';
import type { Json, JsonObject } from './json.ts';
import { didYouMean } from './near.ts';
import type { Parts } from './parts.ts';
import type { Place, Site } from './place.ts';
import type { Draft, Plan } from './plan.ts';
import type { Clients, Clock } from './ports.ts';
import type { Report } from './report.ts';
import type { Origin } from './run.ts';
import type { Settings } from './settings.ts';
import type { Steer } from './steer.ts';
import type { Upload } from './upload.ts';
import type { UsageOf } from './usage.ts';

/**
 * `VERBS RESOURCES`, each with commas between; a resource bears its API group behind a dot: `get,list pods,deployments.apps`,
 * `get pods/log`. They hold in the namespaces of environments; what lives in the cluster itself holds there, and so does
 * anything with the word `everywhere` behind it: `list pods everywhere`.
 */
export type Permission = `${string} ${string}`;

/** What an operation acts on. The engine resolves both to a `Place`, several apps to one each, an environment alone to a `Site`. */
export type Target = { app?: string; env?: string; apps?: readonly string[] };

/**
 * A way to ask for the operation over REST, below `/api/v1/cloud-native`. `request` holds the path's parameters
 * and the body's fields in one schema; `input` turns it into the operation's own input.
 */
export type Route = {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  summary: string;
  request: z.ZodObject;
  input(request: unknown): Record<string, unknown>;
  upload?: Upload<unknown>;
};

/** Declares a REST route of an operation whose input is `Input`. */
export function route<Request extends z.ZodObject, Input extends Record<string, unknown>>(spec: {
  method: Route['method'];
  path: string;
  summary: string;
  request: Request;
  input: (request: z.output<Request>) => Input;
  upload?: Upload<z.output<Request>>;
}): Route {
  const { upload, request: schema, ...rest } = spec;
  const kept: Upload<unknown> | undefined = upload && {
    ...upload,
    keep: (context, request, content) => upload.keep(context, schema.parse(request), content),
  };
  return {
    ...rest,
    request: schema,
    input: (request) => spec.input(schema.parse(request)),
    ...(kept && { upload: kept }),
  };
}

export type PlanContext<Need extends keyof Clients> = {
  /** The run that this is for. */
  id: string;
  on: Pick<Clients, Need>;
  settings: Settings;
  catalogue: Catalogue;
  actor: Actor;
  /** Where it was asked for. */
  origin: Origin;
  now: Clock;
  /** The resolved target; reading it throws where the target lacks app or environment. */
  readonly place: Place;
  /** The resolved environment; reading it throws where the target has none. */
  readonly site: Site;
  signal: AbortSignal;
  /** Works out the plan of a run that would be a part of this one, under the policy that holds for it. */
  foresee(operation: string, input: Record<string, unknown>): Promise<Plan>;
  /** Does something once that the plan rests on, such as a build; done while planning, before anybody is asked. */
  step<Result>(name: string, act: (step: StepContext) => Promise<Result>): Promise<Result>;
};

/** What a step may say while it acts. Both are for people: nothing is decided by them. */
export type StepContext = {
  /** Aborts when the step must stop: cancelled, its time over, or the run no longer this worker's. */
  signal: AbortSignal;
  /** When the step started first, also if another worker started it: what timeouts count from. */
  startedAt: number;
  /** The newest word of progress, shown beside the step. */
  note(text: string): void;
  /** A line for the message's thread; cut to `longest` letters after secrets are taken out, since half of one is known to nobody. */
  log(text: string, longest?: number): void;
  /** A line for the audit log, stored together with the step's end. */
  record(text: string): void;
  /** What it remembered last: of this call, of one before it waited, or of a worker that died. */
  memo(): Json | undefined;
  /** Remembers something about how far it is; stored before this resolves. */
  remember(memo: Json): Promise<void>;
  /** All that people have said to the run, oldest first. */
  steers(): Promise<Steer[]>;
  /** Aborts once somebody has said more than `count` things; within a second. */
  steeredPast(count: number): AbortSignal;
  /**
   * Waits until `ms` have passed or somebody says something more than `heard` things. A long wait holds no worker: the step
   * is then called anew, with the same `startedAt` and its memo.
   */
  rest(ms: number, heard: number): Promise<void>;
  parts: Parts;
};

export type RunContext<Need extends keyof Clients, Step extends string> = Omit<PlanContext<Need>, 'step'> & {
  plan: Plan;
  /**
   * Does `act` once: its result (plain JSON, or nothing) is stored, and a run taken up elsewhere gets it instead.
   * Between effect and storing a crash repeats it, so `act` must be idempotent. A step that there are several of bears a
   * word behind its name: `weight 10`.
   */
  step<Result>(name: Step | `${Step} ${string}`, act: (step: StepContext) => Promise<Result>): Promise<Result>;
  /** Waits, and holds no worker meanwhile. */
  wait(name: Step, ms: number): Promise<void>;
  /** Waits for a person's answer, and holds no worker meanwhile; undefined where nobody answered within `ms`. */
  waitFor(name: Step, options: WaitFor): Promise<string | undefined>;
};

/** A question to the requester, or to whoever may approve the run. */
export type WaitFor = { of: 'requester' | 'approvers'; choices: readonly string[]; ms: number };

export type OperationSpec<
  Input extends z.ZodObject,
  Usage extends string,
  Need extends keyof Clients,
  Step extends string,
> = {
  name: string;
  summary: string;
  effect: 'read' | 'change';
  input: Input;
  usage: UsageOf<Input, Usage>;
  /** A slash command of its own beside `/ship NAME`. */
  command?: `/${string}`;
  examples: readonly string[];
  routes?: readonly Route[];
  needs: readonly Need[];
  steps: readonly Step[];
  /**
   * What it needs to be allowed in a cluster, as `VERBS RESOURCES`: `get,patch configmaps`, `list,watch replicasets.apps`.
   * Least privilege is made of these, so an operation that lacks one fails under it.
   */
  permissions?: readonly Permission[];
  /** It is about what Shipmate itself may do, so it never goes in the asker's name. */
  asShipmate?: true;
  /** Whether its input holds secret values: it is refused where what is stored is not sealed, since input and plan are stored. */
  secret?(input: z.output<Input>): boolean;
  /** Where it waits for its turn, it goes before all others: what makes an outage shorter. */
  first?: true;
  /** Whether, with that plan, people may steer it while it is under way: to stop it is then to tell it to back out. */
  steered?(plan: Plan): boolean;
  /** It changes nothing in the place itself (a lock, say), so it needs no turn, and no lock or freeze stops it. */
  aside?: true;
  /**
   * It needs no turn: what it writes is guarded by what it must still be, and it stays for as long as it is to last beside
   * what others do. Locks and freezes hold for it.
   */
  alongside?: true;
  /** In production it is done on nobody's word alone: not where a rule asks for no approval, nor by breaking the glass. */
  neverUnapproved?: true;
  /** Policy judges it as this operation, once for each of its apps; the strictest word counts. */
  judgedAs?: string;
  /** While it has its turn, what its requester asks for in the same place goes at once, and only what others ask for waits. */
  shares?: true;
  /**
   * Steps that must not be done twice and cannot tell whether they were: where a worker was lost in the middle of one, it
   * ends as not known, and is never repeated.
   */
  atMostOnce?: readonly Step[];
  /** A question whose answer takes a while: it gets a message and a thread as a change does, and not a word at its end. */
  openly?(input: z.output<Input>): boolean;
  /** What its steps and the whole run may take, in ms. */
  limits?: { run?: number; steps?: Partial<Record<Step, number>> };
  target(input: z.output<Input>): Target;
  plan(context: PlanContext<Need>, input: z.output<Input>): Promise<Draft>;
  run(context: RunContext<Need, Step>, input: z.output<Input>): Promise<Report>;
};

/** An operation as the engine and the surfaces see it: its input is checked again by the schema at every door. */
export type Operation = Pick<
  OperationSpec<z.ZodObject, string, keyof Clients, string>,
  | 'name'
  | 'summary'
  | 'effect'
  | 'input'
  | 'command'
  | 'examples'
  | 'needs'
  | 'steps'
  | 'permissions'
  | 'asShipmate'
  | 'first'
  | 'aside'
  | 'shares'
  | 'judgedAs'
  | 'steered'
  | 'alongside'
  | 'neverUnapproved'
  | 'limits'
  | 'atMostOnce'
> & {
  usage: string;
  secret(input: JsonObject): boolean;
  /** What it is about, for help. */
  subject: string;
  /** The fields of `input`, worked out once. */
  fields: ReadonlyMap<string, Field>;
  routes: readonly Route[];
  openly(input: JsonObject): boolean;
  target(input: JsonObject): Target;
  plan(context: PlanContext<keyof Clients>, input: JsonObject): Promise<Draft>;
  run(context: RunContext<keyof Clients, string>, input: JsonObject): Promise<Report>;
};

/** Defines an operation; every surface is derived from this one definition. */
export function defineOperation<
  Input extends z.ZodObject,
  const Usage extends string,
  const Need extends keyof Clients,
  const Step extends string,
>(spec: OperationSpec<Input, Usage, Need, Step>): Operation {
  return {
    ...spec,
    subject: 'other',
    fields: fieldsOf(spec.input),
    routes: spec.routes ?? [],
    secret: (input) => spec.secret?.(spec.input.parse(input)) ?? false,
    openly: (input) => spec.openly?.(spec.input.parse(input)) ?? false,
    target: (input) => spec.target(spec.input.parse(input)),
    plan: (context, input) => spec.plan(context, spec.input.parse(input)),
    run: (context, input) => spec.run(context, spec.input.parse(input)),
  };
}

/** The operations by name. */
export type Catalogue = ReadonlyMap<string, Operation>;

/** Finds the operation. @throws Fault UNKNOWN_OPERATION, with the nearest name */
export function operationOf(catalogue: Catalogue, name: string): Operation {
  const found = catalogue.get(name);
  if (found) return found;
  throw fault('UNKNOWN_OPERATION', { name, near: didYouMean(name, [...catalogue.keys()]) });
}
