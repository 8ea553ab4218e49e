/**
 * What a plan changes in the files for other enforcers: every target compiles the live and the planned
 * policies at the instants that matter, and the files are compared. The files themselves are made by
 * `policy compile`.
 */
import type { Catalogue } from '../policies/catalogue.js';
import type { CompiledFile, Target } from '../policies/compile/index.js';
import type { Policy } from '../policies/document.js';

export interface TargetChange {
  readonly target: string;
  readonly title: string;
  readonly policy: string;
  /** From when the files differ, and what of them; each set of changes at its first instant. */
  readonly changes: readonly {
    readonly at: string;
    readonly files: readonly {
      readonly name: string;
      readonly change: 'new' | 'changed' | 'gone';
    }[];
  }[];
}

export interface TargetInput {
  readonly targets: readonly Target[];
  readonly live: readonly Policy[];
  readonly planned: readonly Policy[];
  readonly catalogue: Catalogue;
  /** Epoch ms, in the order of time. */
  readonly instants: readonly number[];
  /** Of `device-local` dates: the zone most devices live in. */
  readonly zone: string;
}

type Files = readonly CompiledFile[];

export function targetChanges(input: TargetInput): readonly TargetChange[] {
  const before = new Map(input.live.map((policy) => [policy.policy, policy]));
  const after = new Map(input.planned.map((policy) => [policy.policy, policy]));
  const ids = [...new Set([...before.keys(), ...after.keys()])];
  return input.targets.flatMap((target) =>
    ids.flatMap((policy) => {
      const old = before.get(policy) ?? null;
      const next = after.get(policy) ?? null;
      const changes = changesOf(target, old, next, input);
      return changes.length === 0
        ? []
        : [{ target: target.id, title: target.title, policy, changes }];
    }),
  );
}

function changesOf(
  target: Target,
  old: Policy | null,
  next: Policy | null,
  { instants, catalogue, zone }: TargetInput,
): TargetChange['changes'] {
  if (JSON.stringify(old) === JSON.stringify(next)) return [];
  const compiled = (policy: Policy | null, at: number): Files =>
    policy === null
      ? []
      : target.compile({ policy, catalogue, at, zone, isAllowList: false }).files;
  const found: { at: string; files: ReturnType<typeof compared> }[] = [];
  for (const at of instants) {
    const files = compared(compiled(old, at), compiled(next, at));
    const isNew = JSON.stringify(files) !== JSON.stringify(found.at(-1)?.files ?? []);
    if (isNew) found.push({ at: new Date(at).toISOString(), files });
  }
  return found;
}

function compared(before: Files, after: Files): TargetChange['changes'][number]['files'] {
  const old = new Map(before.map(({ name, text }) => [name, text]));
  const next = new Map(after.map(({ name, text }) => [name, text]));
  return [...new Set([...old.keys(), ...next.keys()])].sort().flatMap((name) => {
    const [was, is] = [old.get(name), next.get(name)];
    if (was === is) return [];
    const change = was === undefined ? 'new' : is === undefined ? 'gone' : 'changed';
    return [{ name, change } as const];
  });
}
