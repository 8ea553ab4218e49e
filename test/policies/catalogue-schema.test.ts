/** The catalogue as authors write it: what may be left out, and what is refused with its field named. */
import { describe, expect, test } from 'vitest';
import { indexCatalogue } from '../../policies/catalogue.js';
import { parseCatalogue } from '../../policies/catalogue-schema.js';

describe('an entry as its author writes it', () => {
  const entry = { id: 'a', name: 'A', vendor: 'V', provider: ['any'], kind: 'other' };
  const parse = (...tools: unknown[]) => parseCatalogue({ format: 1, tools, editors: [] });
  const problems = (...tools: unknown[]): string[] => {
    const parsed = parse(...tools);
    return parsed.kind === 'invalid'
      ? parsed.problems.map(({ field, message }) => `${field}: ${message}`)
      : [];
  };

  test('may leave out every list', () => {
    const parsed = parse({ ...entry, identifiers: { npm: ['a-tool'] } });
    if (parsed.kind === 'invalid') throw new Error('refused');
    const made = indexCatalogue(parsed.document, 'sum');
    expect(made.match('npm', 'a-tool')?.id).toBe('a');
    expect(made.match('pypi', 'a-tool')).toBeNull();
    expect(made.tool('a')).toMatchObject({ homepage: null, aliases: [], folders: [], install: {} });
  });

  test.each([
    [{ ...entry, kind: 'toaster' }, 'tools[0].kind (a): must be one of coding-agent, ide'],
    [{ ...entry, owner: 'x' }, 'tools[0] (a): unknown field owner'],
    [{ ...entry, id: 'A b' }, 'tools[0].id (A b): is not written like such a name'],
    [
      { ...entry, identifiers: { npm: ['a b'] } },
      'tools[0].identifiers.npm[0] (a): is not written',
    ],
    [
      { ...entry, identifiers: { browserExtension: ['abcdefghijklmnopqrstuvwxyzabcdef'] } },
      'tools[0].identifiers.browserExtension[0] (a): is not written',
    ],
    [{ ...entry, identifiers: { snaps: ['a'] } }, 'tools[0].identifiers (a): unknown field snaps'],
    [
      { ...entry, folders: [{ os: ['linux'], path: 'opt\\a', manager: 'm' }] },
      'tools[0].folders[0].path (a): is not written',
    ],
  ])('is refused with the field named: %j', (tool, start) => {
    expect(
      problems(tool).some((line) => line.startsWith(start)),
      problems(tool).join('\n'),
    ).toBe(true);
  });

  test('is refused when it claims what another tool claims, in any spelling', () => {
    const other = { ...entry, id: 'b' };
    const claim = (kind: string, name: string) => ({ identifiers: { [kind]: [name] } });
    expect(
      problems({ ...entry, ...claim('pypi', 'a_tool') }, { ...other, ...claim('pypi', 'A.Tool') }),
    ).toEqual(['pypi: a-tool: is claimed by a and b; one name belongs to one tool']);
    expect(
      problems({ ...entry, ...claim('npm', 'x') }, { ...other, ...claim('npmParts', 'x') }),
    ).toHaveLength(1);
    expect(
      problems(
        { ...entry, ...claim('command', 'x') },
        { ...other, ...claim('genericCommand', 'x') },
      ),
    ).toHaveLength(1);
    expect(problems({ ...entry, aliases: ['b'] }, other)).toHaveLength(1);
    expect(
      problems({ ...entry, ...claim('npm', 'x') }, { ...other, ...claim('pypi', 'x') }),
    ).toEqual([]);
  });

  test('of a format that is not known is refused whole', () => {
    expect(parseCatalogue({ format: 2, tools: [], editors: [] }).kind).toBe('invalid');
    expect(parseCatalogue('text').kind).toBe('invalid');
    expect(parseCatalogue(null).kind).toBe('invalid');
  });
});
