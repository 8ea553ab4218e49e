/**
 * The languages in which Curfew itself speaks, and which text of a policy a reader gets. Which language
 * a person reads is found out elsewhere.
 */
import type { Text } from './document.js';

export const languages = ['en', 'zh-CN'] as const;
export type Language = (typeof languages)[number];

/** A text of the policy in the reader's language, else in English, else in any. */
export function textIn(text: Text, language: Language): string | null {
  return (
    text[language] ??
    text[language.split('-')[0] ?? ''] ??
    text['en'] ??
    Object.values(text)[0] ??
    null
  );
}
