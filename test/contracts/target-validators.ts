/**
 * What makes the files of a target valid, for editors, browsers, JetBrains, the npm registry, Fleet and
 * the tools' own settings: each is read as its product reads it, against the product's documented form.
 * Nothing here knows a policy; that nothing is locked out is checked on the files alone.
 */
import { isDeepStrictEqual } from 'node:util';
import semver from 'semver';
import Type from 'typebox';
import Value from 'typebox/value';
import { parse } from 'yaml';
import { readToml } from '../../agent/detect/toml.js';
import type { Compiled } from '../../policies/compile/index.js';
import { osqueryTables } from '../policies/compile/osquery-tables.js';
import { payloadOf, registryOf, textOf } from '../policies/compile/readers.js';

/** Throws with what is wrong. `isAllowList`: the admin asked for one, so everything else may be blocked. */
export type FileValidator = (result: Compiled, isAllowList: boolean) => void;

const closed = { additionalProperties: false } as const;

function check(schema: Type.TSchema, value: unknown, what: string): void {
  if (Value.Check(schema, value)) return;
  const [first] = Value.Errors(schema, value);
  throw new Error(`${what}: ${first?.instancePath ?? ''} ${first?.message ?? 'is not valid'}`);
}

const insist = (isRight: boolean, what: string): void => {
  if (!isRight) throw new Error(what);
};

const same = (one: unknown, other: unknown, what: string): void =>
  insist(isDeepStrictEqual(one, other), `${what} differs from the others`);

/** Only what is there, as each target leaves files out that it has nothing for. */
function each(result: Compiled, ending: string, use: (text: string) => void): void {
  const text = textOf(result, ending);
  if (text !== null) use(text);
}

/** The one value below the only key of a .reg file. */
function registryValue(text: string): string {
  const values = Object.values(registryOf(text)).flatMap((key) => Object.values(key));
  insist(values.length === 1, 'a .reg file has one value');
  return values[0] ?? '';
}

/** https://code.visualstudio.com/docs/enterprise/extensions */
const allowedExtensions = Type.Object(
  { '*': Type.Optional(Type.Boolean()) },
  {
    additionalProperties: Type.Union([
      Type.Boolean(),
      Type.Literal('stable'),
      Type.Array(Type.String({ pattern: '^\\d+\\.\\d+\\.\\d+(-[^@]*)?(@.+)?$' }), { minItems: 1 }),
    ]),
  },
);

const editor: FileValidator = (result, isAllowList) => {
  const settings = textOf(result, 'settings.json');
  if (settings === null) return insist(result.files.length === 0, 'no settings.json');
  const value = (JSON.parse(settings) as Record<string, unknown>)['extensions.allowed'];
  check(allowedExtensions, value, 'extensions.allowed');
  const keys = Object.keys(value as object);
  insist(isAllowList || (value as Record<string, unknown>)['*'] === true, 'the star is dropped');
  for (const key of keys.filter((one) => one !== '*')) {
    // Without a dot it is a publisher, which may be denied and is never allowed as a whole.
    const isDenied = (value as Record<string, unknown>)[key] === false;
    const form = isDenied ? /^[a-z0-9-]+(\.[a-z0-9._-]+)?$/ : /^[a-z0-9-]+\.[a-z0-9._-]+$/;
    insist(form.test(key) && key !== 'microsoft', `${key} is no whole id in lower case`);
  }
  each(result, 'policy.json', (text) => {
    const { AllowedExtensions: found } = JSON.parse(text) as { AllowedExtensions: unknown };
    same(typeof found === 'string' ? JSON.parse(found) : found, value, 'policy.json');
  });
  each(result, '.mobileconfig', () => {
    const found = payloadOf(result, '.mobileconfig')['AllowedExtensions'];
    same(JSON.parse(String(found)), value, 'the profile');
  });
  each(result, '.reg', (text) => same(JSON.parse(registryValue(text)), value, 'the .reg file'));
  each(result, 'allowed-extensions.json', (text) => same(JSON.parse(text), value, 'the value'));
};

