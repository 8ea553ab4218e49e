/**
 * A catalogue from a server of another build: newer ones say more than this build knows, older ones
 * less. The documents are written by hand as such builds would write them.
 */
import { describe, expect, test } from 'vitest';
import { builtInCatalogue, indexCatalogue, type Catalogue } from '../../policies/catalogue.js';
import { parseReceivedCatalogue } from '../../policies/catalogue-received.js';
import { parseCatalogue } from '../../policies/catalogue-schema.js';
import { catalogueText } from '../../server/catalogue-text.js';

const tool = { id: 'helper', name: 'Helper', vendor: 'V', provider: ['any'], kind: 'coding-agent' };
const advisory = {
  id: 'HLP-1',
  title: 'A fault',
  severity: 'high',
  affects: [{ tool: 'helper', versions: '<2.0.0' }],
  sources: ['https://example.com/hlp-1'],
  confidence: 'high',
};
const document = (fields: object, over: object = {}): unknown => {
  return { format: 1, tools: [{ ...tool, ...fields }], editors: [], ...over };
};

function received(value: unknown): Catalogue {
  const parsed = parseReceivedCatalogue(value);
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
  return indexCatalogue(parsed.document, 'sum');
}

describe('C090: a catalogue of a newer build', () => {
  const newer: readonly (readonly [string, unknown])[] = [
    ['a field of the document', document({}, { skills: [{ id: 'x' }] })],
    ['a field of a tool', document({ licence: { name: 'MIT' } })],
    ['a list of identifiers', document({ identifiers: { winstore: ['9NBLGGH'] } })],
    ['a spelling of a name', document({ identifiers: { browserExtension: ['edge:helper'] } })],
    ['a kind of tool', document({ kind: 'robot' })],
    ['a platform', document({ folders: [{ os: ['plan9'], path: '/bin/helper', manager: 'rc' }] })],
    [
      'a field of a folder',
      document({
        folders: [{ os: ['linux'], path: '/opt/helper/run', manager: 'v', sealed: true }],
      }),
    ],
    [
      'a field of an editor',
      document(
        {},
        {
          editors: [
            { id: 'e', name: 'E', homeFolder: '.e', configFolder: null, isServer: false, web: 1 },
          ],
        },
      ),
    ],
    ['a field of an advisory', document({}, { advisories: [{ ...advisory, cvss: 9.8 }] })],
    ['a severity', document({}, { advisories: [{ ...advisory, severity: 'catastrophic' }] })],
    [
      'a channel',
      document(
        {},
        {
          advisories: [
            {
              ...advisory,
              affects: [{ tool: 'helper', channels: ['hologram'], versions: '<2.0.0' }],
            },
          ],
        },
      ),
    ],
    [
      'a notation of ranges',
      document(
        {},
        { advisories: [{ ...advisory, affects: [{ tool: 'helper', versions: 'since:monday' }] }] },
      ),
    ],
  ];

  test.each(newer)(
    'with %s that this build does not know is taken, and the tool found',
    (_, value) => {
      expect(received(value).tool('helper')?.name).toBe('Helper');
    },
  );

  test.each(newer)(
    'with %s that this build does not know is refused from an author',
    (_, value) => {
      expect(parseCatalogue(value).kind).toBe('invalid');
    },
  );

  test('keeps what this build knows beside what it does not', () => {
    const made = received(
      document({
        identifiers: { npm: ['helper-agent'], winstore: ['9NBLGGH'], pypi: ['helper', 'no name'] },
        folders: [{ os: ['plan9', 'linux'], path: '/opt/helper/run', manager: 'v', sealed: true }],
      }),
    );
    expect(made.match('npm', 'helper-agent')?.id).toBe('helper');
    expect(made.match('pypi', 'helper')?.id).toBe('helper');
    expect(made.tool('helper')?.identifiers).not.toHaveProperty('winstore');
    expect(made.tool('helper')?.folders).toEqual([
      { os: ['linux'], path: '/opt/helper/run', manager: 'v', bundled: false },
    ]);
  });

  test('calls a tool of an unknown kind other, so that it is still found by its rule', () => {
    const made = received(document({ kind: 'robot', identifiers: { npm: ['helper-agent'] } }));
    expect(made.match('npm', 'helper-agent')).toMatchObject({ id: 'helper', kind: 'other' });
  });

  test('widens no advisory by what it drops', () => {
    const affects = [
      { tool: 'helper', channels: ['hologram'], versions: '<2.0.0' },
      { tool: 'helper', channels: ['hologram', 'npm'], versions: '<1.5.0' },
      { tool: 'of-another-list', versions: '<1.0.0' },
    ];
    const made = received(
      document({ identifiers: { npm: ['h'] } }, { advisories: [{ ...advisory, affects }] }),
    );
    expect(made.advisories[0]?.affects).toEqual([
      { tool: 'helper', channels: ['npm'], versions: '<1.5.0' },
    ]);
  });

  test.each([2, 0, '1', null, undefined])('of format %s is refused whole', (format) => {
    expect(parseReceivedCatalogue({ ...Object(document({})), format }).kind).toBe('invalid');
  });
});

describe('what is wrong in any build', () => {
  test.each([
    ['a list that is none', document({ identifiers: { npm: 'helper' } })],
    ['a tool without an id', { format: 1, tools: [{ ...tool, id: undefined }], editors: [] }],
    ['tools that are no list', { format: 1, tools: {}, editors: [] }],
    ['a tool that is no object', { format: 1, tools: ['helper'], editors: [] }],
    ['a name with two owners', { format: 1, tools: [tool, tool], editors: [] }],
    ['a text', 'tools'],
    ['nothing', null],
  ])('is refused: %s', (_, value) => {
    expect(parseReceivedCatalogue(value).kind).toBe('invalid');
  });
});

describe('a catalogue of an older build', () => {
  test('gets the lists that it does not have yet', () => {
    const made = received({
      format: 1,
      tools: [{ ...tool, homepage: null, identifiers: { npm: ['helper-agent'], pypi: [] } }],
      editors: [],
    });
    expect(made.advisories).toEqual([]);
    expect(made.tool('helper')).toMatchObject({ folders: [], config: [], install: {} });
    expect(made.tool('helper')?.identifiers).toMatchObject({ goModule: [], codeSignature: [] });
  });
});

test('the text that our own server sends comes back as the same catalogue', () => {
  const own = builtInCatalogue();
  const back = received(JSON.parse(catalogueText(own)));
  expect(back.tools).toEqual(own.tools);
  expect(back.editors).toEqual(own.editors);
  expect(back.advisories).toEqual(own.advisories);
});
