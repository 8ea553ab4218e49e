/**
 * The nastiest inputs that the parsers of policy, catalogue and bundle may meet, as large as they are read
 * at all and larger: nesting, breadth, aliases, long names, patterns that make a careless one try
 * everything. Each is named by what it is.
 */
import { builtInCatalogue } from '../../policies/catalogue.js';

const mebibyte = 1024 * 1024;
/** Just under what a policy may have. */
const full = 250 * 1024;

const filled = (piece: string, size: number): string =>
  piece.repeat(Math.max(1, Math.floor(size / Buffer.byteLength(piece))));
const times = (count: number, make: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => make(at)).join('');
/** As many lines as fit, or as a policy may have rules. */
function lines(size: number, make: (at: number) => string, most = Infinity): string {
  const made: string[] = [];
  for (let at = 0, length = 0; length < size && at < most; at += 1) {
    const line = make(at);
    length += Buffer.byteLength(line);
    if (length < size) made.push(line);
  }
  return made.join('');
}

const ruleLines = (make: (at: number) => string): string => lines(full - 200, make, 990);

const head = (decision = 'allow'): string =>
  `policy: p\ntitle: T\ntimezone: utc\ndefault: { decision: ${decision}${decision === 'deny' ? ', effective: 2027-01-01, after: block, reason: { en: x }' : ''} }\nrules:\n`;
const rule = (at: number, match: string, rest = 'decision: review'): string =>
  `  - { id: r${at}, match: { ${match} }, ${rest} }\n`;
const denial = 'decision: deny, effective: 2027-01-01, after: block, reason: { en: x }';
const one = (match: string): string => head() + rule(0, match);
const reason = (text: string): string =>
  head() + rule(0, 'tool: cline', denial.replace('en: x', `en: ${JSON.stringify(text)}`));

/** Marks and words of YAML, each for a whole document. */
const pieces = [
  ...[
    '[',
    '{',
    '[[',
    '{a: ',
    '- ',
    '? ',
    ': ',
    '- - ',
    '&a ',
    '*a ',
    '!t ',
    '!!str ',
    '"',
    "'",
    '|\n',
    '>\n',
  ],
  ...[
    '#',
    '# x\n',
    '\n',
    '\r',
    '\t',
    ' ',
    '---\n',
    '...\n',
    '%YAML 1.2\n',
    'a: b\n',
    'a:\n ',
    '{}',
    '[],',
  ],
  ...[
    '<<: *a\n',
    '\u0000',
    '\u0085',
    '\u2028',
    '\ufeff',
    '中',
    '\ud800',
    '\\',
    '"\\u0000" ',
    '0x',
    '1e999 ',
  ],
];

const bomb = `${times(40, (at) => `a${at}: &a${at} [${at === 0 ? 'x' : times(9, () => `*a${at - 1},`)}]\n`)}`;

/** Ranges that a pattern with too many ways to match would try for ever. */
const ranges = [
  ...[
    '>=1 ',
    '1.',
    '.',
    '-',
    '=',
    '<',
    '~',
    '^',
    '||',
    '1||',
    '>= ',
    'x.',
    '*',
    ' ',
    ', ',
    '1-',
    '1+',
    '0',
    '9',
  ],
  ...['1.0-a.', 'v', '!', '1!', 'vers:npm/', '|', '%', '%41', '1.x', '>=1,'],
].flatMap((piece) => [filled(piece, 511), `${filled(piece, 500)}!`, `>=1 ${filled(piece, 490)}`]);

const patterns = [
  '*',
  '**/',
  '*a',
  '?*',
  '**',
  '*/',
  '~/',
  '/',
  '\\',
  '*/**/',
  'a*b',
  '[',
  '(',
].map((piece) => `/${filled(piece, 990)}b`);

const markdown = [
  ...[
    '[',
    ']',
    '](',
    '![',
    '*',
    '**',
    '_',
    '`',
    '``a`',
    '<',
    '<a',
    '<a ',
    '&',
    '&a',
    '\\',
    '- ',
    '- a\n',
    '1. ',
    '> ',
    '#',
  ],
  ...[
    '[](a',
    '[a](https://a.b)',
    '**a',
    '*a_',
    '~~',
    '\n\n',
    '```\n',
    '    ',
    '| ',
    '<https:',
    '(',
    '[a]((',
  ],
];

