/**
 * Started by the fuzz tests as a process of its own, so that time and memory are its own: reads each shape
 * of one kind as an agent or a server would and writes a line of JSON with what that took. A shape that
 * makes a parser throw ends it.
 */
import { CompactSign, importJWK } from 'jose';
import { indexCatalogue, builtInCatalogue } from '../../policies/catalogue.js';
import { parseReceivedCatalogue } from '../../policies/catalogue-received.js';
import { parseCatalogue } from '../../policies/catalogue-schema.js';
import type { Component } from '../../policies/component.js';
import { parsePolicy, type Policy } from '../../policies/document.js';
import { evaluate } from '../../policies/evaluate.js';
import { lintPolicy } from '../../policies/lint-advice.js';
import { decodeSource } from '../../policies/source.js';
import { noFloor, verifyBundle } from '../../wire/bundle.js';
import { makeKey, thumbprint } from '../../wire/keys.js';
import { maxFrameBytes } from '../../wire/messages.js';
import { parseJson } from '../../wire/parse.js';
import { bundlePayloads, bundleTexts, catalogueShapes, policyShapes } from './shapes.js';

const catalogue = builtInCatalogue();

/** What a device may hold against a policy's patterns: long, and nearly what they ask for. */
const finds: readonly Component[] = ['1.'.repeat(200), '1.0.0-a.b.c', '9'.repeat(400), ''].map(
  (version, at) => ({
    ...{
      id: `f${at}`,
      tool: 'cline',
      channel: 'npm',
      manager: null,
      purl: null,
      name: 'a'.repeat(300),
    },
    ...{
      version,
      path: `/${'ab/'.repeat(1300)}a`,
      owner: 'a',
      scope: 'global',
      state: 'installed',
    },
    ...{ confidence: 'high', evidence: [] },
  }),
);

function judge(policy: Policy): void {
  const device = { id: 'd', hardwareId: null, person: null, group: null, zone: 'UTC' };
  for (const component of finds) {
    const { verdict } = evaluate({
      ...{ policy, catalogue, exceptions: [], component, now: 0 },
      device: { ...device, platform: 'linux', maxAction: 'remove' },
    });
    if (verdict.status === 'excepted') throw new Error('nobody is excepted');
  }
}

/** As a device reads a policy, and judges by it. */
function parseShape(text: string): string {
  const parsed = parsePolicy(text, { catalogue });
  if (parsed.kind === 'policy') judge(parsed.policy);
  else if (parsed.problems.length === 0) throw new Error('refused without a word');
  return parsed.kind;
}

/** As lint reads the bytes of a file. */
function lintShape(text: string): string {
  const decoded = decodeSource(Buffer.from(text));
  if (decoded.kind === 'invalid') return 'no text';
  const { policy, problems } = lintPolicy(decoded.text, { catalogue, now: 0 });
  if (policy === null && problems.length === 0) throw new Error('refused without a word');
  return `${policy === null ? 'invalid' : 'policy'} ${problems.length}`;
}

function readCatalogueShape(text: string): string {
  const tree = parseJson(text, 4 * 1024 * 1024);
  if (tree.kind === 'invalid') return tree.message;
  const read = [parseCatalogue(tree.value), parseReceivedCatalogue(tree.value)];
  for (const one of read) {
    if (one.kind === 'catalogue') indexCatalogue(one.document, 'x').match('npm', 'n1');
    else if (one.problems.length === 0) throw new Error('refused without a word');
  }
  return read.map(({ kind }) => kind).join(' ');
}

async function readBundleShape(jws: string, pinnedKey: string): Promise<string> {
  const { kind } = await verifyBundle(jws, { pinnedKey, floor: noFloor });
  return kind;
}

const longMs = 500;

/** What takes long is tried once more: a machine that is busy elsewhere is not what is measured. */
async function measured(name: string, read: () => string | Promise<string>): Promise<void> {
  process.stdout.write(`${JSON.stringify({ begins: name })}\n`);
  const first = await timed(read);
  const { ms, outcome } = first.ms > longMs ? await timed(read) : first;
  const mebibytes = process.resourceUsage().maxRSS / 1024 - before;
  const record = { name, ms: Math.min(ms, first.ms), mebibytes, outcome };
  process.stdout.write(`${JSON.stringify(record)}\n`);
}

async function timed(
  read: () => string | Promise<string>,
): Promise<{ ms: number; outcome: string }> {
  const [began, used] = [performance.now(), process.cpuUsage()];
  const outcome = await read();
  const { user, system } = process.cpuUsage(used);
  // On a busy machine the clock runs on without us, and a second thread's garbage collection counts twice.
  const ms = Math.min(performance.now() - began, (user + system) / 1000);
  return { ms, outcome };
}

const kind = process.argv[2];
// What is compiled once is not any shape's.
parseShape(
  'policy: p\ntitle: T\ndefault: { decision: allow }\nrules: [{ id: a, match: { tool: x, version: "<1" }, decision: deny }]\n',
);
readCatalogueShape('{"format":1,"tools":[],"editors":[]}');
/** What the process takes without any shape. */
const before = process.resourceUsage().maxRSS / 1024;
if (kind === 'policy' || kind === 'lint') {
  const read = kind === 'lint' ? lintShape : parseShape;
  for (const [name, text] of Object.entries(policyShapes)) await measured(name, () => read(text));
}
if (kind === 'catalogue') {
  for (const [name, text] of Object.entries(catalogueShapes))
    await measured(name, () => readCatalogueShape(text));
}
if (kind === 'bundle') {
  const key = await makeKey();
  for (const [name, text] of Object.entries(bundleTexts))
    await measured(name, () => readBundleShape(text, key.x));
  const header = { alg: 'EdDSA', typ: 'curfew-bundle+jws', kid: await thumbprint(key.x) };
  const signer = await importJWK({ ...key }, 'EdDSA');
  for (const [name, text] of Object.entries(bundlePayloads)) {
    // As large as fits; signed as it is, whether it is JSON or not.
    const payload = Buffer.from(text.slice(0, (maxFrameBytes * 3) / 4 - 1000));
    const jws = await new CompactSign(payload).setProtectedHeader(header).sign(signer);
    await measured(name, () => readBundleShape(jws, key.x));
  }
}
