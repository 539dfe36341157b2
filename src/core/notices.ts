import type { AlertGroup } from './alert.ts';
import type { Shown } from './shown.ts';

/** Messages in Slack, and what they are to show. */

/** Something that has one message in Slack: a run, or a group of alerts. */
export type Subject = { kind: 'run' | 'alert'; id: string };

/** What became of an attempt to make a subject's message show the truth. With `later`, `shown` is the part already there. */
export type Announced =
  | { kind: 'shown'; shown: Shown }
  | { kind: 'nothing' }
  | { kind: 'later'; ms: number; shown?: Shown };
/** `keep` is told of each part as soon as Slack has it, where more is to come: what is not kept when the process ends is posted again. */
export type Announcer = (
  subject: Subject,
  shown: Shown | undefined,
  keep: (shown: Shown) => Promise<void>,
) => Promise<Announced>;

/** The messages that no longer show the truth. A commit marks its run here; the notifier takes it away. */
export type NoticeStore = {
  /**
   * Subjects whose message has been out of date for `overdueMs`; each is handed to one caller, and again after `againMs`
   * if nothing came of it.
   */
  claim(limit: number, againMs: number, overdueMs: number): Promise<{ subject: Subject; touched: number }[]>;
  shown(subject: Subject): Promise<Shown | undefined>;
  /** Stores what is there so far; the subject stays out of date. */
  keep(subject: Subject, shown: Shown): Promise<void>;
  /** Stores what was shown. The subject stays out of date where it was touched since. */
  done(subject: Subject, touched: number, shown: Shown | undefined): Promise<void>;
  /** Tries again after `ms`; `shown` is stored where part of it was done already. */
  later(subject: Subject, ms: number, shown?: Shown): Promise<void>;
  /** Calls `wake` whenever something became out of date. */
  watch(wake: (subject: Subject) => void): Promise<() => Promise<void>>;
};

export type AlertStore = {
  /** Stores a group of alerts as it now is and marks its message as due. */
  put(group: AlertGroup): Promise<void>;
  read(id: string): Promise<AlertGroup | undefined>;
};
