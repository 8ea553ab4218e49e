/**
 * `npm run bench:plan`: what a plan costs on a fleet of a million components. Builds a store on disk as
 * ingest would fill it (`--devices`, `--each` components on each), then plans several changes of policy,
 * each in a process of its own: time with all that a plan does, the processor's share of it, components a
 * second of that, peak memory of the whole process. Exits 1 when one takes more than 5 s of one core, the
 * start of the process included; on a machine that does other things too the clock on the wall says more.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { makePlan } from '../../server/planning.js';
import type { Store } from '../../server/store/index.js';
import { openSqliteStore } from '../../server/store/sqlite.js';
import type { ReportedComponent } from '../../wire/messages.js';

const { values: flags } = parseArgs({
  options: {
    devices: { type: 'string', default: '100000' },
    each: { type: 'string', default: '10' },
    /** Of the process that measures: the store, and which policy. */
    store: { type: 'string' },
    policy: { type: 'string' },
  },
});

const targetMs = 5_000;
const now = Date.UTC(2026, 6, 5, 12);
const top = path.resolve(import.meta.dirname, '..', '..');
const example = readFileSync(path.join(top, 'policies/examples/claude-code-to-qoder.yaml'), 'utf8');

const denial = (id: number, match: string): string => `
  - id: rule-${id}
    match: ${match}
    decision: deny
    effective: 2026-08-${String(1 + (id % 28)).padStart(2, '0')}
    after: notify
    reason: { en: Because., zh-CN: 因为。 }
`;
const many = Array.from({ length: 97 }, (_, id) =>
  denial(id, `{ tool: aider, version: '>=${id}.0.0 <${id}.5.0' }`),
).join('');

/** The policies that are planned, by name. */
const policies: Readonly<Record<string, string>> = {
  'the example': example,
  'the example, device-local': example.replace('Asia/Shanghai', 'device-local'),
  '100 rules, 30 dates': `${example}${many}${denial(97, '{ tool: gemini-cli }')}`,
  'rules by owner and running': `${example}${denial(0, '{ tool: cursor, owner: u7 }')}${denial(1, '{ tool: aider, running: true }')}`,
  'a rule by path': `${example}${denial(0, "{ tool: cursor, path: '~/.nvm/**' }")}`,
};

