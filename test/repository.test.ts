/**
 * The house rules, held by reading the tree: who may import whom, how large files and functions may
 * grow, opening comments, names that say nothing, error codes equal to their page, and nothing in the
 * repository that belongs to somebody's machine.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { errorCodes } from '../wire/errors.js';

const top = path.resolve(import.meta.dirname, '..');
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: top,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '');
const code = tracked.filter(
  (file) => /\.(ts|tsx|mjs)$/.test(file) && !file.startsWith('test/cases/'),
);
const generator = 'test/bench/make-home.mjs';
const source = code.filter((file) => !file.startsWith('test/'));

const read = (file: string): string => readFileSync(path.join(top, file), 'utf8');
const parse = (file: string): ts.SourceFile =>
  ts.createSourceFile(file, read(file), ts.ScriptTarget.ES2024, true);

/** From a folder to the folders of ours it may import; the arrows of the architecture page. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  policies: ['policies'],
  wire: ['wire', 'policies'],
  agent: ['agent', 'wire', 'policies', 'package.json'],
  server: ['server', 'wire', 'policies', 'package.json'],
  installers: ['installers', 'agent/settings', 'policies', 'server/openapi'],
};

function importsOf(file: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const specifier =
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
          ? node.arguments[0]
          : undefined;
    if (specifier !== undefined && ts.isStringLiteral(specifier)) found.push(specifier.text);
    ts.forEachChild(node, visit);
  };
  visit(parse(file));
  return found;
}

describe('imports', () => {
  test('every import of ours follows an arrow of the architecture', () => {
    const wrong = source.flatMap((file) => {
      const allowed = arrows[file.split('/')[0] ?? ''];
      if (allowed === undefined) return [];
      return importsOf(file)
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => path.posix.join(path.posix.dirname(file), specifier))
        .filter(
          (to) =>
            !allowed.some(
              (prefix) =>
                to === prefix || to.startsWith(`${prefix}/`) || to.startsWith(`${prefix}.`),
            ),
        )
        .map((to) => `${file} -> ${to}`);
    });
    expect(wrong).toEqual([]);
  });

  test('the agent reaches the outside through its network file only', () => {
    const sockets = new Set([
      'ws',
      'node:net',
      'node:tls',
      'node:http',
      'node:https',
      'node:http2',
    ]);
    const wrong = source
      .filter((file) => file.startsWith('agent/') && file !== 'agent/report/network.ts')
      .flatMap((file) =>
        importsOf(file)
          .filter((name) => sockets.has(name))
          .map((name) => `${file} -> ${name}`),
      );
    expect(wrong).toEqual([]);
  });

  test('no program is started through a shell', () => {
    const wrong = source.filter((file) => {
      if (!/\.ts$/.test(file)) return false;
      const text = read(file);
      return (
        /\bexecSync\(|[^.\w]exec\(|shell: true/.test(text) &&
        importsOf(file).includes('node:child_process')
      );
    });
    expect(wrong).toEqual([]);
  });
});

describe('size and shape', () => {
  test('no file is longer than 400 lines', () => {
    const long = code
      .filter((file) => file !== generator)
      .map((file) => [file, read(file).split('\n').length - 1] as const)
      .filter(([, lines]) => lines > 400);
    expect(long).toEqual([]);
  });

  test('no function of the product is longer than 60 lines', () => {
    const long = source.flatMap((file) => {
      const tree = parse(file);
      const found: string[] = [];
      const visit = (node: ts.Node): void => {
        if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
          const first = tree.getLineAndCharacterOfPosition(node.getStart()).line;
          const last = tree.getLineAndCharacterOfPosition(node.getEnd()).line;
          if (last - first + 1 > 60) found.push(`${file}:${first + 1} (${last - first + 1} lines)`);
        }
        ts.forEachChild(node, visit);
      };
      visit(tree);
      return found;
    });
    expect(long).toEqual([]);
  });

  test('no function takes more than four positional parameters', () => {
    const many = source.flatMap((file) => {
      const tree = parse(file);
      const found: string[] = [];
      const visit = (node: ts.Node): void => {
        if (ts.isFunctionLike(node) && node.parameters.length > 4) {
          found.push(`${file}:${tree.getLineAndCharacterOfPosition(node.getStart()).line + 1}`);
        }
        ts.forEachChild(node, visit);
      };
      visit(tree);
      return found;
    });
    expect(many).toEqual([]);
  });

  test('every file opens with a comment that says what it is for', () => {
    const silent = code.filter((file) => {
      const text = read(file).replace(/^#!.*\n/, '');
      return !(text.startsWith('/**') || text.startsWith('//'));
    });
    expect(silent).toEqual([]);
  });

  test('nothing is exported as default but what a tool demands', () => {
    const wrong = code.filter(
      (file) =>
        !/(vite|vitest|eslint)\.config\.[jt]s$/.test(file) && /^export default/m.test(read(file)),
    );
    expect(wrong).toEqual([]);
  });
});

describe('names', () => {
  const emptyFiles = /(^|\/)(common|utils?|helpers|misc|types|lib|core)(\.tsx?|\/)/;
  const emptyWords = new Set(['manager', 'util', 'utils', 'common', 'impl', 'info', 'misc']);

  test('no file or folder has a name that means "the rest"', () => {
    expect(code.filter((file) => emptyFiles.test(file))).toEqual([]);
  });

  test('no exported name is made of words that say nothing', () => {
    const wrong = source.flatMap((file) => {
      const tree = parse(file);
      return tree.statements.flatMap((statement) => {
        const isExported =
          ts.canHaveModifiers(statement) &&
          ts.getModifiers(statement)?.some((one) => one.kind === ts.SyntaxKind.ExportKeyword);
        if (isExported !== true) return [];
        const names = ts.isVariableStatement(statement)
          ? statement.declarationList.declarations.map((one) => one.name.getText())
          : 'name' in statement && statement.name !== undefined
            ? [(statement.name as ts.Identifier).getText()]
            : [];
        return names
          .filter((name) => {
            const words = name
              .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
              .toLowerCase()
              .split(/[ _]/);
            return (
              words.some((word) => emptyWords.has(word)) || /^(handle|process)[A-Z]/.test(name)
            );
          })
          .map((name) => `${file}: ${name}`);
      });
    });
    expect(wrong).toEqual([]);
  });
});

describe('records', () => {
  test('the page of error codes lists exactly the codes there are', () => {
    const page = read('docs/developer/errors.md');
    const listed = [...page.matchAll(/^\| `([A-Z_]+)` \| (\d+) \|/gm)].map((row) => [
      row[1],
      Number(row[2]),
    ]);
    expect(Object.fromEntries(listed)).toEqual(errorCodes);
    expect(listed.length).toBe(Object.keys(errorCodes).length);
  });

  test('every error code is used', () => {
    const all = source
      .filter((file) => file !== 'wire/errors.ts')
      .map(read)
      .join('\n');
    const unused = Object.keys(errorCodes).filter(
      (name) => !all.includes(`'${name}'`) && !all.includes(`"${name}"`),
    );
    expect(unused).toEqual([]);
  });

  test('every runtime dependency has its reason on the page of dependencies', () => {
    const page = read('docs/developer/dependencies.md');
    const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
    const versions = {
      ...manifest['dependencies'],
      ...manifest['devDependencies'],
      ...manifest['optionalDependencies'],
    };
    const missing = Object.entries(versions).filter(
      ([name, version]) => !page.includes(`\`${name}\` ${version}`),
    );
    expect(missing).toEqual([]);
    expect(Object.values(versions).filter((version) => !/^\d/.test(version))).toEqual([]);
  });

  test('nothing of one machine is in the tree', () => {
    const places = new RegExp(
      ['/(work|farm)/[a-z]', '/root/[.a-z]+/', 'registry\\.npmjs', 'deb\\.debian'].join('|'),
    );
    const wrong = tracked
      .filter((file) => !/\.(png|ico|woff2?)$/.test(file) && file !== 'test/repository.test.ts')
      .filter((file) => places.test(read(file)));
    expect(wrong).toEqual([]);
  });
});
