/**
 * The readers of settings in text: TOML, YAML, JSON with comments, npmrc, menu entries. What was written comes back; anything else is answered and never with an error, in a time
 * that its length explains.
 */
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { commandOf, readEntry } from '../../agent/detect/applications-entry.js';
import { readNpmrc } from '../../agent/detect/npmrc.js';
import { readToml } from '../../agent/detect/toml.js';
import { homesWorld } from '../../agent/detect/world.js';
import { readYaml } from '../../agent/detect/yaml.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { runs } from '../runs.js';
import { anyBytes, anyText, foreignFile, mangledText, pieces } from './mangled.js';

describe('TOML', () => {
  const sample =
    'model = "x" # why\n[mcp_servers.docs]\ncommand = "npx"\nargs = ["-y", \'@a/b\']\n' +
    'env = { KEY = "v", "a.b" = """\nlong""" }\n[[profiles]]\nname = "one"\n[[profiles]]\nx.y = 1979-05-27\n';
  const marks = [
    'a',
    '.',
    '=',
    '"',
    "'",
    '"""',
    "'''",
    '[',
    ']',
    '[[',
    ']]',
    '{',
    '}',
    ',',
    '\\',
    '#',
    '\n',
    ' ',
    '1',
  ];

  test('is read or refused, whatever stands there', () => {
    const text = fc.oneof(anyText, mangledText(sample), pieces(marks));
    fc.assert(
      fc.property(text, (written) => {
        const read = readToml(written);
        if (read !== null) expect(() => JSON.stringify(read)).not.toThrow();
      }),
      runs(200),
    );
  });

  test('of a hundred thousand tables in one list is read at once', () => {
    const list = readToml('[[a]]\n'.repeat(100_000))?.['a'];
    expect(Array.isArray(list) ? list.length : null).toBe(100_000);
  });

  test('that nests deeper than anybody writes is refused', () => {
    expect(readToml(`${'a.'.repeat(100_000)}a = 1`)).toBeNull();
    expect(readToml(`a = ${'['.repeat(100_000)}`)).toBeNull();
    expect(readToml(`[${'a.'.repeat(20)}a]\nb = "c"`)).not.toBeNull();
  });
});

describe('YAML and JSON', () => {
  const json = fc.jsonValue({ maxDepth: 4 });
  const file = foreignFile('settings.json');
  afterAll(() => file.remove());

  test('give what was written, also with comments and commas in JSON', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = JSON.stringify(value, null, 2);
        expect(readYaml(text)).toEqual(JSON.parse(text));
        const commented = `// first\n${text.replace(/\n( *)([\]}])/g, ',\n$1/* end */$2').replace(/([[{]),\n/g, '$1\n')}\n/* last */`;
        const reader = file.holding(commented);
        expect(reader.json(file.path)).toEqual(JSON.parse(text));
        expect(reader.problems).toEqual([]);
      }),
      runs(40),
    );
  });

  test('are read or refused, whatever stands there', () => {
    const sample =
      '{\n  // servers\n  "mcpServers": { "a": { "command": "npx", "args": ["-y", "b",] } },\n}\n';
    const marks = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '/*',
      '*/',
      '//',
      '\n',
      'a',
      '1',
      'null',
      '- ',
      '&a ',
      '*a',
      '? ',
      '| ',
      "'",
      '#',
      '!!set ',
    ];
    const text = fc.oneof(anyText, mangledText(sample), pieces(marks));
    fc.assert(
      fc.property(text, anyBytes, (written, bytes) => {
        for (const content of [written, bytes]) {
          const reader = file.holding(content);
          const read = reader.json(file.path);
          if (read === undefined)
            expect(reader.problems.map(({ code }) => code)).toEqual(['malformed']);
        }
        try {
          readYaml(written);
        } catch (error) {
          // Its caller takes this for a file that is no YAML; anything else would be a fault of ours.
          expect(error).toBeInstanceOf(Error);
          expect(error).not.toBeInstanceOf(TypeError);
        }
      }),
      runs(70),
    );
  });
});

test('a field called __proto__ is a field of that name, and gives nothing another prototype', () => {
  const file = foreignFile('settings.json');
  try {
    const text = '{ "__proto__": { "mcpServers": { "a": 1 } }, /* why */ }';
    const read = file.holding(text).json(file.path) as Record<string, unknown>;
    expect(Object.keys(read)).toEqual(['__proto__']);
    expect(read['mcpServers']).toBeUndefined();
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
  } finally {
    file.remove();
  }
});

