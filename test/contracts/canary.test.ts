/**
 * Nothing secret leaves or stays: a real daemon looks at a home full of canaries, judges it by a policy
 * that asks for all channels, and reports to a real server. Afterwards no byte of the data folders, of
 * either database, of the log or of any command's output holds the word.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enrol } from '../../agent/report/enrol.js';
import { planAndPublish } from '../server/publishing.js';
import { directNetwork, enrolToken, temporaryFolder } from '../agent/link-fixture.js';
import { facts, startServer, type Running } from '../server/fixture.js';
import { buildAgent, type BuiltAgent } from '../worlds/built-agent.js';
import { filesBelow } from '../worlds/hostile.js';
import { canariesIn, overlayCases, writeSecrets } from './secrets.js';

const policy = `policy: everything
title: Everything that is found
timezone: utc
default: { decision: review }
rules:
${['npm', 'pypi', 'mcp', 'model', 'service', 'config', 'executable', 'application', 'package']
  .map(
    (channel) =>
      `  - id: all-${channel}\n    match: { channel: ${channel}, state: [installed, running, cached, disabled, residual, bundled] }\n    decision: allow`,
  )
  .join('\n')}
`;

let agent: BuiltAgent;
let running: Running;
let home = '';
let folder = '';

beforeAll(async () => {
  agent = await buildAgent('canary');
  running = await startServer();
  const { keys, catalogue } = running.server.context;
  await planAndPublish(
    { store: running.store, keys, catalogue, now: running.clock.now },
    { yaml: policy, author: 'ana' },
  );
  home = path.join(temporaryFolder(), 'ana');
  fs.mkdirSync(home);
  writeSecrets(home);
  overlayCases(path.resolve(import.meta.dirname, '../cases'), home);
  folder = temporaryFolder();
  await enrol({
    serverUrl: running.url,
    token: await enrolToken(running),
    policyKeyThumbprint: null,
    facts: facts('laptop-1'),
    group: '',
    label: null,
    dataFolder: folder,
    network: directNetwork,
  });
});
afterAll(async () => {
  running.remove();
  agent.remove();
});

interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A command of the agent, without holding up the server that runs in this process. */
function curfew(...args: readonly string[]): Promise<Said> {
  const child = spawn(process.execPath, [agent.program, ...args], {
    env: {
      PATH: process.env['PATH'],
      CURFEW_DATA_FOLDER: folder,
      CURFEW_HOME_ONLY: home,
      CURFEW_SERVER_URL: running.url,
      CURFEW_LOG_LEVEL: 'debug',
      ANTHROPIC_API_KEY: 'CANARY-of-the-daemon',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (part: Buffer) => (said.out += part.toString('utf8')));
  child.stderr.on('data', (part: Buffer) => (said.err += part.toString('utf8')));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...said })));
}

const spoken = (said: Said): readonly string[] => canariesIn(Buffer.from(said.out + said.err));

test('the word is found where it is, plain and encoded', () => {
  const text = 'key=CANARY-1';
  for (const encoded of [text, `x${text}`, `xy${text}`, `xyz${text}`]) {
    expect(canariesIn(Buffer.from(encoded))).not.toEqual([]);
    expect(canariesIn(Buffer.from(Buffer.from(encoded).toString('base64')))).not.toEqual([]);
    expect(canariesIn(Buffer.from(encoded, 'utf16le'))).not.toEqual([]);
  }
  expect(canariesIn(Buffer.from('CAN ARY Q0FO'))).toEqual([]);
});

test('C106 a scan by hand tells names, programs, packages and hosts, and no value of anything', async () => {
  const list = path.join(folder, 'processes.json');
  const claude = { pid: 7, uid: null, account: 'ana', comm: 'claude', cwd: home };
  const exe = path.join(home, '.npm-global/lib/node_modules/@openai/codex/bin/codex.js');
  const argv = ['node', exe, 'exec', 'CANARY-prompt', '--key=CANARY-flag'];
  fs.writeFileSync(list, JSON.stringify([{ ...claude, exe: '/usr/bin/node', argv }]));
  const flags = ['--home', home, '--processes', list];
  for (const more of [
    ['--json'],
    [],
    ['--json', '--deep'],
    ['--deep', '--state', path.join(folder, 'history')],
  ]) {
    const said = await curfew('scan', ...flags, ...more);
    expect(spoken(said), more.join(' ')).toEqual([]);
    // That the secrets' own files were read shows in what stands beside them.
    for (const word of ['tickets', 'yaml', 'toml']) expect(said.out).toContain(word);
  }
  fs.rmSync(list);
});

test('a daemon that has looked, judged and reported leaves no secret anywhere', async () => {
  const once = await curfew('run', '--once', '--table');
  expect(once.err).not.toContain('did not');
  expect(spoken(once)).toEqual([]);
  for (const command of [
    ['status'],
    ['status', '--json'],
    ['inventory'],
    ['inventory', '--format', 'json'],
  ]) {
    expect(spoken(await curfew(...command)), command.join(' ')).toEqual([]);
  }
  const devices = (await (await running.get('/devices')).json()) as { devices: { id: string }[] };
  const id = devices.devices[0]?.id ?? '';
  const text = await (await running.get(`/devices/${id}`)).text();
  for (const word of ['tickets', '@example/tickets-server', 'codex-cli'])
    expect(text).toContain(word);
  await running.stop();
  const files = [...filesBelow(folder), ...filesBelow(running.folder)];
  expect(files.map((file) => path.basename(file))).toEqual(
    expect.arrayContaining(['curfew.db', 'server.db']),
  );
  for (const file of files) expect(canariesIn(fs.readFileSync(file)), file).toEqual([]);
});
