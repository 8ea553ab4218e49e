/**
 * The command line of the agent: which words there are and which file each leads to. A command is
 * loaded when it is called, so that `curfew scan` starts without what the daemon needs; nothing with
 * native parts may be imported here, because an old Node would die of it without a word.
 *
 *   scan               scan-command.ts     one scan; no server, no root
 *   run                run.ts              the daemon
 *   enroll             enroll-command.ts   make this machine a device of a server
 *   status, inventory  status-command.ts   what the daemon knows
 *   explain            explain-command.ts  why something is allowed or not
 *   version            version.ts
 */
import fs from 'node:fs';
import path from 'node:path';
import { writeTo } from './output.js';
import type { CommandIo } from './scan-command.js';

const oldestNode = 22;

interface Command {
  readonly summary: string;
  readonly example: string;
  run(argv: readonly string[], io: CommandIo): Promise<number>;
}

const commands: Readonly<Record<string, Command>> = {
  scan: {
    summary: 'look for AI tools and judge them by a policy',
    example: 'curfew scan --policy policy.yaml',
    run: async (argv, io) => (await import('./scan-command.js')).runScan(argv, io),
  },
  run: {
    summary: 'run the daemon: watch, report, and tell people what their policy says',
    example: 'curfew run --once',
    async run(argv, io) {
      (await import('./small-heap.js')).keepHeapSmall();
      return (await import('./run.js')).runAgent(argv, io);
    },
  },
  enroll: {
    summary: 'make this machine a device of a server',
    example: 'curfew enroll --server https://curfew.example.com --token-file token.txt',
    run: async (argv, io) => (await import('./enroll-command.js')).runEnroll(argv, io),
  },
  status: {
    summary: 'say what the agent on this machine knows and does',
    example: 'curfew status --json',
    run: async (argv, io) => (await import('./status-command.js')).runStatus(argv, io),
  },
  inventory: {
    summary: 'list what the agent on this machine has found',
    example: 'curfew inventory --format json',
    run: async (argv, io) => (await import('./status-command.js')).runInventory(argv, io),
  },
  explain: {
    summary: 'say why something on this machine is allowed or not, and what comes next',
    example: 'curfew explain claude-code',
    run: async (argv, io) => (await import('./explain-command.js')).runExplain(argv, io),
  },
  version: {
    summary: 'print the version',
    example: 'curfew version',
    run: async (_, io) => {
      const { agentVersion } = await import('./version.js');
      io.stdout(`${agentVersion}\n`);
      return 0;
    },
  },
};

const io: CommandIo = {
  stdout: (text) => writeTo(1, text),
  stderr: (text) => writeTo(2, text),
};

function help(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(([name, { summary, example }]) => {
    return `  ${name.padEnd(width)}  ${summary}\n  ${' '.repeat(width)}  ${example}\n`;
  });
  return `Usage: curfew COMMAND [options]\n\n${lines.join('')}`;
}

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    (name === undefined ? io.stderr : io.stdout)(help());
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command !== undefined) return command.run(rest, io);
  const { suggestion } = await import('../policies/nearest.js');
  const { printable } = await import('./scan-output.js');
  const near = suggestion(name, Object.keys(commands));
  io.stderr(`curfew: there is no command ${printable(name)}${near}\n\n${help()}`);
  return 2;
}

/** Said before anything is loaded that an old Node cannot run. */
async function refuseOldNode(): Promise<number> {
  const { CurfewError } = await import('../wire/errors.js');
  const { message, hint } = new CurfewError(
    'NODE_TOO_OLD',
    `Node ${process.versions.node} is too old; Node ${oldestNode} or newer is needed.`,
    {
      hint: 'Use the Node that lies beside this program, or a current one from https://nodejs.org.',
    },
  );
  io.stderr(`curfew: ${message}\n  ${hint}\n`);
  return 2;
}

// What was compiled when this was built; nothing is kept where the build has made no place for it.
const compiled = path.join(import.meta.dirname, 'compiled');
if (fs.existsSync(compiled)) process.getBuiltinModule('node:module').enableCompileCache?.(compiled);
const isOldNode = Number(process.versions.node.split('.')[0]) < oldestNode;
process.exitCode = isOldNode ? await refuseOldNode() : await main(process.argv.slice(2));