describe('npmrc', () => {
  const file = foreignFile('.npmrc');
  afterAll(() => file.remove());
  const world = homesWorld([path.dirname(file.path)], {
    catalogue: builtInCatalogue(),
    platform: 'linux',
  });
  const [home = null] = world.homes;
  const read = (text: string) => readNpmrc(file.path, home, world, file.holding(text));

  test('gives the folders that it names, and nothing of any other line', () => {
    const folder = fc.stringMatching(/^(\/[a-z][a-z0-9 ._-]{0,8}[a-z0-9]){1,3}$/);
    const other = fc.constantFrom(
      '//r/:_authToken=CANARY',
      'registry=https://CANARY/',
      '; prefix=/no',
      '# prefix=/no',
      'prefixes=/no',
      '',
    );
    const quote = fc.constantFrom('', '"', "'");
    fc.assert(
      fc.property(folder, folder, other, quote, (prefix, cache, line, mark) => {
        const text = `${line}\n prefix = ${mark}${prefix}${mark}  \r\n${line}\ncache=${mark}${cache}${mark}\n${line}`;
        const found = read(text);
        expect(found).toEqual({
          prefix: path.posix.normalize(prefix),
          cache: path.posix.normalize(cache),
          globalconfig: null,
        });
        expect(JSON.stringify(found)).not.toContain('CANARY');
      }),
      runs(60),
    );
  });

  test('of any text names absolute folders or none', () => {
    const text = fc.oneof(
      anyText,
      mangledText('prefix=${HOME}/x\ncache=~/.npm\n'),
      pieces(['prefix', '=', '/', '~', '${HOME}', '$', '"', ' ', '\n', 'a', '%A%']),
    );
    fc.assert(
      fc.property(text, (written) => {
        for (const folder of Object.values(read(written))) {
          if (folder !== null) expect(path.posix.isAbsolute(folder)).toBe(true);
        }
      }),
      runs(60),
    );
  });

  test('with a line of blanks as long as the file may be is read at once', () => {
    expect(read(`prefix=/a${' '.repeat(250_000)}b\n`).prefix).toContain('/a');
    expect(read(`prefix=${' '.repeat(250_000)}\n`).prefix).toBeNull();
  });
});

describe('a menu entry', () => {
  const key = fc.stringMatching(/^[A-Z][A-Za-z0-9-]{0,8}(\[de\])?$/);
  test('gives the keys of its main group', () => {
    const line = fc.stringMatching(/^[!-~\u{e9}]([ -~\u{e9}]{0,16}[!-~\u{e9}])?$/u);
    fc.assert(
      fc.property(fc.dictionary(key, line, { maxKeys: 5 }), (pairs) => {
        const lines = Object.entries(pairs).map(([name, value]) => `${name}=${value}`);
        const text = `# by hand\n[Desktop Entry]\n${lines.join('\n')}\n\n[Desktop Action new]\nExec=no\n`;
        expect(readEntry(text)).toEqual(new Map(Object.entries(pairs)));
      }),
      runs(100),
    );
  });

  test('starts the program that was quoted in it', () => {
    const program = fc.stringMatching(/^\/[a-zA-Z][a-zA-Z0-9 ().$"`\\-]{0,16}[a-zA-Z]$/);
    fc.assert(
      fc.property(program, (name) => {
        // Within quotes these four are escaped, and a string value doubles each backslash.
        const quoted = name.replace(/["`$\\]/g, '\\$&').replaceAll('\\', '\\\\');
        expect(commandOf(`"${quoted}" --flag %U`)).toBe(name);
        expect(commandOf(`env A=1 "${quoted}"`)).toBe(name);
      }),
      runs(40),
    );
  });

  test('of any text is answered', () => {
    const marks = [
      '[Desktop Entry]\n',
      'Exec=',
      'env ',
      'A=1 ',
      '"',
      '\\',
      '%U',
      ' ',
      '/snap/x',
      '\n',
      '[x]',
      '#',
      'a',
    ];
    fc.assert(
      fc.property(fc.oneof(anyText, pieces(marks)), (text) => {
        const exec = readEntry(text)?.get('Exec') ?? text;
        const command = commandOf(exec);
        if (command !== null) expect(command).not.toMatch(/^$|\0/);
      }),
      runs(300),
    );
  });
});
