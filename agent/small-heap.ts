/**
 * Sets V8 for a process that lives long, does little and must stay small. It is done in the running
 * process, before anything else is loaded, so that it holds however the agent is started and needs no
 * second start. Nothing else may depend on it: every one of these flags may be ignored by another Node.
 */
import v8 from 'node:v8';
import vm from 'node:vm';

const flags = [
  // Code that runs once a minute is never worth its compilers: 20 MB with what they leave behind.
  '--no-opt',
  '--no-sparkplug',
  // Else everything is collected whenever little happens: half of the processor time at rest.
  '--no-memory-reducer',
  // Young objects get the room they have at the start, the rest grows by a fifth before it is collected.
  '--semi-space-growth-factor=1',
  '--heap-growing-percent=20',
  '--expose-gc',
];

type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

let collect: Collect | null = null;

/** Once, and first of all. */
export function keepHeapSmall(): void {
  for (const flag of flags) v8.setFlagsFromString(flag);
  // Only a context that is made after the flag has it.
  const found: unknown = vm.runInNewContext('typeof gc === "function" ? gc : null');
  collect = typeof found === 'function' ? (found as Collect) : null;
}

const firstTidyMs = 12_000;
const tidyMs = 60_000;
/** Growth that is worth some 50 ms of processor. */
const worthBytes = 4 * 1024 * 1024;

/** From now on gives back what bursts of work leave, the start first; answers the way to end that. */
export function startTidying(): () => void {
  let floorBytes = 0;
  const tidy = (): void => {
    if (v8.getHeapStatistics().total_physical_size < floorBytes + worthBytes) return;
    collect?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    floorBytes = v8.getHeapStatistics().total_physical_size;
  };
  const first = setTimeout(tidy, firstTidyMs).unref();
  const every = setInterval(tidy, tidyMs).unref();
  return () => {
    clearTimeout(first);
    clearInterval(every);
  };
}
