/**
 * What every compile target has to hold, whatever its format: the same bytes every time, files that its
 * readers take, nothing stopped that the policy does not deny, everything denied either stopped or told
 * of as out of reach, and no text of a policy that becomes markup.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import {
  builtInCatalogue,
  identifierKinds,
  indexCatalogue,
  type Catalogue,
  type Tool,
} from '../../policies/catalogue.js';
import { targets, type Compiled, type Target } from '../../policies/compile/index.js';
import { parsePolicy, type Policy } from '../../policies/document.js';
import { hostileTexts, readPlist, readXml, schemaFaults } from '../policies/compile/reading.js';
import { registryOf } from '../policies/compile/readers.js';
import { enforcers, type Enforcement } from './enforcers.js';

const catalogue = builtInCatalogue();
const inForce = '2026-08-01T00:00:00Z';

function policyOf(rules: readonly object[], byDefault: object = { decision: 'review' }): Policy {
  const document = { policy: 'p', title: 'P', timezone: 'utc', default: byDefault, rules };
  // JSON is YAML.
  const parsed = parsePolicy(JSON.stringify(document, null, 1));
  if (parsed.kind === 'policy') return parsed.policy;
  throw new Error(JSON.stringify(parsed.problems));
}

const denial = {
  decision: 'deny',
  effective: '2026-07-10',
  after: 'block',
  reason: { en: 'No.' },
};
const deny = (match: object, more: object = {}): object => ({
  id: 'deny',
  match,
  ...denial,
  ...more,
});
const approve = (match: object): object => ({ id: 'approve', match, decision: 'approve' });
const denyAll = { decision: 'deny', effective: '2026-07-10', after: 'block' };

function compile(
  target: Target,
  policy: Policy,
  options: { at?: string; catalogue?: Catalogue; isAllowList?: boolean } = {},
): Compiled {
  return target.compile({
    ...{ policy, catalogue: options.catalogue ?? catalogue, zone: 'UTC' },
    at: Date.parse(options.at ?? inForce),
    isAllowList: options.isAllowList === true,
  });
}

const enforce = ({ id }: Target, { files }: Compiled): Promise<Enforcement> => {
  const enforcer = enforcers[id];
  if (enforcer === undefined) throw new Error(`nobody says what ${id} would do: see enforcers.ts`);
  return enforcer(files);
};

const schema = (name: string): string =>
  readFileSync(path.join(import.meta.dirname, 'schemas', name), 'utf8');
const schemas: Readonly<Record<string, string>> = {
  'applocker/policy.xml': schema('applocker.xsd'),
  'applocker/csp-exe.xml': schema('applocker.xsd'),
  'applocker/csp-script.xml': schema('applocker.xsd'),
  'appcontrol/policy.xml': schema('sipolicy.xsd'),
};

/** What the readers of a file say against it. */
async function faultsOf({ files }: Compiled): Promise<string[]> {
  const faults: string[] = [];
  for (const { name, text } of files) {
    try {
      if (name.endsWith('.json')) JSON.parse(text);
      else if (/\.ya?ml$/.test(name)) parseYaml(text);
      else if (name.endsWith('.mobileconfig')) {
        readPlist(text);
        await readXml(text);
      } else if (name.endsWith('.reg')) registryOf(text);
      else if (name.endsWith('.xml')) {
        await readXml(text);
        const known = schemas[name];
        const said = known === undefined ? ['no schema is known'] : await schemaFaults(text, known);
        faults.push(...said.map((one) => `${name}: ${one}`));
      }
    } catch (error) {
      faults.push(`${name}: ${String(error)}`);
    }
  }
  return faults;
}

const tools = catalogue.tools;
const half = (rest: number): Tool[] => tools.filter((_, at) => at % 2 === rest);
const ids = (some: readonly Tool[]): string[] => some.map(({ id }) => id);

/** All keys of a value in the other order; lists stay as they are. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, one]) => [key, turned(one)]),
  );
}

const vendorsOf = (some: readonly Tool[]): string[] => [
  ...new Set(some.map(({ vendor }) => vendor)),
];

/** A tool all of whose names hold the text, where the format of a name would let it. */
function hostileTool(text: string, id: string): Tool {
  const [first] = tools;
  if (first === undefined) throw new Error('no tools');
  const names = Object.fromEntries(identifierKinds.map((kind) => [kind, [`${kind} ${text}`]]));
  return {
    ...first,
    ...{ id, name: text, vendor: text, aliases: [], formerNames: [text], config: [] },
    identifiers: names as unknown as Tool['identifiers'],
    install: { npm: text },
    uninstall: { npm: text },
    folders: [
      {
        os: ['darwin', 'linux', 'win32'],
        path: `~/x ${text}/{version}/run`,
        manager: 'n',
        bundled: false,
      },
      { os: ['darwin', 'linux'], path: `/opt/x ${text}/*/run`, manager: 'n', bundled: false },
      { os: ['win32'], path: `C:/Program Files/x ${text}/run.exe`, manager: 'n', bundled: false },
    ],
  };
}

