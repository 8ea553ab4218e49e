/**
 * A program of its own that says the facts of this machine and ends: what asks the system for them would
 * else stay in the daemon's memory for good, for one question an hour. `facts-aside.ts` starts it.
 */
import { deviceFacts } from './facts.js';

process.stdout.write(JSON.stringify(await deviceFacts(process.argv[2] ?? 'UTC')));
