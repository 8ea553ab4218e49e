/**
 * The thread in which scans run where homes may lie on a network, so that a folder that hangs stops
 * nothing but its own read. It says which root it is at before it reads it: the scanner outside measures
 * the time from that.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { Root } from './detect/index.js';
import {
  newMemory,
  runScan,
  type Place,
  type ScanOutcome,
  type ScanRequest,
} from './living-scan.js';

/** What the thread says, in this order: the plan, each root as it is begun, the outcome. */
export type WorkerMessage =
  | { readonly kind: 'plan'; readonly roots: readonly Root[] }
  | { readonly kind: 'at'; readonly root: string }
  | { readonly kind: 'outcome'; readonly outcome: ScanOutcome }
  | { readonly kind: 'failed'; readonly message: string };

const port = parentPort;
if (port !== null && workerData !== null && typeof workerData === 'object') {
  const { curfewPlace: place } = workerData as { curfewPlace?: Place };
  if (place !== undefined) {
    const memory = newMemory();
    const answer = (message: WorkerMessage): void => port.postMessage(message);
    const steps = {
      plan: (roots: readonly Root[]): void => answer({ kind: 'plan', roots }),
      at(root: Root): null {
        answer({ kind: 'at', root: root.id });
        return null;
      },
    };
    port.on('message', (request: ScanRequest) => {
      runScan(place, request, memory, steps).then(
        (outcome) => answer({ kind: 'outcome', outcome }),
        (error: unknown) => {
          const message = error instanceof Error ? error.message : String(error);
          answer({ kind: 'failed', message });
        },
      );
    });
  }
}