const hostileLines = hostileTexts.map((text) => text.replace(/\s+/g, ' '));
const hostileCatalogue = indexCatalogue(
  {
    format: 1,
    tools: hostileLines.map((line, at) => hostileTool(line, `hostile-${at}`)),
    editors: [...catalogue.editors],
    advisories: [],
  },
  'x',
);

/** The same tools from files in another order, keys turned. */
const turnedCatalogue = indexCatalogue(
  {
    format: 1,
    tools: [...tools].reverse().map((tool) => turned(tool) as Tool),
    editors: [...catalogue.editors],
    advisories: catalogue.advisories,
  },
  catalogue.sha256,
);

const keptPaths = [
  ...['/**', '/usr/**', '/bin/sh', '/usr/bin/*', '/', '/usr/lib/systemd/systemd', '~/**'],
  ...['/System/**', '/usr/bin/env', '/Library/Application Support/Curfew/bin/curfew'],
  ...['C:/**', 'C:/Windows/System32/cmd.exe', 'C:/Program Files/**', 'C:\\Windows\\explorer.exe'],
  ...['/opt/curfew/bin/curfew', '/usr/local/jamf/bin/jamf', '/opt/orbit/bin/orbit/orbit'],
];

const vendors = vendorsOf(tools);
const conditions: readonly (readonly [string, object])[] = [
  ['its gateway', { gateway: 'third-party' }],
  ['its owner', { owner: 'ben' }],
  ['its path', { path: '/opt/**' }],
  ['whether it runs', { running: true }],
  ['a scope', { scope: 'project' }],
  ['a state', { state: 'cached' }],
];

/** Made once: what a policy denies is found once and asked by every target. */
const policies = {
  none: policyOf([]),
  all: policyOf([], denyAll),
  allByRule: policyOf([deny({ vendor: vendors })]),
  mixed: policyOf([
    approve({ tool: 'qoder' }),
    deny(
      { kind: ['coding-agent', 'ide'] },
      { reason: { en: 'No.', 'zh-CN': '不可。', de: 'Nein.' } },
    ),
    deny({ package: { npm: ['left-b', 'left-a'], pypi: 'x' } }, { id: 'names' }),
  ]),
  halves: [0, 1].map((rest) => [
    policyOf([approve({ tool: ids(half(rest)) })], denyAll),
    policyOf([approve({ tool: ids(half(rest)) }), deny({ vendor: vendors })]),
  ]),
  undenied: ['approve', 'allow', 'review'].map((decision) =>
    policyOf([{ id: 'one', match: { vendor: vendors }, decision }]),
  ),
  conditional: conditions.map(([, condition]) => ({
    denied: policyOf([deny({ vendor: vendors, ...condition })]),
    spared: policyOf([approve({ vendor: vendors, ...condition }), deny({ vendor: vendors })]),
  })),
  mild: ['observe', 'notify'].map((after) => policyOf([deny({ vendor: vendors }, { after })])),
  places: policyOf(keptPaths.map((place, at) => deny({ path: place }, { id: `deny-${at}` }))),
  hostile: policyOf(
    hostileTexts.flatMap((text, at) => {
      const line = hostileLines[at] ?? '';
      const names = {
        npm: line,
        'editor-extension': line,
        executable: line,
        'browser-extension': line,
      };
      return [
        deny({ tool: `hostile-${at}` }, { id: `tool-${at}`, reason: { en: text } }),
        deny({ package: names }, { id: `names-${at}`, reason: { en: text } }),
        deny({ path: `/opt/${line}` }, { id: `place-${at}`, reason: { en: text } }),
      ];
    }),
  ),
  golden: policyOf([
    approve({ tool: ['qoder', 'qoder-cli'] }),
    deny(
      { tool: ['claude-code', 'cursor', 'ollama', 'github-copilot', 'gemini-cli', 'sider'] },
      {
        reason: { en: 'Not "approved" & <not> asked for.', 'zh-CN': '不可。' },
        replacement: { tool: 'qoder', guide: 'https://example.com/migrate?a=1&b=2' },
      },
    ),
    deny({ tool: 'codex-cli', version: '>=0.1.0 <0.9.0' }, { id: 'some-versions' }),
    deny({ package: { npm: 'left-one' } }, { id: 'a-package' }),
    deny({ path: '/opt/acme/assistant' }, { id: 'a-place' }),
  ]),
};

test('ids and file names are of one form, and no two targets share a file', () => {
  const names = targets.flatMap((target) =>
    compile(target, policies.all).files.map(({ name }) => name),
  );
  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => !/^[a-z][a-z-]*(\/[A-Za-z0-9_.-]+)+$/.test(name))).toEqual([]);
  expect(targets.filter(({ id }) => !/^[a-z]+(-[a-z]+)*$/.test(id))).toEqual([]);
  expect(new Set(targets.map(({ id }) => id)).size).toBe(targets.length);
});

