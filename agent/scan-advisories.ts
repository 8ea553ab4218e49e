/**
 * Published faults beside what was found. Plain releases are decided by their numbers; only for others
 * is loaded how each ecosystem compares. It changes no verdict and no exit code; a policy denies
 * versions by its own rules.
 */
import { affectedWith, type Affected, type RangeTest } from '../policies/affected.js';
import type { Catalogue } from '../policies/catalogue.js';
import type { Component } from '../policies/component.js';
import { inPlainRange } from '../policies/plain-versions.js';
import { advisoryMarks as marks, printable, type Judged } from './scan-output.js';

/** The same components, each with the advisories that its version is in or may be in. */
export async function withAdvisories(
  judged: readonly Judged[],
  catalogue: Catalogue,
): Promise<readonly Judged[]> {
  const told = judged.map((each) => {
    let isDecided = true;
    const byNumbers: RangeTest = (ecosystem, version, range) => {
      const isIn = version === null ? null : inPlainRange(ecosystem, version, range);
      if (isIn === null) isDecided &&= version === null;
      return isIn === null ? 'unknown' : isIn ? 'in' : 'out';
    };
    const affected = affectedWith(each.component, catalogue, byNumbers);
    return { each, affected: isDecided ? affected : null };
  });
  const isAllTold = told.every(({ affected }) => affected !== null);
  const advisories = isAllTold ? null : await import('../policies/advisories.js');
  return told.map(({ each, affected: known }) => {
    const affected = known ?? advisories?.affectedBy(each.component, catalogue) ?? [];
    return affected.length === 0 ? each : { ...each, affected };
  });
}

const ranks = { critical: 0, high: 1, medium: 2, low: 3 };
const inOrder = (a: Affected, b: Affected): number =>
  ranks[a.advisory.severity] - ranks[b.advisory.severity];

/** The foot of the table: each advisory once with its title and source, the worst first. */
export function advisoryLines(judged: readonly Judged[], catalogue: Catalogue): string {
  const all = judged.flatMap(({ affected = [] }) => affected);
  const certain = new Map(
    all
      .filter(({ isCertain }) => isCertain)
      .sort(inOrder)
      .map(({ advisory }) => [advisory.id, advisory]),
  );
  const unsure = judged.flatMap(({ component: { tool }, affected = [] }) =>
    tool !== null && affected.some(({ isCertain }) => !isCertain) ? [tool] : [],
  );
  const lines = [
    ...[...certain.values()].map(({ id, severity, title, sources: [source] }) => {
      return `${marks.certain} ${id} (${severity}): ${title}. ${source ?? ''}`.trimEnd();
    }),
    ...[...new Set(unsure)].map((tool) => {
      const name = catalogue.tool(tool)?.name ?? tool;
      return `${marks.possible} ${name}: the version is not known, so any published fault may be in it.`;
    }),
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
}