/** https://chromeenterprise.google/policies/#ExtensionSettings */
const extensionRule = Type.Object(
  {
    installation_mode: Type.Enum(['allowed', 'blocked', 'removed']),
    blocked_install_message: Type.Optional(Type.String({ minLength: 1, maxLength: 1000 })),
  },
  closed,
);

const browser: FileValidator = (result, isAllowList) => {
  const [first] = result.files;
  if (first === undefined) return;
  const read = JSON.parse(first.text) as { policies?: unknown };
  const { ExtensionSettings: settings } = (read.policies ?? read) as { ExtensionSettings: unknown };
  check(Type.Record(Type.String(), extensionRule), settings, 'ExtensionSettings');
  const isChromium = read.policies === undefined;
  for (const [id, { installation_mode: mode }] of Object.entries(
    settings as Record<string, { installation_mode: string }>,
  )) {
    if (id === '*') insist(isAllowList, 'the star is blocked without an allow-list');
    else insist(isChromium === /^[a-p]{32}$/.test(id), `${id} is an id of another browser`);
    insist(isChromium || mode !== 'removed', 'Firefox has no mode removed');
  }
  same(payloadOf(result, '.mobileconfig')['ExtensionSettings'], settings, 'the profile');
  each(result, '.reg', (text) => same(JSON.parse(registryValue(text)), settings, 'the .reg file'));
};

const jetbrains: FileValidator = (result, isAllowList) => {
  each(result, 'disabled_plugins.txt', (text) => {
    const lines = text.split('\n');
    insist(lines.pop() === '', 'the last line has no end');
    insist(
      lines.every((line) => line !== '' && line === line.trim()),
      'an empty or padded line',
    );
  });
  each(result, 'rules.csv', (text) => {
    const rows = text.split('\r\n').filter((row) => row !== '');
    for (const row of rows) {
      const [, plugin, rule] = /^"((?:[^"]|"")+)","([^"]+)","(?:[^"]|"")*"$/.exec(row) ?? [];
      insist(plugin !== undefined, `not three fields: ${row}`);
      insist(isAllowList || plugin !== 'All plugins', 'all plugins are blocked');
      insist(/^(Rule|Allow|Block on Restart|Block \(Forced\))$/.test(rule ?? ''), `rule ${rule}`);
    }
  });
};

/** https://www.npmjs.com/package/@verdaccio/package-filter; a real Verdaccio is asked elsewhere. */
const filterRule = Type.Object(
  { package: Type.String({ minLength: 1 }), versions: Type.Optional(Type.String()) },
  closed,
);
const filterFile = Type.Object(
  {
    filters: Type.Object(
      {
        '@verdaccio/package-filter': Type.Object(
          {
            block: Type.Array(filterRule, { minItems: 1 }),
            allow: Type.Optional(Type.Array(filterRule)),
          },
          closed,
        ),
      },
      closed,
    ),
  },
  closed,
);

const registry: FileValidator = (result) => {
  each(result, 'verdaccio-filter.yaml', (text) => {
    const read: unknown = parse(text);
    check(filterFile, read, 'the filter');
    const { block, allow = [] } = Object.values(
      (read as { filters: Record<string, { block: Rule[]; allow?: Rule[] }> }).filters,
    )[0] ?? { block: [] };
    for (const { package: name, versions } of [...block, ...allow]) {
      insist(!/[*?]/.test(name) && !/^@[^/]+$/.test(name), `${name} is more than one package`);
      insist(versions === undefined || semver.validRange(versions) !== null, `range ${versions}`);
    }
  });
  each(result, 'verdaccio-packages.yaml', (text) => {
    const { packages } = parse(text) as { packages: Record<string, unknown> };
    for (const name of Object.keys(packages)) {
      insist(/^[^*?{[\]}!]+$/.test(name), `${name} is a pattern`);
    }
  });
  each(result, 'exclude-patterns.txt', (text) => {
    insist(!/^(\*|@[^/]+\/\*\*|\/)/m.test(text), 'a pattern takes a whole scope');
  });
  each(result, 'pnpm-workspace.yaml', (text) => {
    check(
      Type.Object({ overrides: Type.Record(Type.String(), Type.Literal('-')) }, closed),
      parse(text),
      'overrides',
    );
  });
};
interface Rule {
  readonly package: string;
  readonly versions?: string;
}

