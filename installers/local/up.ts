/**
 * `npm run up`: Curfew on one machine, for trying and developing. Makes a data folder, starts the
 * server, publishes the example policy, enrols this machine, and shows what the agent found. Server
 * and agent are processes of their own, as in production. It never acts: MaxAction is notify.
 */
import { accessSync, constants, mkdirSync, readFileSync, writeFileSync, existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { parseDocument } from 'yaml';
import { checkDate, resolveDate } from '../../policies/dates.js';
import {
  curfew,
  curfewServer,
  parseRecord,
  runCommand,
  startChild,
  type Child,
} from './children.js';

const top = path.resolve(import.meta.dirname, '..', '..');
const example = path.join(top, 'policies', 'examples', 'claude-code-to-qoder.yaml');
const defaultPort = 7410;
const startMs = 30_000;

const help = `npm run up -- [options]

  Runs Curfew's server and agent on this machine and shows what it finds. Nothing is blocked or removed.

  --once             end after the first report; exit code 1: a violation, 3: not all could be read
  --effective DATE   publish the example policy with another date (2027-01-31, or an instant)
  --demo             add a made-up home as a second device
  --port N           the console's port (default ${defaultPort}; 0: any free one)

  CURFEW_HOME=DIR    where the data lies (default .curfew)
  Example: npm run up -- --demo --effective 2027-01-31
`;

/** A sentence for a person, with what to do; printed without a stack trace. */
class Stop extends Error {
  readonly hint: string;
  readonly code: number;
  constructor(sentence: string, hint: string, code = 2) {
    super(sentence);
    this.hint = hint;
    this.code = code;
  }
}

interface Options {
  readonly isOnce: boolean;
  readonly isDemo: boolean;
  readonly effective: string | null;
  readonly port: number;
  readonly folder: string;
}

function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}

function parseOptions(argv: readonly string[]): Options | null {
  const { values } = readArgs(argv);
  if (values.help === true) return null;
  const port = values.port === undefined ? defaultPort : Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Stop(
      `"${values.port}" is no port.`,
      'Give a number from 0 (any free one) to 65535, for example --port 7411.',
    );
  }
  const effective = values.effective ?? null;
  const checked = effective === null ? null : checkDate(effective);
  if (checked?.kind === 'invalid') {
    throw new Stop(
      `--effective "${effective}": ${checked.message}.`,
      'Give a day like 2027-01-31, or an instant like 2027-01-31T09:00:00+08:00.',
    );
  }
  return {
    isOnce: values.once === true,
    isDemo: values.demo === true,
    effective,
    port,
    folder: path.resolve(process.env['CURFEW_HOME'] ?? path.join(top, '.curfew')),
  };
}

function readArgs(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        once: { type: 'boolean' },
        demo: { type: 'boolean' },
        effective: { type: 'string' },
        port: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new Stop(
      error instanceof Error ? error.message : String(error),
      'See: npm run up -- --help',
    );
  }
}

function makeFolder(folder: string): void {
  try {
    // Asked of the nearest folder there is: making folders below one that takes none can hang.
    let place = folder;
    while (!existsSync(place) && path.dirname(place) !== place) place = path.dirname(place);
    accessSync(place, constants.W_OK | constants.X_OK);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    throw new Stop(
      `The data folder ${folder} cannot be written.`,
      'Give this account the right to write there, or choose another: CURFEW_HOME=/some/folder npm run up',
    );
  }
}

/** What is read of the example to give it another date. */
interface ExamplePolicy {
  readonly timezone: string;
  readonly rules: readonly { readonly decision: string; readonly announce?: string }[];
}

/** The example policy, with the date asked for; written beside the data so that it can be read again. */
function writePolicy(options: Options): string {
  const document = parseDocument(readFileSync(example, 'utf8'));
  const { effective } = options;
  if (effective !== null) {
    const { timezone, rules } = document.toJS() as ExamplePolicy;
    const instant = (date: string): number => resolveDate(date, timezone, 'UTC');
    rules.forEach(({ decision, announce }, index) => {
      if (decision !== 'deny') return;
      document.setIn(['rules', index, 'effective'], effective);
      if (announce !== undefined && instant(announce) > instant(effective)) {
        document.setIn(['rules', index, 'announce'], effective);
      }
    });
  }
  const file = path.join(options.folder, 'policy.yaml');
  writeFileSync(file, document.toString());
  return file;
}

