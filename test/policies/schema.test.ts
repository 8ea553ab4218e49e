/**
 * The JSON Schema for editors, held by a validator that knows nothing of us (Ajv): it takes what the
 * parser takes, refuses what has the wrong shape, and says something of every field.
 */
import { readFileSync, readdirSync } from 'node:fs';
import Ajv from 'ajv';
import { parse } from 'yaml';
import { describe, expect, test } from 'vitest';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { parsePolicy, policyJsonSchema } from '../../policies/document.js';
import { schemaWithNames } from '../../policies/json-schema.js';

const top = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, top), 'utf8');

const plain = policyJsonSchema();
const named = schemaWithNames(builtInCatalogue());
const validators = [plain, named].map((schema) => new Ajv({ allErrors: true }).compile(schema));
const accepts = (value: unknown): boolean[] => validators.map((one) => one(value) === true);

const pages = ['docs/admin/policy.md'].map(read).join('\n');
const blocks = [...pages.matchAll(/^```yaml\n(.*?)^```$/gms)].map((block) => block[1] ?? '');
const examples = readdirSync(new URL('policies/examples/', top))
  .filter((file) => file.endsWith('.yaml') && !file.endsWith('.test.yaml'))
  .map((file) => read(`policies/examples/${file}`));

describe('an independent validator', () => {
  test('takes every example and every policy of the docs', () => {
    expect(examples.length).toBeGreaterThan(0);
    expect(blocks.length).toBeGreaterThan(4);
    for (const text of [...examples, ...blocks]) {
      const { kind } = parsePolicy(text, { catalogue: builtInCatalogue() });
      expect([text, kind, ...accepts(parse(text))]).toEqual([text, 'policy', true, true]);
    }
  });

  const full = /^const full = `(.*?)^`;$/ms.exec(read('test/policies/document.test.ts'))?.[1] ?? '';
  const wrong = parse(read('test/policies/wrong-documents.yaml')) as readonly {
    readonly title: string;
    readonly from: string;
    readonly to: string;
    readonly message: string;
  }[];
  const shapes =
    /^(unknown field|missing field|decision deny needs|expected (one of|text|a list|a mapping|at (least|most)|a number|true or false|something like|one line|the id|a name)|remove the space|"effective" is for)/;
  const ofShape = wrong.filter(({ message }) => shapes.test(message));

  test('has enough wrong documents to refuse', () => {
    expect(full).toContain('policy: ai-tools');
    expect(accepts(parse(full))).toEqual([true, true]);
    expect(ofShape.length).toBeGreaterThan(50);
  });

  test.each(ofShape)('refuses $title', ({ from, to }) => {
    const value: unknown = parse(
      full.replace(from, () => to),
      { uniqueKeys: false },
    );
    expect(accepts(value)).toEqual([false, false]);
  });
});

describe('what an editor shows', () => {
  interface Node {
    readonly description?: string;
    readonly properties?: Readonly<Record<string, Node>>;
    readonly items?: Node;
    readonly anyOf?: readonly Node[];
    readonly enum?: readonly string[];
    readonly examples?: readonly unknown[];
  }

  const fields: [string, Node][] = [];
  const visit = (node: Node, at: string): void => {
    for (const [name, field] of Object.entries(node.properties ?? {})) {
      fields.push([`${at}${name}`, field]);
      visit(field, `${at}${name}.`);
    }
    if (node.items !== undefined) visit(node.items, at);
  };
  visit(named as Node, '');

  test('every field has a sentence that says more than its name', () => {
    expect(fields.length).toBeGreaterThan(60);
    const silent = fields.filter(([name, { description = '' }]) => {
      const rest = description.toLowerCase().replaceAll(name.split('.').at(-1) ?? '', '');
      return description.length < 8 || rest.trim().length < 6;
    });
    expect(silent.map(([name]) => name)).toEqual([]);
  });

  test('names of the catalogue are offered, and others are taken too', () => {
    const field = (name: string): Node => fields.find(([one]) => one === name)?.[1] ?? {};
    expect(field('rules.match.tool').examples).toContain('claude-code');
    expect(field('rules.match.tool').anyOf?.[1]?.items?.examples).toContain('qoder');
    expect(field('rules.match.vendor').examples).toContain('Anthropic');
    expect(field('rules.match.provider').examples).toContain('openai');
    // Of no tool in the catalogue, but one that tools can be set up for.
    expect(field('rules.match.provider').examples).toContain('deepseek');
    expect(field('rules.replacement.tool').examples).toContain('qoder');
    const rules = [{ id: 'a', match: { tool: 'of-tomorrow' }, decision: 'review' }];
    const policy = { policy: 'p', title: 'T', default: { decision: 'allow' }, rules };
    expect(accepts(policy)).toEqual([true, true]);
  });
});