export const policyShapes: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    pieces.flatMap((piece) => [
      [`${JSON.stringify(piece)} alone`, filled(piece, full)],
      [`${JSON.stringify(piece)} in a field`, `policy: ${filled(piece, full)}`],
      [`${JSON.stringify(piece)}, a mebibyte`, filled(piece, mebibyte)],
    ]),
  ),
  'brackets closed again': `title: ${'['.repeat(60_000)}${']'.repeat(60_000)}`,
  'steps without end': times(700, (at) => `${' '.repeat(at)}a:\n`),
  'aliases of aliases': bomb,
  'one alias many times': `a: &a [${filled('x,', 1000)}]\nb: [${filled('*a,', full / 2)}]`,
  'anchors without end': lines(full, (at) => `a${at}: &x${at} y\n`),
  'one long name': `${'k'.repeat(full)}: 1`,
  'many names': lines(full, (at) => `k${at}: 1\n`),
  'many names in one line': `{${lines(full, (at) => `k${at}: 1,`)}}`,
  'many names of nothing': `{${filled('a,', full)}}`,
  'one name many times': filled('title: x\n', full),
  'one long text': `policy: p\ntitle: ${'x'.repeat(full)}`,
  'one long text in quotes': `title: "${filled('\\u00e4', full)}"`,
  'one text on many lines': `title: >\n${filled('  x\n', full)}`,
  'many rules of nothing': head() + filled('  - {}\n', full),
  'many rules': head() + ruleLines((at) => rule(at, `tool: cline, owner: a${at}`)),
  'many rules of unknown tools': head() + ruleLines((at) => rule(at, `tool: clien${at}`)),
  'many tools that are none': one(`tool: [${times(500, (at) => `claude-cod${at}, `)}]`),
  'many wrong words': head() + ruleLines((at) => rule(at, 'channel: [npn, exectable, pakage]')),
  'many unknown fields': head() + ruleLines((at) => rule(at, `tool: cline, runing${at}: true`)),
  'many denials':
    head('deny') +
    ruleLines((at) => rule(at, `owner: a${at}`, `${denial}, replacement: { tool: qoder }`)),
  'many denials of one tool by version':
    head() +
    ruleLines((at) =>
      rule(
        at,
        `kind: coding-agent, version: '>=${at}.0 <${at}.9'`,
        denial.replace('2027-01-01', `2${String(999 - (at % 1000)).padStart(3, '0')}-01-01`),
      ),
    ),
  'many states':
    head() +
    ruleLines((at) =>
      rule(
        at,
        `kind: [coding-agent, ide], state: [${['cached', 'bundled', 'disabled'][at % 3] ?? ''}], owner: a${at}`,
      ),
    ),
  'many approvals':
    head('deny') +
    ruleLines((at) =>
      rule(
        at,
        `tool: [${builtInCatalogue()
          .tools.slice(0, 30)
          .map(({ id }) => id)
          .join(', ')}], owner: a${at}`,
        'decision: approve',
      ),
    ),
  'many paths': head() + ruleLines((at) => rule(at, `path: '/opt/**/a*b?c/**/x${at}'`, denial)),
  'many addresses':
    head() +
    rule(
      0,
      'tool: cline',
      `${denial}, evidence: [${times(50, (at) => `'https://${filled('a.', 1000)}${at}.example/', `)}]`,
    ),
  'many languages':
    head() +
    rule(
      0,
      'tool: cline',
      denial.replace(
        'en: x',
        lines(
          full - 400,
          (at) => `x${(at % 900) + 100}${String.fromCharCode(97 + (at % 26))}: y, `,
        ),
      ),
    ),
  ...Object.fromEntries(
    ranges.map((range) => [
      `the range ${range.slice(0, 12)} ${range.length}`,
      one(`version: ${JSON.stringify(range)}`),
    ]),
  ),
  ...Object.fromEntries(
    patterns.map((path) => [`the path ${path.slice(0, 8)}`, one(`path: ${JSON.stringify(path)}`)]),
  ),
  ...Object.fromEntries(
    markdown.map((piece) => [`the text ${JSON.stringify(piece)}`, reason(filled(piece, 3990))]),
  ),
};