/** Resolves when the child prints a record that `accepts` takes; fails when it ends or takes too long. */
function firstRecord(
  child: Child,
  accepts: (record: Readonly<Record<string, unknown>>) => boolean,
): Promise<Readonly<Record<string, unknown>>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () =>
        reject(
          new Stop(
            `The ${child.name} did not come up in ${startMs / 1000} s.`,
            child.lastWords(),
            1,
          ),
        ),
      startMs,
    );
    child.onRecord((record) => {
      if (!accepts(record)) return;
      clearTimeout(timer);
      resolve(record);
    });
    void child.ended.then((code) => {
      clearTimeout(timer);
      reject(
        new Stop(
          `The ${child.name} ended with code ${code}.`,
          child.lastWords(),
          code === 0 ? 1 : code,
        ),
      );
    });
  });
}

/** What the server's commands are told by environment: where its data lies and where it listens. */
function serverSettings({ folder, port }: Options): Readonly<Record<string, string>> {
  return {
    CURFEW_SERVER_DATA: path.join(folder, 'server'),
    CURFEW_SERVER_PORT: String(port),
    CURFEW_SERVER_HOST: '127.0.0.1',
  };
}

/** Runs a curfew-server command on our data; its own words are the error when it fails. */
async function server(options: Options, ...args: string[]): Promise<string> {
  const answer = await runCommand([curfewServer, ...args], serverSettings(options));
  if (answer.code !== 0) {
    throw new Stop(
      `curfew-server ${args.slice(0, 2).join(' ')} failed.`,
      answer.stderr.trim(),
      answer.code,
    );
  }
  return answer.stdout.trim();
}

async function startServer(options: Options): Promise<{ child: Child; url: string }> {
  const child = startChild('server', [curfewServer, 'serve'], serverSettings(options));
  const ready = await firstRecord(child, (record) => record['event'] === 'listening');
  return { child, url: String(ready['url']) };
}

interface DeviceOptions {
  readonly options: Options;
  readonly url: string;
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  readonly label: string | null;
}

interface Device {
  readonly child: Child;
  /** Settles once its first judged scan stands, or it has ended. */
  readonly state: Promise<unknown>;
  /** The settings it runs with, as environment. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Enrols once; later starts find the identity in the data folder. */
async function startDevice({ options, url, name, env, label }: DeviceOptions): Promise<Device> {
  const folder = path.join(options.folder, name);
  const settings = {
    CURFEW_DATA_FOLDER: folder,
    CURFEW_SERVER_URL: url,
    CURFEW_MAX_ACTION: 'notify',
    ...(label === null ? {} : { CURFEW_DEVICE_LABEL: label }),
    ...env,
  };
  if (!existsSync(path.join(folder, 'identity.json'))) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const token = await server(options, 'token', 'create', '--uses', '1');
    const args = [curfew, 'enroll', '--server', url, '--token-env', 'CURFEW_UP_TOKEN'];
    const answer = await runCommand(label === null ? args : [...args, '--label', label], {
      ...settings,
      CURFEW_UP_TOKEN: token,
    });
    if (answer.code !== 0)
      throw new Stop(`The ${name} could not enrol.`, answer.stderr.trim(), answer.code);
  }
  const args = [curfew, 'run', '--table', ...(options.isOnce ? ['--once'] : [])];
  const child = startChild(name, args, settings, (line) => onAgentLog(name, line));
  const state = options.isOnce
    ? child.ended
    : firstRecord(child, (record) => record['record'] === 'state');
  // Awaited after the other devices have been started; until then a failure waits too.
  state.catch(() => {});
  return { child, state, settings };
}

/** Of the agent's log a person sees what concerns a person: the prompts, and how the link stands. */
function onAgentLog(name: string, line: string): void {
  const record = parseRecord(line);
  if (record === null) return;
  const { area, event, line: words, problem } = record;
  if (area === 'prompt' && typeof words === 'string') say(`[${name}] ${words}`);
  if (area === 'link' && typeof problem === 'string') {
    say(`[${name}] link to the server: ${String(event)}: ${problem}`);
  }
}

