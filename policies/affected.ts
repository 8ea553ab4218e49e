/**
 * Which published faults a component has: the catalogue's advisories held against its tool, channel and
 * version. A version that is not known is never taken for a sound one. How versions compare is given,
 * so that a scan need not load all of it; no verdict is decided here.
 */
import type { Advisory, Catalogue } from './catalogue.js';
import type { Channel, Component } from './component.js';

export interface Affected {
  readonly advisory: Advisory;
  /** False when the version is not known, or the range cannot be read for it: possibly affected. */
  readonly isCertain: boolean;
}

/** What is asked of a component. */
export type Affectable = Pick<
  Component,
  'tool' | 'channel' | 'manager' | 'purl' | 'version' | 'state'
>;

/** Traces and records that name a program and are none: without a version they prove no fault. */
const records: ReadonlySet<Channel> = new Set(['config', 'mcp', 'model', 'service']);

/** Whether a version is in a range by the rules of an ecosystem. */
export type RangeTest = (
  ecosystem: string,
  version: string | null,
  range: string,
) => 'in' | 'out' | 'unknown';

/** The advisories of a component's tool that its version is in or may be in, the certain ones first. */
export function affectedWith(
  component: Affectable,
  catalogue: Catalogue,
  inRange: RangeTest,
): readonly Affected[] {
  const { tool, channel, version, state } = component;
  if (tool === null) return [];
  if (version === null && (state === 'residual' || records.has(channel))) return [];
  const numbers = numberingOf(component);
  const found = catalogue.advisories.flatMap((advisory): Affected[] => {
    const answers = advisory.affects
      .filter((one) => one.tool === tool && isOneOf(one.channels, component))
      .map(({ versions }) => inRange(numbers, version, versions));
    if (answers.includes('in')) return [{ advisory, isCertain: version !== null }];
    return answers.includes('unknown') ? [{ advisory, isCertain: false }] : [];
  });
  return found.sort((a, b) => Number(b.isCertain) - Number(a.isCertain));
}

const packageType = (purl: string | null): 'npm' | 'pypi' | null =>
  purl === null
    ? null
    : purl.startsWith('pkg:npm/')
      ? 'npm'
      : /^pkg:pypi\//.test(purl)
        ? 'pypi'
        : null;

/** Whose rules the version follows: a process or a record of a package carries it as a package URL. */
function numberingOf({ channel, manager, purl }: Affectable): string {
  return packageType(purl) ?? (channel === 'package' ? (manager ?? channel) : channel);
}

function isOneOf(channels: readonly Channel[], { channel, purl }: Affectable): boolean {
  if (channels.length === 0 || channels.includes(channel)) return true;
  const type = packageType(purl);
  return type === null
    ? channel === 'process' && channels.includes('executable')
    : channels.includes(type);
}
