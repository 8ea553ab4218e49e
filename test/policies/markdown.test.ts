/**
 * The Markdown subset of a policy's texts: what it reads, what it says of all else, and that nothing but
 * the subset can come out of it, whatever is put in.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainText, readMarkdown, type Block, type Inline } from '../../policies/markdown.js';
import { runs } from '../runs.js';

const text = (value: string): Inline => ({ kind: 'text', text: value });
const paragraph = (...children: Inline[]): Block => ({ kind: 'paragraph', children });
const faultsOf = (source: string) => readMarkdown(source).faults.map((one) => one.message);

describe('what it reads', () => {
  test('bold, italic, code and links, also inside one another', () => {
    const { blocks, faults } = readMarkdown(
      'Use **Qoder** _now_, run `npm ls`: [the *guide*](https://example.com/a(b)?x=1#y).',
    );
    expect(faults).toEqual([]);
    expect(blocks).toEqual([
      paragraph(
        text('Use '),
        { kind: 'strong', children: [text('Qoder')] },
        text(' '),
        { kind: 'emphasis', children: [text('now')] },
        text(', run '),
        { kind: 'code', text: 'npm ls' },
        text(': '),
        {
          kind: 'link',
          href: 'https://example.com/a(b)?x=1#y',
          children: [text('the '), { kind: 'emphasis', children: [text('guide')] }],
        },
        text('.'),
      ),
    ]);
  });

  test('paragraphs, lists with lines that go on, numbers, and blocks of code', () => {
    const { blocks, faults } = readMarkdown(
      'First\nline.\r\n\r\n- one\n- two\n  goes on\n\n1. a\n2) b\n\n```sh\nrm <x>\n\n# y\n```\nLast.',
    );
    expect(faults).toEqual([]);
    expect(blocks).toEqual([
      paragraph(text('First line.')),
      { kind: 'list', isOrdered: false, items: [[text('one')], [text('two goes on')]] },
      { kind: 'list', isOrdered: true, items: [[text('a')], [text('b')]] },
      { kind: 'code', text: 'rm <x>\n\n# y' },
      paragraph(text('Last.')),
    ]);
  });

  test.each([
    ['5 * 3 and snake_case_name', '5 * 3 and snake_case_name'],
    ['**never closed', '**never closed'],
    [String.raw`\*\*plain\*\* \<b\> \[x\](y)`, '**plain** <b> [x](y)'],
    ['``a ` b``', 'a ` b'],
    ['`never closed', '`never closed'],
    ['***both***', 'both'],
    ['**粗体**的字', '粗体的字'],
    ['a  \nb\\\nc', 'a\nb\nc'],
    ['<https://example.com/x>', 'https://example.com/x'],
    ['[ask](mailto:help@example.com)', 'ask (mailto:help@example.com)'],
    [
      '[a [b](https://example.com) c](https://example.org)',
      '[a b (https://example.com) c](https://example.org)',
    ],
  ])('%j is shown as %j', (source, shown) => {
    const { blocks, faults } = readMarkdown(source);
    expect(faults).toEqual([]);
    expect(plainText(blocks)).toBe(shown);
  });
});

describe('what is not in it is named, and stays text', () => {
  test.each([
    ['<script>alert(1)</script>', 'HTML'],
    ['a <b>bold</b> word', 'HTML'],
    ['<!-- note -->', 'HTML'],
    ['![logo](https://example.com/a.png)', 'an image'],
    ['# Reason', 'a heading'],
    ['Reason\n======', 'a rule across the page'],
    ['> said', 'a quotation'],
    ['a\n\n---\n\nb', 'a rule across the page'],
    ['| a | b |', 'a table'],
    ['- a\n  - b', 'a list within a list'],
    ['    code', 'an indented line'],
    ['~~old~~', 'struck-out text'],
    ['&nbsp;', '&nbsp; is shown as it is written'],
    ['[x][1]', 'a link by reference'],
    ['[1]: https://example.com', 'an address for links elsewhere'],
    ['[x](javascript:alert(1))', 'a link: expected a web address'],
    ['[x](JaVaScRiPt:alert`1`)', 'a link: an address must not hold'],
    ['[x](data:text/html,hello)', 'a link: expected a web address'],
    ['[x](//example.com/a)', 'a link: expected a web address'],
    ['[x](https://ana:pw@example.com)', 'a link: an address must not hold a user name'],
    ['[x](https://example.com "title")', 'without a title'],
    ['<javascript:alert(1)>', 'a link: expected a web address'],
    ['```\nno end', 'code that never ends'],
    ['a\u202eb', 'the character U+202E'],
    ['a\u0000b', 'the character U+0000'],
  ])('%j: %s', (source, message) => {
    const { blocks } = readMarkdown(source);
    expect(faultsOf(source).join('\n')).toContain(message);
    expect(JSON.stringify(blocks)).not.toContain('"link"');
  });

  test('with the place where it begins', () => {
    const source = 'One.\n\n- two\n- a <b>three</b>';
    const [first, second] = readMarkdown(source).faults;
    expect(source.slice(first?.offset)).toBe('<b>three</b>');
    expect(source.slice(second?.offset)).toBe('</b>');
  });
});

describe('whatever is put in', () => {
  const marks = fc.constantFrom(
    ...[
      '*',
      '**',
      '_',
      '`',
      '```',
      '[',
      ']',
      '](',
      '](https://example.com)',
      '](javascript:x)',
      '![',
      '<b>',
    ],
    ...[
      '<script',
      '-->',
      '\n',
      '\n\n',
      '- ',
      '1. ',
      '    ',
      '\\',
      '&lt;',
      ' ',
      'a',
      '中',
      '#',
      '>',
      '\u202e',
    ],
  );
  const source = fc.oneof(
    fc.array(marks, { maxLength: 60 }).map((all) => all.join('')),
    fc.string(),
  );
  const allowed = new Set([
    'paragraph',
    'list',
    'code',
    'text',
    'break',
    'strong',
    'emphasis',
    'link',
  ]);

  test('the tree holds nothing but the subset, and links lead to web pages and mail alone', () => {
    const visit = (node: unknown): void => {
      if (Array.isArray(node)) return node.forEach(visit);
      const { kind, href, children, items } = node as Record<string, unknown>;
      expect(allowed).toContain(kind);
      if (kind === 'link') expect(String(href)).toMatch(/^(https?:\/\/|mailto:)/i);
      visit(children ?? []);
      visit(items ?? []);
    };
    fc.assert(
      fc.property(source, (input) => visit(readMarkdown(input).blocks)),
      runs(300),
    );
  });

  test('no word is lost', () => {
    const lettersOf = (value: string): string => value.replace(/[^a中]/g, '');
    const plain = source.filter((one) => !/[&(]|```|<[a-z]/.test(one));
    fc.assert(
      fc.property(plain, (input) => {
        expect(lettersOf(plainText(readMarkdown(input).blocks))).toBe(lettersOf(input));
      }),
      runs(300),
    );
  });
});
