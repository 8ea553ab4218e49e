/**
 * What the loop is made of and what it offers: the parts that `run-parts.ts` hands in, what stands after
 * a round, and what others may ask of it. Types alone; what is done with them is in `loop.ts`.
 */
import type { DeviceFacts } from '../wire/messages.js';
import type { Clock } from './clock.js';
import type { Prompter } from './employee/prompt.js';
import type { CurrentDocuments } from './report/documents.js';
import type { AgentEvent } from './report/events.js';
import type { Judged } from './report/messages.js';
import type { Outbox } from './report/outbox.js';
import type { Device, InForce } from './rules.js';
import type { ProcessList } from './running.js';
import type { Scanner } from './scanner.js';
import type { Store } from './store.js';
import type { Watch, WatchOptions } from './watch.js';

/** pino's form: fields, never a sentence to parse. */
export interface Log {
  debug(fields: object): void;
  info(fields: object): void;
  warn(fields: object): void;
  error(fields: object): void;
}

export interface LoopParts {
  readonly store: Store;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly scanner: Scanner;
  readonly prompter: (loop: Pick<Loop, 'raise' | 'judgeAgain'>) => Prompter;
  readonly watch: (options: Pick<WatchOptions, 'onHint' | 'onState'>) => Watch;
  readonly documents: () => CurrentDocuments;
  readonly device: () => Device;
  readonly facts: () => Promise<DeviceFacts>;
  /** What runs now; null when it is not looked at. */
  readonly processes: ProcessList;
  /** All spellings of a home's path. */
  readonly spellings: (home: string) => readonly string[];
  readonly checkInMinutes: number;
  readonly random: () => number;
  readonly log: Log;
}

/** What stands after a round. */
export interface Standing {
  readonly judged: readonly Judged[];
  readonly isScanComplete: boolean;
  readonly rules: InForce;
}

export interface Loop {
  /** Bundle, assignment or catalogue have changed. */
  documentsChanged(): void;
  /** Reports an event on a subject's stream, once that has its snapshot. */
  raise(event: AgentEvent): void;
  /** After each round that has seen a full scan. */
  onStanding(listener: (standing: Standing) => void): void;
  /** Judges again though nothing that was found has changed: somebody was told, time was confirmed. */
  judgeAgain(): void;
  /** Reads all roots again. */
  scanAll(): void;
  close(): Promise<void>;
}
