/**
 * Runs the cases beside a policy: what a case leaves out gets its default here and nowhere else, the
 * evaluation is the one that devices use, and only what a case names is compared. Pure: files, output
 * and exit codes are the command's.
 */
import type { Catalogue, Identifiers, Tool } from './catalogue.js';
import type { Channel, Component, Platform } from './component.js';
import { resolveDate, zoneOf } from './dates.js';
import type { Policy } from './document.js';
import {
  evaluate,
  selectPolicy,
  type DeviceContext,
  type Exception,
  type TraceStep,
  type Verdict,
} from './evaluate.js';
import type {
  Case,
  CaseDocument,
  ComponentCase,
  DeviceCase,
  ExceptionCase,
  Expected,
} from './test-cases.js';

/** One field that a case names: what it expects and what came out, as text; null is nothing. */
export interface ComparedField {
  readonly field: keyof Expected;
  readonly expected: string;
  readonly actual: string | null;
  readonly isSame: boolean;
}

/** A case at one of its times. */
export interface CaseRun {
  readonly name: string;
  /** Place in the file, from 0. */
  readonly index: number;
  /** The time as the author wrote it. */
  readonly at: string;
  readonly isPassed: boolean;
  readonly fields: readonly ComparedField[];
  readonly verdict: Verdict;
  readonly trace: readonly TraceStep[];
}

const usualUser = 'user';
const usualId = 'test-device';

/** Runs every case at each of its times, in the order of the file. */
export function* runCases(
  { device, cases }: CaseDocument,
  context: { readonly policy: Policy; readonly catalogue: Catalogue },
): Generator<CaseRun> {
  for (const [index, one] of cases.entries()) {
    const whole = { ...one, device: { ...device, ...one.device } };
    for (const { at, expect } of timesOf(one)) {
      yield runOne(whole, { index, at, expect }, context);
    }
  }
}

function timesOf({ at, expect, times }: Case): readonly { at: string; expect: Expected }[] {
  if (times !== undefined) return times;
  if (at === undefined || expect === undefined) return [];
  return (Array.isArray(at) ? at : [at]).map((text) => ({ at: text, expect }));
}

function runOne(
  one: Case & { readonly device: DeviceCase },
  time: { readonly index: number; readonly at: string; readonly expect: Expected },
  { policy, catalogue }: { readonly policy: Policy; readonly catalogue: Catalogue },
): CaseRun {
  const { index, at, expect } = time;
  const device = deviceOf(one.device, policy, one.component.path);
  const owner = one.component.owner;
  const component = {
    ...componentOf(one.component, device, catalogue),
    owner: owner === undefined ? (one.device.user ?? usualUser) : owner,
  };
  const instant = (date: string): number => resolveDate(date, policy.timezone, device.zone);
  const followed = followedBy(policy, device, one.device.id !== undefined);
  const evaluation = evaluate({
    policy: followed,
    catalogue,
    exceptions: (one.exceptions ?? []).map((exception, index) =>
      exceptionOf(exception, index, instant),
    ),
    component,
    device,
    now: instant(at),
    notices: new Map(
      Object.entries(one.notices ?? {}).map(([rule, date]) => [rule, instant(date)]),
    ),
  });
  const { verdict } = evaluation;
  const seen = { verdict, follows: followed !== null, instant };
  const wanted: Expected = { follows: true, ...expect };
  const compared = fieldsOf(wanted).map((field) => compare(field, wanted, seen, catalogue));
  // That the device follows the policy is said where it was asked for or does not hold.
  const fields = compared.filter(({ field, isSame }) => expect[field] !== undefined || !isSame);
  const isPassed = fields.every(({ isSame }) => isSame);
  return {
    ...{ name: one.name, index, at, isPassed, fields, verdict },
    // Made when it is read: a long list of cases that pass needs none.
    get trace() {
      return evaluation.trace;
    },
  };
}

const fieldsOf = (expect: Expected): (keyof Expected)[] =>
  Object.keys(expect) as (keyof Expected)[];

function compare(
  field: keyof Expected,
  expect: Expected,
  seen: {
    readonly verdict: Verdict;
    readonly follows: boolean;
    readonly instant: (date: string) => number;
  },
  catalogue: Catalogue,
): ComparedField {
  const { verdict, follows, instant } = seen;
  const expected = String(expect[field]);
  const answer = (wanted: string, actual: string | null): ComparedField => ({
    field,
    expected,
    actual,
    isSame: wanted === actual,
  });
  switch (field) {
    case 'follows':
      return answer(expected, String(follows));
    case 'announce':
    case 'effective':
    case 'graceUntil':
    case 'escalates': {
      const found = verdict[field] ?? null;
      const actual = found === null ? null : new Date(found).toISOString();
      return { field, expected, actual, isSame: found === instant(expected) };
    }
    case 'replacement': {
      const idOf = (id: string): string => catalogue.tool(id)?.id ?? id;
      const found = verdict.replacement?.tool ?? null;
      return { ...answer(idOf(expected), found === null ? null : idOf(found)), actual: found };
    }
    default: {
      const found = verdict[field];
      return answer(expected, found === null ? null : String(found));
    }
  }
}

