/**
 * Events on their way into a stream. A stream begins with a snapshot, so an event that comes before it
 * waits here, in memory: losing one with the process is no harm, a report out of order would be.
 */
import type { ReportBody, Subject } from '../../wire/messages.js';
import { fitText } from '../../wire/parse.js';
import type { Reading } from '../detect/index.js';
import type { Store } from '../store.js';
import type { Outbox } from './outbox.js';

export interface AgentEvent {
  readonly subject: Subject;
  readonly event: Extract<ReportBody, { kind: 'event' }>['event'];
  readonly tool?: string | null;
  readonly rule?: string | null;
  /** A short machine word, never free content. */
  readonly detail?: string;
}

/** More than this is a fault that repeats; the oldest stay. */
const maxWaiting = 1000;

export class EventQueue {
  readonly #store: Store;
  readonly #outbox: Outbox;
  #waiting: AgentEvent[] = [];

  constructor(store: Store, outbox: Outbox) {
    this.#store = store;
    this.#outbox = outbox;
  }

  add(event: AgentEvent): void {
    if (this.#waiting.length < maxWaiting) this.#waiting.push(event);
    else this.#store.count('events-dropped');
  }

  /** Appends what may go now. */
  flush(nowMs: number): void {
    const at = new Date(nowMs).toISOString();
    const events = this.#waiting;
    this.#waiting = [];
    for (const one of events) {
      if (this.#store.told(one.subject).needsSnapshot) {
        this.#waiting.push(one);
        continue;
      }
      const { subject, event, tool = null, rule = null } = one;
      const detail = one.detail === undefined ? null : fitText(one.detail, 128);
      this.#outbox.append(subject, { kind: 'event', at, event, tool, rule, detail });
    }
  }
}

/** An emptied list beside full folders goes to the server with the removals it makes; once until it is mended. */
export function manifestEvents(store: Store, readings: readonly Reading[]): readonly AgentEvent[] {
  const events: AgentEvent[] = [];
  for (const { root, problems } of readings) {
    const isEmpty = problems.some(({ code }) => code === 'manifest-empty');
    const name = `manifest-empty ${root.id}`;
    if (isEmpty === (store.fact(name) === '1')) continue;
    store.saveFact(name, isEmpty ? '1' : '0');
    if (!isEmpty) continue;
    const { home, manager, channel } = root;
    const subject: Subject =
      home === null ? { kind: 'machine' } : { kind: 'person', account: home.account };
    events.push({ subject, event: 'manifest-empty', detail: manager ?? channel });
  }
  return events;
}
