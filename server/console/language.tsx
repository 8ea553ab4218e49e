/**
 * Which language the console speaks: the viewer's choice, else the browser's first language that is
 * known here, else English. It only holds the choice; the words are in `texts-*.ts`.
 */
import { createContext, use, useEffect, useMemo, useState, type ReactNode } from 'react';
import { en, type Texts } from './texts-en.js';
import { zhCn } from './texts-zh-cn.js';

const dictionaries = { en, 'zh-CN': zhCn } as const;

/** Tag of a language the console knows, fit for `lang` and `Intl`. */
export type Language = keyof typeof dictionaries;

/** The names of the languages, each in itself. */
export const languageNames: Readonly<Record<Language, string>> = { en: 'English', 'zh-CN': '中文' };

const storageKey = 'curfew-language';

const isLanguage = (tag: string | null): tag is Language => tag !== null && tag in dictionaries;

function chosenBefore(): string | null {
  try {
    return localStorage.getItem(storageKey);
  } catch {
    return null; // Storage is switched off in this browser; the choice lasts until reload.
  }
}

/** The first known language of a browser's list; any Chinese is answered in Simplified Chinese. */
export function languageOf(browserTags: readonly string[]): Language {
  for (const tag of browserTags) {
    const primary = tag.toLowerCase().split('-')[0];
    if (primary === 'zh') return 'zh-CN';
    if (primary === 'en') return 'en';
  }
  return 'en';
}

interface Spoken {
  readonly language: Language;
  readonly texts: Texts;
  readonly choose: (language: Language) => void;
}

const SpokenContext = createContext<Spoken>({ language: 'en', texts: en, choose: () => {} });

/** Gives everything below it the chosen language, and the page its `lang`. */
export function LanguageProvider({ children }: { readonly children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(() => {
    const before = chosenBefore();
    return isLanguage(before) ? before : languageOf(navigator.languages);
  });
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const spoken = useMemo<Spoken>(
    () => ({
      language,
      texts: dictionaries[language],
      choose: (chosen) => {
        setLanguage(chosen);
        try {
          localStorage.setItem(storageKey, chosen);
        } catch {
          // As above: without storage the choice lasts until reload.
        }
      },
    }),
    [language],
  );
  return <SpokenContext value={spoken}>{children}</SpokenContext>;
}

/** The language in use and the way to change it. */
export const useLanguage = () => use(SpokenContext);

/** The words of the language in use. */
export const useTexts = () => use(SpokenContext).texts;
