/**
 * Makes the files that are derived from others and committed: the joined catalogue, its page for
 * administrators, that of the agent's settings, the policy's JSON Schema and the server's OpenAPI
 * document. `npm run generate` writes them; `--check` writes nothing and fails when one is out of step.
 * The content depends on the sources only, never on time or machine.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse } from 'yaml';
import type { CatalogueDocument } from '../policies/catalogue.js';
import { parseCatalogue, sparseCatalogue } from '../policies/catalogue-schema.js';
import { policyJsonSchema } from '../policies/document.js';
import { casesJsonSchema } from '../policies/test-cases.js';
import { settingsPage } from './settings-page.js';
import { toolsPage } from './tools-page.js';

/** A generated file; `path` is from the top of the repository. */
export interface Generated {
  readonly path: string;
  readonly content: string;
}

/** The top of the repository, seen from the source as from the built file. */
function topFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(path.join(folder, 'package.json'))) folder = path.dirname(folder);
  return folder;
}

/** Joins the authors' files in the order of their names. Throws what is wrong, each with its field. */
export function readCatalogue(folder: string): CatalogueDocument {
  const tools: unknown[] = [];
  const editors: unknown[] = [];
  const advisories: unknown[] = [];
  const lists: Readonly<Record<string, unknown[]>> = { tools, editors, advisories };
  for (const name of readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .sort()) {
    const value: unknown = parse(readFileSync(path.join(folder, name), 'utf8'));
    if (typeof value !== 'object' || value === null) throw new Error(`${name}: is empty`);
    for (const [key, list] of Object.entries(value)) {
      const joined = lists[key];
      if (!Array.isArray(list) || joined === undefined)
        throw new Error(`${name}: ${key}: a file holds a list called tools, editors or advisories`);
      joined.push(...(list as unknown[]));
    }
  }
  const parsed = parseCatalogue({ format: 1, tools, editors, advisories });
  if (parsed.kind === 'catalogue') return parsed.document;
  const lines = parsed.problems.map(({ field, message }) => `  ${field}: ${message}`);
  throw new Error(`the catalogue is wrong:\n${lines.join('\n')}`);
}

/** One entry a line, so that a change shows as the entries it touches; what is empty is left out. */
function catalogueJson(document: CatalogueDocument): string {
  const written = sparseCatalogue(document);
  const sha256 = createHash('sha256').update(JSON.stringify(written)).digest('hex');
  const lines = (list: readonly unknown[]): string =>
    list.map((entry) => `\n${JSON.stringify(entry)}`).join(',');
  const { tools, editors, advisories = [] } = written;
  return `{"sha256":"${sha256}","document":{"format":1,"tools":[${lines(tools)}],"editors":[${lines(editors)}],"advisories":[${lines(advisories)}]}}\n`;
}

/** What makes each generated file, by its path. The server is loaded only for its own file. */
const makers: Readonly<Record<string, () => string | Promise<string>>> = {
  'policies/catalogue.json': () => catalogueJson(shippedCatalogue()),
  'policies/schema.json': () => `${JSON.stringify(policyJsonSchema(), null, 2)}\n`,
  'policies/test-cases.schema.json': () => `${JSON.stringify(casesJsonSchema(), null, 2)}\n`,
  'docs/admin/tools.md': () => toolsPage(shippedCatalogue()),
  'docs/admin/agent-settings.md': () => settingsPage(),
  'server/openapi.json': async () => (await import('../server/openapi.js')).openApiText(),
};

const shippedCatalogue = (): CatalogueDocument =>
  readCatalogue(path.join(topFolder(), 'policies', 'catalogue'));

/**
 * The generated files as they should be, all of them or those named. Throws when a source is wrong
 * or a name is not that of a generated file.
 */
export async function generated(paths = Object.keys(makers)): Promise<Generated[]> {
  return Promise.all(
    paths.map(async (file) => {
      const make = makers[file];
      if (make === undefined) throw new Error(`${file} is not a generated file`);
      return { path: file, content: await make() };
    }),
  );
}

async function main(isCheck: boolean): Promise<void> {
  const top = topFolder();
  const stale = (await generated()).filter(({ path: file, content }) => {
    const at = path.join(top, file);
    return !existsSync(at) || readFileSync(at, 'utf8') !== content;
  });
  for (const { path: file, content } of stale) {
    process.stderr.write(`${isCheck ? 'out of step' : 'written'}: ${file}\n`);
    if (!isCheck) writeFileSync(path.join(top, file), content);
  }
  if (isCheck && stale.length > 0) {
    process.stderr.write('Run npm run generate and commit the result.\n');
    process.exitCode = 1;
  }
}

const started = process.argv[1];
if (started !== undefined && import.meta.url === pathToFileURL(started).href) {
  await main(process.argv.includes('--check'));
}
