/**
 * The command line of `curfew explain`. Flags that say where to look belong to a scan and are read as
 * `curfew scan` reads them; they need a policy file, as the daemon's knowledge is judged by its own.
 */
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { CurfewError } from '../wire/errors.js';
import { parseScanFlags, type ScanFlags } from './scan-flags.js';

export interface ExplainFlags {
  readonly names: readonly string[];
  readonly isJson: boolean;
  /** null: the daemon's data folder. */
  readonly folder: string | null;
  /** Epoch ms; null: now. */
  readonly atMs: number | null;
  /** null: go by what the daemon knows. */
  readonly scan: ScanFlags | null;
}

export const explainHelp = `Usage: curfew explain [TOOL | COMPONENT-ID | PATH | PACKAGE]... [options]

  Says why something on this machine is allowed or not: every exception and rule that was tried and
  why it did or did not match, what happens next and when, and what to do. Without a name: all of it.

  --at TIME      as of this instant (2026-07-10T00:00:00+08:00) instead of now
  --data DIR     the data folder of the agent, where it is not the usual one
  --policy FILE  scan and judge by this policy instead of what the agent knows; takes the flags
                 --home, --world, --platform, --accounts, --processes, --state, --deep and
                 --max-action of curfew scan
  --json         a JSON record for each component, and one for all

  Exit code 1: a violation; 3: something could not be read or judged; 2: wrong usage; 0: fine.
  Example: curfew explain claude-code --at 2026-07-10T00:00:00+08:00
`;

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const ofScan = {
  policy: text,
  home: { type: 'string', multiple: true },
  world: text,
  platform: text,
  accounts: text,
  processes: text,
  state: text,
  deep: flag,
  'max-action': text,
} as const;

/** The flags, or `help`. Throws a CurfewError of code USAGE. */
export async function parseExplainFlags(argv: readonly string[]): Promise<ExplainFlags | 'help'> {
  const { values, positionals } = parseWords(argv);
  if (values.help === true) return 'help';
  const { data = null, at, json, help: _, ...rest } = values;
  const isScan = Object.keys(rest).length > 0;
  if (isScan && rest.policy === undefined) {
    const [name = ''] = Object.keys(rest);
    throw usage(`--${name} says where to scan, and needs a --policy to judge by`);
  }
  if (isScan && data !== null) throw usage('--data and --policy exclude each other');
  if (data !== null && !fs.existsSync(data)) throw usage(`--data ${data} is no folder`);
  const scanArgv = [...scanWords(rest), ...(at === undefined ? [] : ['--at', at])];
  // Also without a scan: it is what reads the time.
  const scan = await parseScanFlags(scanArgv);
  if (typeof scan === 'string') return 'help';
  return {
    names: positionals,
    isJson: json === true,
    folder: data,
    atMs: at === undefined ? null : scan.atMs,
    scan: isScan ? scan : null,
  };
}

function parseWords(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...ofScan,
        at: text,
        data: text,
        json: flag,
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw usage((message.split('. ')[0] ?? message).replace(/\n[^]*/, ''));
  }
}

function scanWords(values: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    if (value === true) return [`--${name}`];
    const texts = Array.isArray(value) ? value : [value];
    return texts.flatMap((one) => [`--${name}`, String(one)]);
  });
}

const usage = (message: string): CurfewError =>
  new CurfewError('USAGE', message, { hint: '`curfew explain --help` lists every option.' });