/** https://fleetdm.com/docs/configuration/yaml-files */
const platform = Type.Enum(['darwin', 'linux', 'windows']);
const query = Type.String({ minLength: 1 });
const line = Type.String({ minLength: 1 });
const fleetPolicy = Type.Object(
  {
    ...{ name: line, description: line, resolution: line, query, platform },
    critical: Type.Boolean(),
  },
  closed,
);
const fleetQuery = Type.Object(
  {
    ...{ name: line, description: line, query, platform },
    interval: Type.Integer({ minimum: 60 }),
    automations_enabled: Type.Boolean(),
  },
  closed,
);

const fleet: FileValidator = (result) => {
  const db = osqueryTables();
  try {
    const checkAll = (ending: string, schema: Type.TSchema): void =>
      each(result, ending, (text) => {
        const items = parse(text) as { name: string; query: string }[];
        check(Type.Array(schema, { minItems: 1 }), items, ending);
        insist(new Set(items.map(({ name }) => name)).size === items.length, 'a name is twice');
        for (const one of items) db.prepare(one.query);
      });
    checkAll('policies.yml', fleetPolicy);
    checkAll('queries.yml', fleetQuery);
    each(result, 'pack.json', (text) => {
      const { queries } = JSON.parse(text) as { queries: Record<string, { query: string }> };
      for (const one of Object.values(queries)) db.prepare(one.query);
    });
  } finally {
    db.close();
  }
};

const servers = Type.Array(
  Type.Object({ serverName: Type.String({ pattern: '^[\\w-]+$' }) }, closed),
);
const version = Type.String({ pattern: '^\\d+\\.\\d+\\.\\d+$' });
/** The keys of https://www.schemastore.org/claude-code-settings.json that are used. */
const claudeSettings = Type.Object(
  {
    allowedMcpServers: Type.Optional(servers),
    allowManagedMcpServersOnly: Type.Optional(Type.Literal(true)),
    deniedMcpServers: Type.Optional(servers),
    requiredMinimumVersion: Type.Optional(version),
    requiredMaximumVersion: Type.Optional(version),
  },
  { ...closed, minProperties: 1 },
);
const names = Type.Optional(Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }));
const mcpSettings = Type.Object(
  { mcp: Type.Object({ allowed: names, excluded: names }, { ...closed, minProperties: 1 }) },
  closed,
);

const aiTools: FileValidator = (result) => {
  each(result, 'managed-settings.json', (text) => {
    const settings = JSON.parse(text) as Record<string, string>;
    check(claudeSettings, settings, 'managed-settings.json');
    const { requiredMinimumVersion: lowest, requiredMaximumVersion: highest } = settings;
    insist(
      lowest === undefined || highest === undefined || semver.lte(lowest, highest),
      'no version is left between the limits',
    );
  });
  for (const tool of ['gemini-cli', 'qwen-code']) {
    each(result, `${tool}/settings.json`, (text) => {
      check(mcpSettings, JSON.parse(text), tool);
    });
  }
  each(result, 'requirements.toml', (text) =>
    insist(JSON.stringify(readToml(text)) === '{"mcp_servers":{}}', 'Codex is told more'),
  );
  each(result, 'vscode/policy.json', (text) => {
    check(Type.Object({ ChatMCP: Type.Literal('none') }, closed), JSON.parse(text), 'VS Code');
  });
};

/** By the target's id. */
export const fileValidators: Readonly<Record<string, FileValidator>> = {
  ...{ vscode: editor, cursor: editor, windsurf: editor },
  ...{ chrome: browser, edge: browser, firefox: browser },
  ...{ jetbrains, 'npm-registry': registry, fleet, 'ai-tools': aiTools },
};