describe.each(targets.map((target) => [target.id, target] as const))('%s', (_, target) => {
  let all: Compiled;
  beforeAll(() => {
    all = compile(target, policies.all);
  });

  test('gives the same bytes twice, and whatever the order of keys and tools', () => {
    expect(compile(target, policies.all)).toEqual(all);
    const once = compile(target, policies.mixed);
    expect(
      compile(target, turned(policies.mixed) as Policy, { catalogue: turnedCatalogue }),
    ).toEqual(once);
  });

  test('writes files that their readers take, for all tools and for none', async () => {
    expect(await faultsOf(all)).toEqual([]);
    expect(await faultsOf(compile(target, policies.none))).toEqual([]);
  });

  test('lets everything else go on as before, for all tools and for none', async () => {
    expect((await enforce(target, all)).faults).toEqual([]);
    expect((await enforce(target, compile(target, policies.none))).faults).toEqual([]);
  });

  test('stops or tells of every denied tool of the catalogue', async () => {
    const { stops } = await enforce(target, all);
    const told = new Set(all.notExpressible.map(({ tool }) => tool));
    expect(ids(tools.filter((tool) => !stops(tool) && !told.has(tool.id)))).toEqual([]);
  });

  test.each([0, 1])('never stops what an earlier rule approves (half %i)', async (rest) => {
    const approved = half(rest);
    const denied = half(1 - rest);
    for (const policy of policies.halves[rest] ?? []) {
      const result = compile(target, policy);
      const { stops, faults } = await enforce(target, result);
      expect([ids(approved.filter(stops)), faults]).toEqual([[], []]);
      const told = new Set(result.notExpressible.map(({ tool }) => tool));
      expect(ids(denied.filter((tool) => !stops(tool) && !told.has(tool.id)))).toEqual([]);
    }
  });

  test('stops nothing before the date, and says when to come back', async () => {
    const result = compile(target, policies.all, { at: '2026-07-09T23:59:59.999Z' });
    const { stops } = await enforce(target, result);
    expect([ids(tools.filter(stops)), result.notExpressible]).toEqual([[], []]);
    expect(result.warnings.join('\n')).toContain('2026-07-10T00:00:00.000Z');
    expect(result.files).toEqual(compile(target, policies.none).files);
  });

  test('stops nothing by a rule that approves, allows or has it looked at', async () => {
    for (const policy of policies.undenied) {
      const { stops } = await enforce(target, compile(target, policy));
      expect(ids(tools.filter(stops))).toEqual([]);
    }
  });

  test.each(conditions.map(([what], at) => [what, at] as const))(
    'never stops a tool for %s alone, and tells of the rule',
    async (what, at) => {
      const policy = policies.conditional[at];
      if (policy === undefined) throw new Error(what);
      const denied = compile(target, policy.denied);
      const spared = compile(target, policy.spared);
      // Fleet stops nothing: its queries may ask for more than one thing.
      if (target.id !== 'fleet') {
        expect(ids(tools.filter((await enforce(target, denied)).stops))).toEqual([]);
        // Only what has copies in projects or caches can be spared there.
        const isSpared = what !== 'a scope' && what !== 'a state';
        const stopped = tools.filter((await enforce(target, spared)).stops);
        if (isSpared) expect(ids(stopped)).toEqual([]);
      }
      expect(denied.notExpressible.length).toBeGreaterThan(0);
      expect(spared.notExpressible.length).toBeGreaterThan(0);
    },
  );

  test('never stops the system, an MDM agent or Curfew by a path', async () => {
    const result = compile(target, policies.places);
    expect((await enforce(target, result)).faults).toEqual([]);
    const told = new Set(result.notExpressible.map(({ rule }) => rule));
    // A whole path that means nothing on the product's system may be written: it stops nothing there.
    const wide = keptPaths.filter((one) => /[*]|^\/$/.test(one));
    expect(wide.filter((one) => !told.has(`deny-${keptPaths.indexOf(one)}`))).toEqual([]);
  });

  test('never makes a block of a denial that asks for words only', async () => {
    for (const policy of policies.mild) {
      const result = compile(target, policy);
      // Fleet reports, which is all that such a denial asks for.
      if (target.id === 'fleet') continue;
      const { stops } = await enforce(target, result);
      expect(ids(tools.filter(stops))).toEqual([]);
      expect(result.notExpressible.map(({ rule }) => rule)).toContain('deny');
    }
  });

  test('takes hostile texts and names for texts and names', async () => {
    const result = compile(target, policies.hostile, { catalogue: hostileCatalogue });
    expect(await faultsOf(result)).toEqual([]);
    const { faults } = await enforce(target, result);
    expect(faults.filter((fault) => !fault.includes('star'))).toEqual([]);
    expect(result.notExpressible.every(({ reason }) => reason !== '')).toBe(true);
  });

  test('says the same as the committed example', async () => {
    for (const { name, text } of compile(target, policies.golden).files) {
      // No home of an administrator may stand in the tree, and Fleet's queries look into that one too.
      const kept = text.replaceAll('/root/', '/(root)/');
      await expect(kept).toMatchFileSnapshot(path.join('golden', 'targets', name));
    }
  });
});
