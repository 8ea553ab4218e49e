/**
 * The texts and addresses of a policy as people will see them: languages that one text has and another
 * lacks, signs that nobody sees, what is not in the Markdown subset, and addresses that may not lead where
 * they seem to. That addresses and tags can be read at all was checked before.
 */
import { doubtfulAddress } from './addresses.js';
import type { Policy, Text } from './document.js';
import { advice, type Advice } from './lint-checks.js';
import { denialsOf } from './lint-dates.js';
import { readMarkdown } from './markdown.js';
import type { Inline } from './markdown-inline.js';
import type { Step } from './source.js';

interface PlacedText {
  readonly text: Text;
  readonly path: readonly Step[];
}

const canonical = (tag: string): string => Intl.getCanonicalLocales(tag)[0] ?? tag;
const hidden = /[\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u;

/** What is to be said of texts and addresses. `wanted`: languages that each text must have. */
export function textAdvice(policy: Policy, wanted: readonly string[]): Advice[] {
  const texts = denialsOf(policy)
    .filter(({ denial }) => Object.keys(denial.reason).length > 0)
    .map(({ denial, path }): PlacedText => ({ text: denial.reason, path: [...path, 'reason'] }));
  return [
    ...titleAdvice(policy),
    ...languageAdvice(texts, wanted),
    ...texts.flatMap(({ text, path }) =>
      Object.entries(text).flatMap(([tag, words]) => markdownAdvice(words, [...path, tag])),
    ),
    ...addressAdvice(policy),
  ];
}

function titleAdvice({ title }: Policy): Advice[] {
  const sign = hidden.exec(title)?.[0];
  if (sign === undefined) return [];
  const code = (sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return [
    advice(
      'hidden-character',
      ['title'],
      `the character U+${code}, which nobody sees: leave it out`,
    ),
  ];
}

function languageAdvice(texts: readonly PlacedText[], wanted: readonly string[]): Advice[] {
  const asked = new Set(wanted.map(canonical));
  const used = new Set(texts.flatMap(({ text }) => Object.keys(text).map(canonical)));
  return texts.flatMap(({ text, path }): Advice[] => {
    const tags = Object.keys(text);
    const own = new Set(tags.map(canonical));
    const lacking = [...used].filter((tag) => !own.has(tag) && !asked.has(tag) && tag !== 'en');
    return [
      ...tags
        .filter((tag) => canonical(tag) !== tag)
        .map((tag) => {
          const twice = text[canonical(tag)] === undefined ? '' : ', which is there too';
          return advice(
            'language-tag',
            [...path, tag],
            `the language "${tag}" is written ${canonical(tag)}${twice}`,
          );
        }),
      ...[...asked]
        .filter((tag) => !own.has(tag))
        .map((tag) => advice('language-wanted', path, `no text in ${tag}, which was asked for`)),
      ...lacking.map((tag) =>
        advice('language-missing', path, `no text in ${tag}, which other texts of the policy have`),
      ),
      ...(own.has('en') || asked.has('en')
        ? []
        : [
            advice(
              'language-missing',
              path,
              'no text in en, which is shown where a language is missing',
            ),
          ]),
    ];
  });
}

function markdownAdvice(words: string, path: readonly Step[]): Advice[] {
  const { blocks, faults } = readMarkdown(words);
  const links = blocks.flatMap((block) =>
    block.kind === 'paragraph'
      ? linksIn(block.children)
      : block.kind === 'list'
        ? block.items.flatMap(linksIn)
        : [],
  );
  return [
    ...faults.map(({ found, offset, message }) =>
      advice('markdown', path, message, { found, offset }),
    ),
    ...links.flatMap((href) => {
      const doubt = doubtfulAddress(href);
      if (doubt === null) return [];
      return [advice('address', path, doubt, { found: href, offset: words.indexOf(href) })];
    }),
  ];
}

function linksIn(inlines: readonly Inline[]): string[] {
  return inlines.flatMap((inline) => {
    if (inline.kind === 'link') return [inline.href, ...linksIn(inline.children)];
    return 'children' in inline ? linksIn(inline.children) : [];
  });
}

function addressAdvice(policy: Policy): Advice[] {
  const addresses = denialsOf(policy).flatMap(({ denial, path }) => [
    ...denial.evidence.map((address, at) => ({ address, at: [...path, 'evidence', at] })),
    { address: denial.replacement?.guide ?? null, at: [...path, 'replacement', 'guide'] },
  ]);
  return [...addresses, { address: policy.contact, at: ['contact'] }].flatMap(({ address, at }) => {
    const doubt = address === null ? null : doubtfulAddress(address);
    return doubt === null ? [] : [advice('address', at, doubt)];
  });
}