async function makeDemoHome(folder: string): Promise<string> {
  const home = path.join(folder, 'made-up', 'ana');
  if (!existsSync(home)) {
    const answer = await runCommand([path.join(top, 'dist', 'local', 'demo-home.mjs'), home]);
    if (answer.code !== 0)
      throw new Stop('The made-up home could not be built.', answer.stderr.trim(), 1);
  }
  return home;
}

async function startDevices(options: Options, url: string, children: Child[]): Promise<Device[]> {
  const mine = await startDevice({
    options,
    url,
    name: 'agent',
    env: { CURFEW_OWN_HOME: 'true' },
    label: null,
  });
  children.push(mine.child);
  if (!options.isDemo) return [mine];
  const home = await makeDemoHome(options.folder);
  const demo = await startDevice({
    options,
    url,
    name: 'made-up',
    env: { CURFEW_HOME_ONLY: home },
    label: 'made-up home',
  });
  children.push(demo.child);
  return [mine, demo];
}

/** What the agent has in its inventory, as the table that `curfew inventory` prints. */
async function showInventory({ isDemo }: Options, { settings }: Device): Promise<void> {
  const inventory = [curfew, 'inventory', '--format', 'table'];
  const { stdout, stderr, code } = await runCommand(inventory, settings);
  if (code !== 0 && stdout === '') say(stderr.trim());
  process.stdout.write(stdout.endsWith('\n') ? stdout : `${stdout}\n`);
  if (!stdout.includes('│') && !isDemo) {
    say('To see Curfew with tools to find: npm run up -- --demo');
  }
}

async function up(options: Options, children: Child[]): Promise<number> {
  makeFolder(options.folder);
  const policy = writePolicy(options);
  await server(options, 'init');
  say('starting the server ...');
  const { child, url } = await startServer(options);
  children.push(child);
  await server(options, 'policy', 'plan', policy);
  await server(options, 'policy', 'publish', policy);
  say(`looking at ${homedir()} and PATH ...`);
  const devices = await startDevices(options, url, children);
  for (const device of devices) {
    await device.state;
    if (devices.length > 1) {
      process.stdout.write(
        `\n${device.child.name === 'agent' ? 'This machine' : 'A made-up home'}\n`,
      );
    }
    await showInventory(options, device);
  }
  if (options.isOnce) return worstCode(await Promise.all(devices.map(({ child }) => child.ended)));
  const port = Number(new URL(url).port);
  const link = await server({ ...options, port }, 'user', 'link');
  process.stdout.write(`\nConsole: ${link}\n`);
  say('Install or remove a tool and watch it there. Ctrl-C stops.');
  const first = await Promise.race(children.map(async (one) => ({ one, code: await one.ended })));
  throw new Stop(`The ${first.one.name} ended with code ${first.code}.`, first.one.lastWords(), 1);
}

/** One code for several devices: a violation before what could not be told, that before fine. */
function worstCode(codes: readonly number[]): number {
  return [2, 1, 3].find((code) => codes.includes(code)) ?? codes.find((code) => code !== 0) ?? 0;
}

async function stopAll(children: readonly Child[]): Promise<void> {
  await Promise.all([...children].reverse().map((child) => child.stop()));
}

async function main(): Promise<number> {
  const children: Child[] = [];
  let isStopping = false;
  const asked = new Promise<number>((resolve) => {
    const stop = (): void => {
      if (!isStopping) say('stopping ...');
      isStopping = true;
      resolve(0);
    };
    for (const sign of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(sign, stop);
    process.once('disconnect', stop);
    process.channel?.unref();
  });
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options === null) {
      process.stdout.write(help);
      return 0;
    }
    return await Promise.race([up(options, children), asked]);
  } catch (error) {
    if (isStopping) return 0;
    if (!(error instanceof Stop)) throw error;
    say(`curfew: ${error.message}\n  ${error.hint.split('\n').join('\n  ')}`);
    return error.code;
  } finally {
    await stopAll(children);
  }
}

process.exitCode = await main();
