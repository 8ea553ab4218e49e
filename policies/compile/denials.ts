/**
 * What a policy denies at an instant, in terms a native enforcer has: for each name and folder of the
 * catalogue, and each package a rule names, whether it is denied whatever else holds, only where
 * something holds that shows on a device alone, or not at all. The first rule that matches decides,
 * as in evaluation: what an earlier rule approves or allows is spared. Every target starts here.
 */
import type { Channel } from '../component.js';
import type { Action, Decision, Denial, Match } from '../document.js';
import { milder } from '../evaluate.js';
import { readyPolicy, type ReadyDenial } from '../ready.js';
import { identitiesOf, reachingRule, type Identity, type ReachingRule } from './identities.js';
import type { CompileInput } from './index.js';

/** A denying rule (or `default`) whose date has come. */
export interface DenialInForce {
  readonly rule: string;
  readonly denial: Denial;
  /** What the policy asks for at the instant; what is below `block` must not be blocked. */
  readonly action: Action;
  /** Fields it asks for that only show on a device: version, gateway, owner ... */
  readonly unseen: readonly (keyof Match)[];
  /** Whole path patterns, when the rule speaks of nothing but paths. */
  readonly paths: readonly string[];
  /** Publishers or signers, when the rule speaks of nothing but them. */
  readonly publishers: readonly string[];
  /** Channels that the rule takes whole, whatever the tool. */
  readonly channels: readonly Channel[];
  /** An earlier rule that lets something be, which a rule of whole places must not touch. */
  readonly sparedBefore: string | null;
}

/** An identity and what the policy says of it. */
export interface Judged extends Identity {
  /** `partly`: denied for some devices or versions, which `unseen` decides. */
  readonly outcome: 'denied' | 'partly' | 'spared';
  /** The rule (or `default`) that denies it; of what is spared, the one that decides. */
  readonly rule: string;
  readonly denial: Denial | null;
  /** The mildest action that any of its denials asks for; null when it is spared. */
  readonly action: Action | null;
  /** An approving or allowing rule decides, whatever else holds. */
  readonly isPermitted: boolean;
  /** A rule approves or allows at least some of it, as single versions: an allow-list lets it be. */
  readonly isPartlyPermitted: boolean;
  /** Of what is denied partly: the fields that decide. */
  readonly unseen: readonly (keyof Match)[];
  /** Of what is denied partly: a rule that lets some of it be, if that is why. */
  readonly sparedBy: string | null;
  /** Of what is denied by its version alone: the range, in the policy's notation. */
  readonly versions: string | null;
}

export interface Denials {
  /** In the policy's order, `default` last. */
  readonly inForce: readonly DenialInForce[];
  /** Denials whose date is still to come; epoch ms. */
  readonly later: readonly { readonly rule: string; readonly effective: number }[];
  /** Tools in order of their ids, then packages that no tool claims. */
  readonly identities: readonly Judged[];
}

interface AskedRule extends ReachingRule {
  readonly id: string;
  readonly decision: Decision;
  readonly match: Match;
  readonly denial: Denial | null;
  /** Only where it denies and its date has come. */
  readonly inForce: DenialInForce | null;
}

/** What one rule says of an identity; `unseen` empty: whatever else holds. */
interface Branch {
  readonly rule: AskedRule;
  readonly unseen: readonly (keyof Match)[];
}

/** A device that was told before the date comes to it first; what escalates counts from there. */
function actionAt(ready: ReadyDenial, at: number): Action {
  const escalation = ready.escalation(ready.effective);
  return escalation !== null && at >= escalation.at ? escalation.action : ready.after;
}

function inForce(
  rule: { id: string; match: Match; denial: Denial | null },
  ready: ReadyDenial | null,
  asked: ReachingRule,
  at: number,
): Omit<DenialInForce, 'sparedBefore'> | null {
  if (rule.denial === null || ready === null || at < ready.effective) return null;
  const { match } = rule;
  const isAlone = (field: keyof Match): boolean =>
    Object.keys(match).every((name) => name === field || name === 'state' || name === 'scope');
  return {
    ...{ rule: rule.id, denial: rule.denial, action: actionAt(ready, at), unseen: asked.unseen },
    paths: isAlone('path') ? (match.path ?? []) : [],
    publishers: isAlone('publisher') ? (match.publisher ?? []) : [],
    channels: isAlone('channel') ? (match.channel ?? []) : [],
  };
}