const tool = { id: 't', name: 'T', vendor: 'V', provider: ['any'], kind: 'coding-agent' };
const catalogueOf = (rest: object): string =>
  JSON.stringify({ format: 1, tools: [tool], editors: [], advisories: [], ...rest });
const list = (count: number, make: (at: number) => unknown): unknown[] =>
  Array.from({ length: count }, (_, at) => make(at));
const advisory = (versions: string, at = 0): object => ({
  ...{ id: `A-${at}`, title: 'T', severity: 'high', confidence: 'high' },
  affects: [{ tool: 't', versions }],
  sources: ['https://example.com/'],
});

/** As text of JSON, which is what arrives. */
export const catalogueShapes: Readonly<Record<string, string>> = {
  'brackets without end': '['.repeat(mebibyte),
  'brackets closed again': '['.repeat(mebibyte / 2) + ']'.repeat(mebibyte / 2),
  'objects in objects': '{"a":'.repeat(150_000) + '1' + '}'.repeat(150_000),
  'nested below a field': catalogueOf({ tools: [] }).replace(
    '"tools":[]',
    `"tools":${'['.repeat(200_000)}${']'.repeat(200_000)}`,
  ),
  'a mebibyte of text': JSON.stringify('x'.repeat(mebibyte)),
  'a mebibyte of numbers': `[${filled('1,', mebibyte)}1]`,
  'many empty tools': catalogueOf({ tools: list(100_000, () => ({})) }),
  'many tools': catalogueOf({ tools: list(9000, (at) => ({ ...tool, id: `t${at}` })) }),
  'one tool many times': catalogueOf({ tools: list(9000, () => tool) }),
  'many names of one tool': catalogueOf({
    tools: [{ ...tool, identifiers: { npm: list(50_000, (at) => `n${at}`) } }],
  }),
  'many names that are wrong': catalogueOf({
    tools: [{ ...tool, identifiers: { npm: list(50_000, (at) => `N ${at}`) } }],
  }),
  'many aliases': catalogueOf({ tools: [{ ...tool, aliases: list(50_000, (at) => `n${at}`) }] }),
  'many folders': catalogueOf({
    tools: [
      {
        ...tool,
        folders: list(9000, (at) => ({
          os: ['linux'],
          path: `~/${'*'.repeat(20)}/{version}/${at}`,
          manager: 'm',
        })),
      },
    ],
  }),
  'many unknown fields': JSON.stringify({
    format: 1,
    tools: [tool],
    editors: [],
    ...Object.fromEntries(list(60_000, (at) => [`x${at}`, 1]) as [string, number][]),
  }),
  'many unknown kinds': catalogueOf({
    tools: [
      {
        ...tool,
        identifiers: Object.fromEntries(
          list(60_000, (at) => [`x${at}`, ['a']]) as [string, string[]][],
        ),
      },
    ],
  }),
  'many advisories': catalogueOf({ advisories: list(5000, (at) => advisory('>=1 <2', at)) }),
  'many editors': catalogueOf({
    editors: list(9000, (at) => ({
      id: `e${at}`,
      name: 'E',
      homeFolder: '.e',
      configFolder: null,
      isServer: false,
    })),
  }),
  ...Object.fromEntries(
    ranges.map((range) => [
      `the range ${range.slice(0, 12)} ${range.length}`,
      catalogueOf({ advisories: [advisory(range)] }),
    ]),
  ),
};

/** Payloads of a bundle, signed for the test as they are, or a text that is none. */
export const bundlePayloads: Readonly<Record<string, string>> = {
  ...catalogueShapes,
  'many policies of nothing': JSON.stringify({
    format: 1,
    policies: list(30_000, (at) => ({ priority: at, yaml: '' })),
  }),
  'many keys': JSON.stringify({ format: 1, assignmentKeys: list(20_000, () => 'A'.repeat(43)) }),
};
export const bundleTexts: Readonly<Record<string, string>> = {
  dots: '.'.repeat(mebibyte),
  'a long header': `${filled('A', mebibyte)}.A.A`,
  'a nested header': `${Buffer.from('['.repeat(mebibyte / 2)).toString('base64url')}.e30.A`,
  'a long signature': `e30.e30.${filled('A', mebibyte)}`,
  spaces: ' '.repeat(mebibyte),
};