const tools = [
  'claude-code',
  'qoder',
  'cursor',
  'github-copilot',
  'codex',
  'gemini-cli',
  'aider',
  'cline',
  'continue',
  'windsurf',
];
const zones = ['Asia/Shanghai', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata'];
const platforms = ['linux', 'darwin', 'win32'] as const;
const at = new Date(now).toISOString();

function componentOf(device: number, place: number): ReportedComponent {
  const tool = tools[place % tools.length] ?? 'qoder';
  const version = `${place % 3}.${device % 40}.${(device * 7) % 5}`;
  return {
    id: createHash('sha256').update(`${device} ${place}`).digest('hex').slice(0, 32),
    ...{ tool, channel: 'npm', manager: 'nvm', name: `@vendor/${tool}`, version },
    purl: `pkg:npm/%40vendor/${tool}@${version}`,
    path: `~/.nvm/versions/node/v22.1.${device % 9}/lib/node_modules/@vendor/${tool}`,
    owner: place < 7 ? `u${device % 1000}` : null,
    ...{ scope: 'global', state: 'installed', confidence: 'high' },
    evidence: ['package.json', 'PATH'],
    firstSeen: at,
    verdict: {
      ...{ status: 'review', policy: 'ai-coding-tools', rule: 'default', severity: null },
      ...{
        announce: null,
        effective: null,
        action: null,
        effectiveAction: null,
        replacement: null,
      },
    },
  };
}

async function fill(store: Store, devices: number, each: number): Promise<void> {
  const batch = 2_000;
  for (let from = 0; from < devices; from += batch) {
    await store.write(async (writing) => {
      for (let index = from; index < Math.min(devices, from + batch); index += 1) {
        const id = createHash('sha256').update(String(index)).digest('hex').slice(0, 32);
        const facts = {
          ...{ hostName: `host-${index}`, osName: 'x', osVersion: '1', arch: 'x64' },
          platform: platforms[index % 3] ?? 'linux',
          ...{ hardwareId: null, agentVersion: '0.1.0', zone: zones[index % 4] ?? 'UTC' },
        };
        await writing.devices.add({
          ...{ id, publicKey: id, facts, group: `group-${index % 20}`, label: null },
          ...{ enrolledAt: now, lastSeen: now, revokedAt: null, mayReplace: null },
        });
        for (let place = 0; place < each; place += 1) {
          const component = componentOf(index, place);
          const subject = component.owner === null ? 'machine' : `person:${component.owner}`;
          await writing.reports.putComponent({ device: id, subject, component });
        }
        await writing.devices.setStatus({
          ...{ device: id, standing: 'clear', freshAt: now, worst: 'review', hasReview: true },
          ...{ findings: each, bundleSequence: null },
        });
      }
    });
  }
}

interface Measured {
  readonly ms: number;
  /** Of the processor, of the whole process. */
  readonly cpuMs: number;
  readonly components: number;
  readonly instants: number;
  readonly violation: number;
  readonly peakMiB: number;
}

/** One plan from a closed store to the kept record. */
async function measure(file: string, name: string): Promise<Measured> {
  const before = performance.now();
  const store = openSqliteStore(file);
  const change = { texts: [policies[name] ?? ''], remove: [], order: [] };
  const planner = { store, catalogue: builtInCatalogue(), now };
  const answer = await makePlan(planner, { change, at: [], author: 'bench' });
  await store.close();
  const ms = performance.now() - before;
  if (answer.kind === 'invalid') throw new Error(JSON.stringify(answer.problems));
  const { components, at: judged } = answer.plan.impact;
  const { user, system } = process.cpuUsage();
  return {
    ...{ ms, cpuMs: (user + system) / 1000, components, instants: judged.length },
    violation: judged.at(-1)?.devices.planned.violation ?? 0,
    peakMiB: process.resourceUsage().maxRSS / 1024,
  };
}

function measureApart(file: string, name: string): Measured {
  const [node, script] = [process.execPath, process.argv[1] ?? ''];
  const args = [script, '--store', file, '--policy', name];
  const { status, stdout, stderr } = spawnSync(node, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Measured;
}

function row(cells: readonly string[]): string {
  const [name = '', ...rest] = cells;
  return name.padEnd(30) + rest.map((cell) => cell.padStart(12)).join('');
}

async function bench(): Promise<boolean> {
  const folder = mkdtempSync(path.join(tmpdir(), 'curfew-bench-plan-'));
  try {
    const file = path.join(folder, 'server.db');
    const store = openSqliteStore(file);
    const [devices, each] = [Number(flags.devices), Number(flags.each)];
    process.stderr.write(`filling a store with ${devices * each} components ...\n`);
    await fill(store, devices, each);
    await store.close();
    process.stdout.write(
      `${row(['', 'instants', 'seconds', 'processor', 'per second', 'peak MiB', 'violations'])}\n`,
    );
    let isWithin = true;
    for (const name of Object.keys(policies)) {
      const { ms, cpuMs, components, ...rest } = measureApart(file, name);
      const rate = Math.round(components / (cpuMs / 1000)).toLocaleString('en');
      const times = [(ms / 1000).toFixed(2), (cpuMs / 1000).toFixed(2), rate];
      const cells = [String(rest.instants), ...times, rest.peakMiB.toFixed(0)];
      process.stdout.write(`${row([name, ...cells, String(rest.violation)])}\n`);
      isWithin &&= cpuMs <= targetMs;
    }
    return isWithin;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (flags.store !== undefined) {
  process.stdout.write(JSON.stringify(await measure(flags.store, flags.policy ?? '')));
} else {
  process.exitCode = (await bench()) ? 0 : 1;
}
