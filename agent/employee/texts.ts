/**
 * The words people see, in English and Simplified Chinese, and which of the two a person reads. Days
 * and dates come from the verdict; only their look is made here, always in the Gregorian calendar.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Text } from '../../policies/document.js';
import { textIn, type Language } from '../../policies/language.js';
import { plainText, readMarkdown } from '../../policies/markdown.js';
import { resolveNow } from '../detect/disk.js';
import { readSmall } from '../files.js';

export { languages, textIn, type Language } from '../../policies/language.js';

/** What a prompt says of one denied tool. */
export interface PromptFacts {
  readonly toolName: string;
  readonly isInForce: boolean;
  /** Epoch ms and the zone whose days the policy counts in. */
  readonly effective: number;
  readonly zone: string;
  readonly daysLeft: number;
  readonly replacementName: string | null;
  readonly guide: string | null;
  readonly reason: Text;
  readonly organisation: string | null;
  readonly contact: string | null;
}

export interface PromptText {
  readonly title: string;
  readonly body: string;
}

const day = (language: Language, { effective, zone }: PromptFacts): string =>
  new Intl.DateTimeFormat(language, {
    dateStyle: 'long',
    timeZone: zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
  }).format(effective);

const english = (facts: PromptFacts): PromptText => {
  const { toolName, daysLeft, replacementName, guide, contact } = facts;
  const by = facts.organisation === null ? '' : ` by ${facts.organisation}`;
  const date = day('en', facts);
  const left = daysLeft === 1 ? '1 day left' : `${daysLeft} days left`;
  return {
    title: facts.isInForce
      ? `${toolName} is no longer allowed on this device`
      : `${toolName} has to go by ${date}`,
    body: sentences([
      facts.isInForce
        ? `Its use has not been allowed${by} since ${date}.`
        : `Its use will not be allowed${by} from ${date} on: ${left}.`,
      plainIn(facts.reason, 'en'),
      replacementName === null ? null : `Use ${replacementName} instead.`,
      guide === null ? null : `How to move: ${guide}`,
      contact === null ? null : `Questions: ${contact}`,
    ]),
  };
};

const chinese = (facts: PromptFacts): PromptText => {
  const { toolName, daysLeft, replacementName, guide, contact } = facts;
  const by = facts.organisation === null ? '' : `${facts.organisation}规定，`;
  const date = day('zh-CN', facts);
  return {
    title: facts.isInForce ? `本设备已不允许使用 ${toolName}` : `${toolName} 须在 ${date}前停用`,
    body: sentences([
      facts.isInForce
        ? `${by}自 ${date}起不允许使用。`
        : `${by}自 ${date}起不允许使用，还有 ${daysLeft} 天。`,
      plainIn(facts.reason, 'zh-CN'),
      replacementName === null ? null : `请改用 ${replacementName}。`,
      guide === null ? null : `迁移方法：${guide}`,
      contact === null ? null : `咨询：${contact}`,
    ]),
  };
};

/** A notification shows the marks of Markdown as they are. */
function plainIn(text: Text, language: Language): string | null {
  const own = textIn(text, language);
  return own === null ? null : plainText(readMarkdown(own).blocks);
}

const sentences = (parts: readonly (string | null)[]): string =>
  parts.filter((part) => part !== null && part !== '').join('\n');

/** A name may be a folder's, and could otherwise add sentences of its own. */
const onOneLine = (name: string): string => name.replaceAll('\n', '�');

/** The prompt in the reader's language, without characters that could steer a terminal or a text's direction. */
export function promptText(language: Language, facts: PromptFacts): PromptText {
  const { toolName, replacementName } = facts;
  const named = {
    ...facts,
    toolName: onOneLine(toolName),
    replacementName: replacementName === null ? null : onOneLine(replacementName),
  };
  const { title, body } = language === 'zh-CN' ? chinese(named) : english(named);
  return { title: plain(title), body: plain(body) };
}

/** A prompt on one line, for the terminal; Chinese has its own full stop and no space after it. */
export function promptLine(language: Language, { title, body }: PromptText): string {
  const [stop, text] = language === 'zh-CN' ? ['。', body.replaceAll('。\n', '。')] : ['. ', body];
  return `${title}${stop}${text}`.replaceAll('\n', ' ');
}

/** Replaces control and direction characters; line feeds stay. */
export function plain(text: string): string {
  return text.replace(
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    '�',
  );
}

/** The language of a locale such as `zh_CN.UTF-8`; Chinese of any place reads Simplified here. */
export function languageOf(locale: string): Language {
  return /^zh([-_.@]|$)/i.test(locale.trim()) ? 'zh-CN' : 'en';
}

/** Where a person's locale is written, below the home: the file and the expression that finds it. */
const localeFiles: readonly (readonly [string, RegExp])[] = [
  ['.dmrc', /^\s*Language\s*=\s*(\S+)/m],
  ['.config/locale.conf', /^\s*LANG\s*=\s*"?([^"\s]+)/m],
  ['.config/plasma-localerc', /^\s*LANG\s*=\s*(\S+)/m],
];
const machineLocales: readonly (readonly [string, RegExp])[] = [
  ['/etc/default/locale', /^\s*LANG\s*=\s*"?([^"\s]+)/m],
  ['/etc/locale.conf', /^\s*LANG\s*=\s*"?([^"\s]+)/m],
];

export interface Reader {
  readonly home: string;
  /** The person's own environment when it is known, that is for the current user. */
  readonly env: Readonly<Record<string, string | undefined>> | null;
}

/** The language a person reads: own environment, own files, the machine's, English. */
export function languageFor({ home, env }: Reader): Language {
  const named = env?.['LC_ALL'] || env?.['LC_MESSAGES'] || env?.['LANG'];
  if (named !== undefined && named !== '' && !/^(C|POSIX)([.@]|$)/.test(named)) {
    return languageOf(named);
  }
  const files = [
    ...localeFiles.map(([name, form]) => [path.join(home, name), form] as const),
    ...machineLocales,
  ];
  for (const [file, form] of files) {
    const locale = form.exec(readLocaleFile(file))?.[1];
    if (locale !== undefined) return languageOf(locale);
  }
  return 'en';
}

/** A person's file may be anything; what cannot be read is as if it were not there. */
function readLocaleFile(file: string): string {
  try {
    const isThere = resolveNow(file).kind === 'real';
    return isThere && fs.lstatSync(file).isFile() ? (readSmall(file, 64 * 1024) ?? '') : '';
  } catch {
    return '';
  }
}