function askedRules({ policy, catalogue, at, zone }: CompileInput): AskedRule[] {
  const ready = readyPolicy(policy, catalogue, zone);
  const rules = [
    ...policy.rules,
    { id: 'default', match: {}, decision: policy.default.decision, denial: policy.default.denial },
  ];
  let sparedBefore: string | null = null;
  return rules.map((rule, place) => {
    const asked = reachingRule(rule.match, catalogue, rule.decision === 'deny');
    const denial = (ready.rules[place] ?? ready.default).denial;
    const found = inForce(rule, denial, asked, at);
    const made = { ...rule, ...asked, inForce: found === null ? null : { ...found, sparedBefore } };
    if (found === null) sparedBefore ??= rule.id;
    return made;
  });
}

/** The rules that may decide, in order, up to the first that surely does. */
function branchesOf(rules: readonly AskedRule[], identity: Identity): Branch[] {
  const branches: Branch[] = [];
  for (const rule of rules) {
    const reach = rule.reach(identity);
    if (reach.kind === 'no') continue;
    // A denial of places alone is no denial of this tool: it is told of as a whole.
    if (reach.kind === 'maybe' && rule.isOfPlaceOnly && rule.decision === 'deny') continue;
    branches.push({ rule, unseen: reach.kind === 'maybe' ? reach.unseen : [] });
    if (reach.kind === 'yes') break;
  }
  return branches;
}

const isPermitting = ({ rule }: Branch): boolean =>
  rule.decision === 'approve' || rule.decision === 'allow';

function judge(identity: Identity, rules: readonly AskedRule[]): Judged {
  const branches = branchesOf(rules, identity);
  const last = branches.at(-1)?.rule;
  // The default denies tools only: of a package that no entry claims nobody said that it is one.
  const isDenied = ({ rule }: Branch): boolean =>
    rule.inForce !== null && !(rule.id === 'default' && identity.tool === null);
  const denying = branches.filter(isDenied);
  const [first] = denying;
  const undecided = { rule: last?.id ?? 'default', denial: null, action: null };
  const isPartlyPermitted = branches.some((one) => !isDenied(one) && isPermitting(one));
  const spared = { ...undecided, isPartlyPermitted, unseen: [], sparedBy: null, versions: null };
  if (first === undefined) {
    const isPermitted = branches.every(isPermitting);
    return { ...identity, outcome: 'spared', isPermitted, ...spared };
  }
  const surest = denying.find(({ unseen }) => unseen.length === 0) ?? first;
  const ofDenial = {
    ...{ rule: surest.rule.id, denial: surest.rule.denial, isPermitted: false },
    action: denying
      .map(({ rule }) => rule.inForce?.action ?? 'observe')
      .reduce((one, other) => milder(one, other)),
  };
  const open = branches.filter((branch) => !isDenied(branch));
  if (open.length === 0) return { ...identity, outcome: 'denied', ...spared, ...ofDenial };
  const unseen = [...new Set(branches.flatMap((branch) => branch.unseen))];
  const isByVersion =
    denying.length === 1 && first.unseen.join() === 'version' && unseen.length === 1;
  return {
    ...{ ...identity, ...ofDenial, isPartlyPermitted, outcome: 'partly', unseen },
    sparedBy: open.find((branch) => branch.unseen.length > 0)?.rule.id ?? null,
    versions: isByVersion && first === branches[0] ? (first.rule.match.version ?? null) : null,
  };
}

const known = new WeakMap<CompileInput['policy'], { of: CompileInput; denials: Denials }>();

/** What the policy denies at `input.at`, and what it spares. Pure; the last answer for a policy is kept. */
export function denialsOf(input: CompileInput): Denials {
  const last = known.get(input.policy);
  const isSame =
    last?.of.catalogue === input.catalogue &&
    last.of.at === input.at &&
    last.of.zone === input.zone;
  if (last !== undefined && isSame) return last.denials;
  const denials = findDenials(input);
  known.set(input.policy, { of: input, denials });
  return denials;
}

function findDenials(input: CompileInput): Denials {
  const { policy, catalogue, at, zone } = input;
  const rules = askedRules(input);
  const ready = readyPolicy(policy, catalogue, zone);
  const dated = [...ready.rules, { id: 'default', denial: ready.default.denial }];
  return {
    inForce: rules.flatMap((rule) => rule.inForce ?? []),
    later: dated.flatMap(({ id, denial }) =>
      denial !== null && at < denial.effective ? { rule: id, effective: denial.effective } : [],
    ),
    identities: identitiesOf(policy, catalogue).map((identity) => judge(identity, rules)),
  };
}
