/**
 * What the assignment says on this device, for `curfew status`: a pause, a message of the admins, and the
 * exceptions with their end and reason, in the reader's language. It shows what the signed documents
 * come to and decides nothing.
 */
import type { Catalogue } from '../policies/catalogue.js';
import type { Exception } from '../policies/exceptions.js';
import { instantText } from '../policies/instant-text.js';
import { textIn, type Language } from '../policies/language.js';
import { exceptionsOf, pauseOf } from '../wire/assignment.js';
import type { CurrentDocuments } from './report/documents.js';
import { printable } from './scan-output.js';

export interface AssignedException {
  readonly id: string;
  readonly tool: string;
  /** The person, the device or the hardware that it is for. */
  readonly for: string;
  readonly reason: string;
  readonly author: string;
  /** ISO; null: at once. */
  readonly from: string | null;
  /** First instant at which it no longer holds. */
  readonly until: string;
  /** False before it begins. */
  readonly holds: boolean;
}

export interface AssignedRecord {
  /** False before a first assignment has arrived: until then nothing is done on this device. */
  readonly assigned: boolean;
  readonly group: string | null;
  /** Nothing is done and nobody prompted; `until` null: until an admin ends it. */
  readonly pause: { readonly until: string | null } | null;
  /** Nothing is in force on this device before; null: the policy's dates hold. */
  readonly graceUntil: string | null;
  readonly message: Readonly<Record<string, string>> | null;
  /** Those that have not ended. */
  readonly exceptions: readonly AssignedException[];
}

const iso = (at: number): string => new Date(at).toISOString();

/** `now`: epoch ms of trusted time. */
export function assignedRecord({ assignment }: CurrentDocuments, now: number): AssignedRecord {
  if (assignment === null) {
    return {
      ...{ assigned: false, group: null, pause: null, graceUntil: null, message: null },
      exceptions: [],
    };
  }
  const pause = pauseOf(assignment, now);
  const grace = assignment.graceUntil == null ? 0 : Date.parse(assignment.graceUntil);
  return {
    assigned: true,
    group: assignment.group,
    pause: pause === null ? null : { until: pause.until === null ? null : iso(pause.until) },
    graceUntil: now < grace ? iso(grace) : null,
    message: assignment.message,
    exceptions: exceptionsOf(assignment)
      .filter(({ until }) => now < until)
      .map((one) => ({
        ...{ id: one.id, tool: one.tool, reason: one.reason, author: one.author },
        for: subjectOf(one),
        from: one.from === undefined ? null : iso(one.from),
        until: iso(one.until),
        holds: one.from === undefined || one.from <= now,
      })),
  };
}

const subjectOf = ({ person, device, hardwareId }: Exception): string =>
  person ?? device ?? hardwareId ?? '';

interface Words {
  paused(until: string | null): string;
  grace(until: string): string;
  message(text: string): string;
  exception(tool: string, until: string): string;
  coming(tool: string, from: string, until: string): string;
  why(reason: string, author: string): string;
}

const words: Readonly<Record<Language, Words>> = {
  en: {
    paused: (until) =>
      `Paused ${until === null ? 'until an administrator ends it' : `until ${until}`}: nothing is done on this device`,
    grace: (until) => `Grace until ${until}: nothing is in force on this device before`,
    message: (text) => `Message from your administrators: ${text}`,
    exception: (tool, until) => `Exception for ${tool} until ${until}`,
    coming: (tool, from, until) => `Exception for ${tool} from ${from} until ${until}`,
    why: (reason, author) => `  reason: ${reason} (granted by ${author})`,
  },
  'zh-CN': {
    paused: (until) =>
      `已暂停${until === null ? '，直到管理员结束暂停' : `，至 ${until}`}：此设备上不会采取任何措施`,
    grace: (until) => `宽限至 ${until}：在此之前，此设备上没有任何禁令生效`,
    message: (text) => `管理员留言：${text}`,
    exception: (tool, until) => `${tool} 例外，有效至 ${until}`,
    coming: (tool, from, until) => `${tool} 例外，自 ${from} 起，至 ${until}`,
    why: (reason, author) => `  原因：${reason}（批准人：${author}）`,
  },
};

export interface AssignedReader {
  readonly language: Language;
  /** IANA zone in which instants are shown. */
  readonly zone: string;
  readonly catalogue: Catalogue;
}

/** The lines for people; none when nothing is to be said. */
export function assignedLines(
  { pause, graceUntil, message, exceptions }: AssignedRecord,
  { language, zone, catalogue }: AssignedReader,
): readonly string[] {
  const say = words[language];
  const when = (at: string): string => instantText(Date.parse(at), [zone], language);
  const nameOf = (id: string): string => catalogue.tool(id)?.name ?? printable(id);
  const text = message === null ? null : textIn(message, language);
  return [
    ...(pause === null ? [] : [say.paused(pause.until === null ? null : when(pause.until))]),
    ...(graceUntil === null ? [] : [say.grace(when(graceUntil))]),
    // Line breaks are the author's, and part of what is theirs.
    ...(text === null ? [] : [say.message(text.split('\n').map(printable).join('\n  '))]),
    ...exceptions.flatMap(({ tool, from, until, holds, reason, author }) => [
      holds || from === null
        ? say.exception(nameOf(tool), when(until))
        : say.coming(nameOf(tool), when(from), when(until)),
      say.why(printable(reason), printable(author)),
    ]),
  ];
}
