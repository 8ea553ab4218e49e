/**
 * When to speak, and to whom: once per finding, rule and status, to the person who owns the install;
 * about what belongs to the machine, to each of its people once. What could not be shown does not count as
 * shown and is tried again. It blocks nobody: the loop offers findings and goes on.
 */
import type { Catalogue } from '../../policies/catalogue.js';
import { zoneOf } from '../../policies/dates.js';
import type { Policy, Text } from '../../policies/document.js';
import type { Verdict } from '../../policies/evaluate.js';
import type { Judged } from '../report/messages.js';
import type { Notifier, Recipient } from './notify.js';
import { languageFor, promptLine, promptText, type PromptFacts } from './texts.js';

/** A finding of one recipient: the tool and the rule that denies it. */
export interface Finding {
  readonly key: string;
  readonly tool: string | null;
  readonly name: string;
  /** Account it is for. */
  readonly account: string;
  readonly rule: string;
  readonly verdict: Verdict;
}

const speaking = new Set(['notify', 'block', 'remove']);

/** Whether a verdict is one that its owner has to hear of now. */
export function mustTell({ status, rule, effective, effectiveAction }: Verdict): boolean {
  const isDenied = status === 'pending' || status === 'violation';
  return isDenied && rule !== null && effective !== null && speaking.has(effectiveAction ?? '');
}

/** The key under which a finding's prompts are remembered. */
export const findingKey = (tool: string | null, name: string, account: string): string =>
  `${tool ?? `:${name}`}\n${account}`;

/** The keys of all that is there, denied or not, for whoever would be told of it. */
export function findingKeys(
  judged: readonly Judged[],
  accounts: readonly string[],
): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const { component } of judged) {
    const { tool, name, owner } = component;
    for (const account of owner === null ? accounts : [owner]) {
      keys.add(findingKey(tool, name, account));
    }
  }
  return keys;
}

/** One finding per tool, rule and recipient; of several components the one in force speaks. */
export function findingsOf(
  judged: readonly Judged[],
  accounts: readonly string[],
): readonly Finding[] {
  const found = new Map<string, Finding>();
  for (const { component, verdict } of judged) {
    if (!mustTell(verdict)) continue;
    const rule = `${verdict.policy ?? ''}/${verdict.rule ?? ''}`;
    for (const account of component.owner === null ? accounts : [component.owner]) {
      const { tool, name } = component;
      const key = findingKey(tool, name, account);
      const known = found.get(`${key}\n${rule}`);
      if (known?.verdict.status === 'violation') continue;
      found.set(`${key}\n${rule}`, { key, tool, name, account, rule, verdict });
    }
  }
  return [...found.values()];
}

export interface PrompterParts {
  readonly notifier: Notifier;
  readonly recipients: () => readonly Recipient[];
  /** Whether it was the last that this finding and rule was shown with the status it has. */
  readonly wasShown: (finding: Finding) => boolean;
  /** Makes it durable and reports it. */
  readonly onShown: (finding: Finding) => void;
  readonly onNotShown: (finding: Finding, why: string) => void;
  /** Once per finding, rule and status in the life of this process, for the terminal. */
  readonly onLine: (finding: Finding, line: string) => void;
  readonly organisation: string | null;
  readonly contact: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Prompter {
  /** All findings as they stand, under the policy that made them. */
  offer(findings: readonly Finding[], policy: Policy, context: PromptContext): void;
  /** Resolves when everything offered has been tried. */
  idle(): Promise<void>;
}

export interface PromptContext {
  readonly catalogue: Catalogue;
  readonly deviceZone: string;
}

/** What could not be shown is tried again no sooner than this. */
const againMs = 60_000;

/** The prompter; one notification at a time. */
export function createPrompter(parts: PrompterParts, nowMs: () => number = Date.now): Prompter {
  const said = new Set<string>();
  const triedAt = new Map<string, number>();
  let chain = Promise.resolve();
  const tell = async (finding: Finding, facts: PromptFacts): Promise<void> => {
    const id = `${finding.key}\n${finding.rule}\n${finding.verdict.status}`;
    const recipient = parts.recipients().find(({ account }) => account === finding.account);
    const env = recipient?.isCurrent === true ? parts.env : null;
    const language = languageFor({ home: recipient?.home ?? '/nonexistent', env });
    const text = promptText(language, facts);
    if (!said.has(id)) parts.onLine(finding, promptLine(language, text));
    said.add(id);
    if (parts.wasShown(finding)) return;
    if (nowMs() - (triedAt.get(id) ?? -againMs) < againMs) return;
    triedAt.set(id, nowMs());
    if (recipient === undefined) return parts.onNotShown(finding, 'not-a-person-here');
    const shown = await parts.notifier.show(recipient, text);
    if (shown.kind === 'shown') {
      triedAt.delete(id);
      parts.onShown(finding);
    } else parts.onNotShown(finding, shown.why);
  };
  return {
    offer(findings, policy, context) {
      for (const finding of findings) {
        const facts = factsOf(finding, policy, context, parts);
        chain = chain
          .then(() => tell(finding, facts))
          .catch(() => parts.onNotShown(finding, 'failed'));
      }
    },
    idle: () => chain,
  };
}

function factsOf(
  { tool, name, verdict }: Finding,
  policy: Policy,
  { catalogue, deviceZone }: PromptContext,
  { organisation, contact }: PrompterParts,
): PromptFacts {
  const rule = policy.rules.find(({ id }) => id === verdict.rule);
  const denial = rule === undefined ? policy.default.denial : rule.denial;
  const reason: Text = denial?.reason ?? {};
  const nameOf = (id: string): string => catalogue.tool(id)?.name ?? id;
  return {
    toolName: tool === null ? name : nameOf(tool),
    isInForce: verdict.status === 'violation',
    effective: verdict.effective ?? 0,
    zone: zoneOf(policy.timezone, verdict.zone ?? deviceZone),
    daysLeft: Math.max(0, verdict.daysLeft ?? 0),
    replacementName: verdict.replacement === null ? null : nameOf(verdict.replacement.tool),
    guide: verdict.replacement?.guide ?? null,
    reason,
    organisation,
    contact: policy.contact?.replace(/^mailto:/, '') ?? contact,
  };
}
