/**
 * Why a component of a device is allowed or not, by the live policy and what the device has reported.
 * The evaluation is the device's own; a rule that asks for what is not reported is left open, and then
 * nothing is decided here. The device's own verdict stands beside it.
 */
import type { Component } from '../policies/component.js';
import { parsePolicy, type Policy } from '../policies/document.js';
import { selectPolicy, type DeviceContext, type EvaluationInput } from '../policies/evaluate.js';
import { explain } from '../policies/explain.js';
import { exceptionsOf } from '../wire/assignment.js';
import { CurfewError } from '../wire/errors.js';
import type { ReportedComponent } from '../wire/messages.js';
import { contentOf } from './assignment.js';
import { staleBefore, type FleetSources } from './compliance.js';
import type { ComponentExplanation } from './explain-views.js';
import { unreportedFields } from './forecast.js';
import type { Device, StoredBundle } from './store/records.js';

/** Explains one component, now or at an instant (epoch ms). Errors: NOT_FOUND. */
export async function explainComponent(
  sources: FleetSources,
  asked: { readonly device: string; readonly component: string; readonly at: number | null },
): Promise<ComponentExplanation> {
  const { store, catalogue, clock } = sources;
  const summary = await store.read.devices.summary(asked.device, staleBefore(sources));
  if (summary === null) throw new CurfewError('NOT_FOUND', `there is no device ${asked.device}`);
  const { device } = summary;
  const all = (await store.read.reports.components(device.id)).map(({ component }) => component);
  const reported = all.find(({ id }) => id === asked.component);
  if (reported === undefined) {
    throw new CurfewError('NOT_FOUND', `${device.id} has no component ${asked.component}`);
  }
  const bundle = await store.read.policies.latest();
  const content = await contentOf(store.read, device, clock());
  const policy = policyFor(device, content.group, bundle);
  const input: EvaluationInput = {
    policy,
    catalogue,
    exceptions: exceptionsOf(content),
    component: componentOf(reported, all),
    device: contextOf(device, reported.owner, content),
    now: asked.at ?? clock(),
    ...termsOf(reported, policy),
    ...(content.graceUntil != null && { assignedGrace: Date.parse(content.graceUntil) }),
  };
  const { path, gateway = null } = reported;
  const explanation = explain(input, {
    // A gateway is told, or that there is none; one that is not told is not known on the device either.
    unreported: (rule) =>
      unreportedFields(rule, { path, gateway }).filter((field) => field !== 'gateway'),
    isCeilingKnown: false,
    noticedFrom: clock(),
  });
  const { verdict } = explanation;
  return {
    explanation: explanation as ComponentExplanation['explanation'],
    reported: reported.verdict,
    agrees:
      verdict === null || asked.at !== null
        ? null
        : verdict.status === reported.verdict.status && verdict.rule === reported.verdict.rule,
    bundleSequence: bundle?.sequence ?? 0,
    deviceBundleSequence: summary.bundleSequence,
    unknown: unknownOf(reported),
  };
}

function policyFor(
  { id, facts }: Device,
  group: string | null,
  bundle: StoredBundle | null,
): Policy | null {
  const policies = (bundle?.policies ?? []).flatMap(({ yaml }) => {
    const parsed = parsePolicy(yaml);
    return parsed.kind === 'policy' ? [parsed.policy] : [];
  });
  const { platform, assignedUser = null } = facts;
  return selectPolicy(policies, { id, group, platform, assignedUser });
}

/** The strongest ceiling, as the device's own is not told; nothing that is said depends on it. */
function contextOf(
  { id, facts }: Device,
  owner: string | null,
  { group, persons }: { group: string | null; persons: Readonly<Record<string, string>> },
): DeviceContext {
  const { hardwareId, platform, zone, assignedUser = null } = facts;
  const known = owner !== null && Object.hasOwn(persons, owner) ? persons[owner] : undefined;
  const ofAccount = owner === null ? null : (known ?? `${owner}@${id}`);
  return {
    ...{ id, hardwareId, platform, zone, assignedUser, group },
    person: assignedUser ?? ofAccount,
    maxAction: 'remove',
    home: '~',
  };
}

/** As the device puts it together: running where something of the same tool and owner is. */
function componentOf(reported: ReportedComponent, all: readonly ReportedComponent[]): Component {
  const { verdict: _verdict, firstSeen: _first, candidateReasons, gateway, ...known } = reported;
  const isLive = all.some(
    ({ tool, owner, state }) =>
      state === 'running' && tool !== null && tool === known.tool && owner === known.owner,
  );
  return {
    ...known,
    ...(candidateReasons === undefined ? {} : { candidate: candidateReasons }),
    ...(gateway === undefined ? {} : { gateway }),
    running: known.state === 'running' || isLive,
  };
}

/** Of the rule that the device reported: when it was first told, and the zone that it has fixed. */
function termsOf(
  { verdict }: ReportedComponent,
  policy: Policy | null,
): Pick<EvaluationInput, 'notices' | 'zones'> {
  const { rule, noticed, zone } = verdict;
  if (rule === null || verdict.policy !== policy?.policy) return {};
  return {
    ...(noticed === undefined ? {} : { notices: new Map([[rule, Date.parse(noticed)]]) }),
    ...(zone === undefined ? {} : { zones: new Map([[rule, zone]]) }),
  };
}

function unknownOf({ path }: ReportedComponent): ComponentExplanation['unknown'] {
  const isShort = path.includes('…') || path.startsWith('~');
  return [...(isShort ? (['path'] as const) : []), 'publisher', 'ceiling'];
}