/** The policy when its targets include the device. Without an id of its own a device is in every percentage. */
function followedBy(policy: Policy, device: DeviceContext, hasId: boolean): Policy | null {
  const targets = hasId ? policy.targets : { ...policy.targets, percent: null };
  return selectPolicy([{ ...policy, targets }], device) === null ? null : policy;
}

function deviceOf(device: DeviceCase, policy: Policy, path: string | undefined): DeviceContext {
  const isWindowsPath = path !== undefined && /^[A-Za-z]:|\\/.test(path);
  const platform = device.os ?? (isWindowsPath ? 'win32' : (policy.targets.os?.[0] ?? 'linux'));
  const user = device.user ?? usualUser;
  const person = device.person ?? policy.targets.users?.[0] ?? user;
  return {
    id: device.id ?? usualId,
    hardwareId: device.hardwareId ?? null,
    person,
    assignedUser: person,
    group: device.group === undefined ? (policy.targets.groups?.[0] ?? null) : device.group,
    platform,
    zone: device.zone ?? zoneOf(policy.timezone, 'UTC'),
    maxAction: device.maxAction ?? 'remove',
    home: homes[platform](user),
  };
}

const homes: Readonly<Record<Platform, (user: string) => string>> = {
  linux: (user) => `/home/${user}`,
  darwin: (user) => `/Users/${user}`,
  win32: (user) => `C:\\Users\\${user}`,
};

function exceptionOf(
  { from, until, ...named }: ExceptionCase,
  index: number,
  instant: (date: string) => number,
): Exception {
  return {
    ...named,
    ...(from === undefined ? {} : { from: instant(from) }),
    ...{ id: `e${index + 1}`, reason: 'of the case', author: 'the case' },
    until: instant(until),
  };
}

function componentOf(
  component: ComponentCase,
  device: DeviceContext,
  catalogue: Catalogue,
): Omit<Component, 'owner'> {
  const tool = component.tool === undefined ? null : catalogue.tool(component.tool);
  const known = tool === null ? [] : namesOf(tool, device.platform);
  const channel = component.channel ?? known[0]?.channel ?? 'executable';
  const own = known.find(
    (one) =>
      one.channel === channel &&
      (component.manager === undefined ||
        one.manager === null ||
        one.manager === component.manager),
  );
  const name = component.name ?? own?.name ?? tool?.id ?? '';
  const state = component.state ?? (channel === 'process' ? 'running' : 'installed');
  const home = device.home ?? '';
  return {
    id: '0'.repeat(32),
    tool: tool?.id ?? null,
    channel,
    manager: component.manager ?? own?.manager ?? null,
    purl: component.purl ?? null,
    name,
    version: component.version ?? null,
    path: (component.path ?? usualPath(name, device)).replace(/^~(?=[/\\])/, () => home),
    scope: component.scope ?? 'global',
    state,
    confidence: component.confidence ?? 'high',
    evidence: [],
    ...(component.gateway === null ? {} : { gateway: component.gateway ?? null }),
    running: component.running ?? state === 'running',
    publisher: component.publisher ?? null,
  };
}

const usualPath = (name: string, { platform }: DeviceContext): string =>
  platform === 'win32'
    ? `C:\\Program Files\\${name.replaceAll('/', '\\')}`
    : `/usr/local/lib/${name}`;

interface KnownName {
  readonly channel: Channel;
  readonly manager: string | null;
  readonly name: string;
}

type NameSource = readonly [keyof Identifiers, Channel, string | null];

const anywhere: readonly NameSource[] = [
  ['npm', 'npm', null],
  ['pypi', 'pypi', null],
  ['homebrewFormula', 'homebrew', null],
  ['homebrewCask', 'homebrew', null],
  ['editorExtension', 'editor-extension', null],
  ['jetbrainsPlugin', 'jetbrains-plugin', null],
  ['browserExtension', 'browser-extension', null],
];

const bySystem: Readonly<Record<Platform, readonly NameSource[]>> = {
  linux: [
    ['desktopFile', 'application', null],
    ['dpkg', 'package', 'dpkg'],
    ['rpm', 'package', 'rpm'],
    ['apk', 'package', 'apk'],
    ['pacman', 'package', 'pacman'],
    ['snap', 'package', 'snap'],
    ['flatpak', 'package', 'flatpak'],
  ],
  darwin: [['bundleId', 'application', null]],
  win32: [
    ['windowsApp', 'application', null],
    ['winget', 'package', 'winget'],
    ['scoop', 'package', 'scoop'],
    ['chocolatey', 'package', 'chocolatey'],
  ],
};

/** The names by which a tool is known on a system, its usual channel first. */
function namesOf({ identifiers }: Tool, platform: Platform): KnownName[] {
  const command: NameSource = ['command', 'executable', null];
  const sources = [...anywhere, ...bySystem[platform], command];
  return sources.flatMap(([kind, channel, manager]) =>
    identifiers[kind].slice(0, 1).map((name) => ({ channel, manager, name })),
  );
}
