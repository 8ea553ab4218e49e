/** Words of a command through real pipes: whole, in order, and at peace with a reader that goes away. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { expect, test } from 'vitest';

const source = path.resolve(import.meta.dirname, '../../agent/output.ts');
const text = Array.from({ length: 50_000 }, (_, line) => `${line} 代码 ✓\n`).join('');

/** Runs `writeTo` in a process of its own; what comes out after `pauseMs`, or until `limit` bytes were read. */
async function written(
  script: string,
  { pauseMs = 0, limit = Infinity } = {},
): Promise<{ out: string; code: number | null; errors: string }> {
  const program = `import { writeTo } from ${JSON.stringify(source)};\n${script}`;
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pieces: Buffer[] = [];
  let length = 0;
  let errors = '';
  child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()));
  await new Promise((resolve) => setTimeout(resolve, pauseMs));
  child.stdout.on('data', (piece: Buffer) => {
    pieces.push(piece);
    length += piece.length;
    if (length >= limit) child.stdout.destroy();
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { out: Buffer.concat(pieces).toString(), code, errors };
}

const lines = `Array.from({ length: 50_000 }, (_, line) => \`\${line} 代码 ✓\\n\`).join('')`;

test('a slow reader gets every byte', async () => {
  const { out, code, errors } = await written(`writeTo(1, ${lines});`, { pauseMs: 300 });
  expect([code, errors]).toEqual([0, '']);
  expect(out === text).toBe(true);
});

test('a pipe that answers "try again" is tried again', async () => {
  // What a parent does to a pipe it shares: with its own stream open it is not blocking.
  const script = `process.stdout.write(''); process.stdout._handle?.setBlocking?.(false); writeTo(1, ${lines});`;
  const { out, code, errors } = await written(script, { pauseMs: 300 });
  expect([code, errors]).toEqual([0, '']);
  expect(out === text).toBe(true);
});

test('a reader that has seen enough ends the program without a word', async () => {
  const script = `writeTo(1, ${lines}); writeTo(1, ${lines}); writeTo(2, 'still here');`;
  const { code, errors } = await written(script, { limit: 10 });
  expect([code, errors]).toEqual([0, '']);
});
