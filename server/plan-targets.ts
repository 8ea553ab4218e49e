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

/** Targets follow each other within an instant, as they share what they look up of a policy at it. */
export function targetChanges(input: TargetInput): readonly TargetChange[] {
  const before = new Map(input.live.map((policy) => [policy.policy, policy]));
  const after = new Map(input.planned.map((policy) => [policy.policy, policy]));
  const ids = [...new Set([...before.keys(), ...after.keys()])];
  return ids.flatMap((policy) => {
    const sides = { old: before.get(policy) ?? null, next: after.get(policy) ?? null };
    const changes = changesOf(sides, input);
    return input.targets.flatMap(({ id, title }) => {
      const found = changes.get(id) ?? [];
      return found.length === 0 ? [] : [{ target: id, title, policy, changes: found }];
    });
  });
}

type Changes = TargetChange['changes'][number][];

function changesOf(
  { old, next }: { readonly old: Policy | null; readonly next: Policy | null },
  { targets, instants, catalogue, zone }: TargetInput,
): ReadonlyMap<string, Changes> {
  const changes = new Map<string, Changes>();
  if (JSON.stringify(old) === JSON.stringify(next)) return changes;
  for (const at of instants) {
    const filesOf = (policy: Policy | null): readonly Files[] =>
      targets.map((target) =>
        policy === null
          ? []
          : target.compile({ policy, catalogue, at, zone, isAllowList: false }).files,
      );
    const [was, is] = [filesOf(old), filesOf(next)];
    for (const [index, { id }] of targets.entries()) {
      const files = compared(was[index] ?? [], is[index] ?? []);
      const found = changes.get(id) ?? [];
      const isNew = JSON.stringify(files) !== JSON.stringify(found.at(-1)?.files ?? []);
      if (isNew) changes.set(id, [...found, { at: new Date(at).toISOString(), files }]);
    }
  }
  return changes;
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
