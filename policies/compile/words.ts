/**
 * What every target says in words and ids: the message a person sees, ids that stay the same as long
 * as what they name does, and what is told of the part of a policy that a target cannot say. Nothing
 * here knows a format.
 */
import { createHash } from 'node:crypto';
import type { Catalogue } from '../catalogue.js';
import type { Denial } from '../document.js';
import { plainText, readMarkdown } from '../markdown.js';
import type { DenialInForce, Denials, Judged } from './denials.js';
import type { IdentityKind } from './identities.js';
import type { CompileInput, NotExpressible } from './index.js';

/** A UUID that is the hash of what it names, in the form of RFC 9562, version 8; lower case. */
export function hashedUuid(...parts: readonly string[]): string {
  const hex = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  const variant = '89ab'.charAt(Number.parseInt(hex.charAt(16), 16) & 3);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

/** The English text, or the first of the languages there are, without marks of Markdown; one line. */
export function plainReason(denial: Denial): string {
  const { reason } = denial;
  const text = reason['en'] ?? Object.entries(reason).sort()[0]?.[1] ?? '';
  return plainText(readMarkdown(text).blocks).replace(/\s+/g, ' ').trim();
}

/** What a person is told who meets the denial: why, and what to use instead; one line. */
export function messageOf(denial: Denial, catalogue: Catalogue, maxLength = 1000): string {
  const { replacement } = denial;
  const reason = plainReason(denial);
  const name = replacement === null ? null : (catalogue.tool(replacement.tool)?.name ?? null);
  const guide = replacement?.guide ?? null;
  const instead = name === null ? '' : `Use ${name} instead${guide === null ? '' : `: ${guide}`}`;
  const text = ['Not approved.', reason, instead].filter((one) => one !== '').join(' ');
  if (text.length <= maxLength) return text;
  return `${text.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** Warnings of every target: what is not in force yet, and for which devices the files are. */
export function usualWarnings({ policy }: CompileInput, denials: Denials): string[] {
  const { groups, users, os, percent } = policy.targets;
  const later = denials.later.map(
    ({ rule, effective }) =>
      `${rule} is in force from ${new Date(effective).toISOString()}; compile again then`,
  );
  const parts = [
    groups === null ? null : `groups ${groups.join(', ')}`,
    users === null ? null : `the devices of ${users.join(', ')}`,
    os === null ? null : `operating systems ${os.join(', ')}`,
    percent === null ? null : `${percent} percent of the devices`,
  ].filter((part) => part !== null);
  if (parts.length === 0) return later;
  return [...later, `the policy is for ${parts.join(' and ')} only: deploy the files to no others`];
}

/** What a target can see, for what is said of the rest. */
export interface Sight {
  /** The product as in a sentence: `Santa`. */
  readonly product: string;
  /** Whether it stops things; a target that only reports says every denial. */
  readonly isBlocking: boolean;
  /** Whether it can hold a name to a range of versions. */
  readonly seesVersions?: boolean;
  /** Why an identity of this kind that was not written is out of reach; null: not of its world. */
  readonly whyNot: (kind: IdentityKind, identity: Judged) => string | null;
  /** What the target made of a rule's paths, publishers or channels, when it made anything. */
  readonly expressedRules?: ReadonlySet<string>;
}

/** True when the policy asks for no more than words. */
export const isMild = ({ action }: Pick<DenialInForce, 'action'>): boolean =>
  action === 'observe' || action === 'notify';

/** Denied whatever else holds, and by more than words: what a target that blocks may write. */
export const isBlocked = ({ outcome, action }: Pick<Judged, 'outcome' | 'action'>): boolean =>
  outcome === 'denied' && action !== null && !isMild({ action });

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];

/** What of a rule as a whole is out of reach; empty when only single tools are. */
function ofRule(rule: DenialInForce, sight: Sight): string[] {
  const { product } = sight;
  if (sight.isBlocking && isMild(rule)) {
    return [`the rule asks to ${rule.action} only, and ${product} can only block`];
  }
  const unseen = rule.unseen.filter((field) => field !== 'version' || sight.seesVersions !== true);
  if (sight.expressedRules?.has(rule.rule) === true) return [];
  if (rule.channels.length > 0) {
    return [`all of ${rule.channels.join(', ')}, whatever the tool, has no form in ${product}`];
  }
  if (rule.paths.length > 0) {
    const why = 'an earlier rule lets something be, or they are patterns or of another system';
    return [`${product} would stop whatever lies at its paths: ${why}`];
  }
  if (unseen.length === 0) return [];
  return [`the rule asks for ${unseen.join(' and ')}, which ${product} cannot compare`];
}

/** A device that is told late has its grace, which a file for the whole fleet cannot count. */
function graceOf({ denial: { grace } }: DenialInForce, { product, isBlocking }: Sight): string[] {
  if (grace === null || !isBlocking) return [];
  return [`each device has ${grace} from its first notice, which ${product} does not count`];
}

function ofTool(judged: readonly Judged[], written: ReadonlySet<Judged>, sight: Sight): string[] {
  const missing = judged.filter((one) => !written.has(one));
  const reasons = missing.flatMap((one) => {
    if (one.outcome === 'partly' && !(one.versions !== null && sight.seesVersions === true)) {
      const by = one.sparedBy === null ? '' : ` ${one.sparedBy} lets some of it be;`;
      return [`${by} ${one.unseen.join(' and ')} decides, which ${sight.product} cannot compare`];
    }
    if (
      sight.isBlocking &&
      one.outcome === 'denied' &&
      isMild({ action: one.action ?? 'observe' })
    ) {
      return [`a rule asks for words only where ${sight.product} can only block`];
    }
    return sight.whyNot(one.kind, one) ?? [];
  });
  if (missing.length < judged.length || reasons.length > 0)
    return unique(reasons.map((it) => it.trim()));
  return [`the catalogue has nothing of it that ${sight.product} sees`];
}

/**
 * Everything denied in force that is not among `written`: a line for a whole rule, or for a tool of
 * it and each reason. A tool of which some is written is named too where the rest has a reason.
 */
export function unexpressed(
  denials: Denials,
  written: ReadonlySet<Judged>,
  sight: Sight,
): NotExpressible[] {
  return denials.inForce.flatMap((rule): NotExpressible[] => {
    const lines = (reasons: readonly string[]): NotExpressible[] =>
      reasons.map((reason) => ({ rule: rule.rule, tool: null, reason }));
    const whole = ofRule(rule, sight);
    if (whole.length > 0) return lines(whole);
    const byTool = new Map<string, Judged[]>();
    for (const one of denials.identities) {
      if (one.outcome === 'spared' || one.rule !== rule.rule) continue;
      const key = one.tool?.id ?? `${one.kind} ${one.name}`;
      byTool.set(key, [...(byTool.get(key) ?? []), one]);
    }
    const ofTools = [...byTool.entries()].flatMap(([key, judged]) =>
      ofTool(judged, written, sight).map((reason) => {
        const isTool = judged[0]?.tool !== null;
        return {
          rule: rule.rule,
          tool: isTool ? key : null,
          reason: isTool ? reason : `${key}: ${reason}`,
        };
      }),
    );
    return [...lines(graceOf(rule, sight)), ...ofTools];
  });
}
