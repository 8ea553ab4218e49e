/**
 * What a policy does to the tools that it means well: a replacement that is itself denied, and the traps
 * of an allow-list. It asks the evaluation itself, of a plain install and a process of the tool, so lint
 * and devices cannot come to different answers.
 */
import type { Catalogue, IdentifierKind, Tool } from './catalogue.js';
import type { Channel, Component } from './component.js';
import { channels } from './component.js';
import { resolveDate } from './dates.js';
import type { Policy } from './document.js';
import { evaluate, type Verdict } from './evaluate.js';
import { advice, type Advice } from './lint-checks.js';
import { denialsOf } from './lint-dates.js';
import { channelsOf } from './lint-possible.js';
import { toolList, toolsOf } from './lint-reach.js';

/** Channels whose finds are the tool in use; the others are traces, settings and models. */
const inUse: readonly Channel[] = channels.filter(
  (channel) => !['config', 'service', 'model', 'mcp'].includes(channel),
);

const nameKinds: Readonly<Partial<Record<Channel, readonly IdentifierKind[]>>> = {
  npm: ['npm'],
  pypi: ['pypi'],
  homebrew: ['homebrewFormula', 'homebrewCask'],
  'editor-extension': ['editorExtension'],
  'jetbrains-plugin': ['jetbrainsPlugin'],
  'browser-extension': ['browserExtension'],
};

/** An install of the tool by a channel, or its process, with nothing unusual about it. */
function plain(tool: Tool, channel: Channel): Component {
  const name = nameKinds[channel]?.flatMap((kind) => tool.identifiers[kind])[0] ?? tool.id;
  return {
    id: `lint ${tool.id} ${channel}`,
    tool: tool.id,
    channel,
    manager: null,
    purl: null,
    name,
    version: null,
    path: `/${name}`,
    owner: null,
    scope: 'global',
    state: channel === 'process' ? 'running' : 'installed',
    confidence: 'high',
    evidence: [],
  };
}

interface Judged {
  readonly policy: Policy;
  readonly catalogue: Catalogue;
  /** Places in the list of rules that can match nothing, of which enough is said. */
  readonly dead: ReadonlySet<number>;
}

/** The end of time as dates have it: what is denied at all is denied then. */
const atTheEnd = Date.parse('9999-01-01T00:00:00Z');

function verdictOn({ policy, catalogue }: Judged, component: Component, now: number): Verdict {
  const [platform = 'linux'] = policy.targets.os ?? [];
  const device = { id: 'lint', hardwareId: null, person: null, group: null, platform, zone: 'UTC' };
  return evaluate({
    ...{ policy, catalogue, component, now },
    exceptions: [],
    // Told long ago: no grace is left.
    notices: new Map(['default', ...policy.rules.map(({ id }) => id)].map((id) => [id, 0])),
    device: { ...device, maxAction: 'remove' },
  }).verdict;
}

const channelsInUse = (tool: Tool, among = inUse): readonly Channel[] =>
  among.filter((channel) => (channelsOf(tool) >> channels.indexOf(channel)) & 1);

const isDenied = ({ status }: Verdict): boolean => status === 'violation' || status === 'pending';
const decider = ({ rule }: Verdict): string =>
  rule === 'default' ? 'the default' : `rule ${rule ?? ''}`;

/** Denials that send people to what is denied too. */
export function replacementAdvice(judged: Judged): Advice[] {
  const { policy, catalogue } = judged;
  const { timezone } = policy;
  // Who decides does not depend on the time, so each tool is asked about once.
  const known = new Map<Tool, readonly { channel: Channel; verdict: Verdict }[]>();
  const verdictsOn = (tool: Tool): readonly { channel: Channel; verdict: Verdict }[] => {
    const made =
      known.get(tool) ??
      channelsInUse(tool).map((channel) => ({
        channel,
        verdict: verdictOn(judged, plain(tool, channel), atTheEnd),
      }));
    known.set(tool, made);
    return made;
  };
  return denialsOf(policy).flatMap(({ denial, path, name }): Advice[] => {
    const id = denial.replacement?.tool;
    const tool = id === undefined ? null : catalogue.tool(id);
    if (id === undefined || tool === null) return [];
    const at = [...path, 'replacement', 'tool'];
    const date = resolveDate(denial.effective, timezone, 'UTC');
    const denied = verdictsOn(tool).filter(({ verdict }) => isDenied(verdict));
    const [first] = denied;
    if (first === undefined) return [];
    const { effective } = first.verdict;
    const by = decider(first.verdict);
    if (denied.every(({ verdict }) => (verdict.effective ?? 0) > date)) {
      const day = new Date(effective ?? 0).toISOString();
      const message = `${name} sends people to ${id}, which ${by} denies later, from ${day} on`;
      return [advice('replacement-later', at, message)];
    }
    const where =
      denied.length === verdictsOn(tool).length
        ? ''
        : ` where it is found by channel ${denied.map(({ channel }) => channel).join(', ')}`;
    const message = `${name} sends people to ${id}, which is itself denied by ${by}${where}; approve it in a rule before`;
    return [advice('replacement-denied', at, message)];
  });
}

/** What a default of deny takes that an approval seems to have covered. */
export function allowListAdvice(judged: Judged): Advice[] {
  const { policy } = judged;
  if (policy.default.decision !== 'deny') return [];
  const approvals = policy.rules.filter(
    ({ decision }) => decision === 'approve' || decision === 'allow',
  );
  if (approvals.length === 0) {
    const message = 'nothing is approved or allowed: every AI tool in use is denied';
    return [advice('allow-list-empty', ['default', 'decision'], message)];
  }
  return [...partialAdvice(judged), ...siblingAdvice(judged)];
}

/** Tools that a rule approves by name and the default still denies in some of their usual forms. */
function partialAdvice(judged: Judged): Advice[] {
  const { policy, catalogue, dead } = judged;
  return policy.rules.flatMap(({ id, decision, match }, at): Advice[] => {
    const isApproval = decision === 'approve' || decision === 'allow';
    if (!isApproval || dead.has(at) || match.tool === undefined) return [];
    const forms = toolList(toolsOf(match, catalogue), catalogue).flatMap((tool) =>
      // As an MCP server the tool is started by others, and the default denies that too.
      channelsInUse(tool, [...inUse, 'mcp']).map((channel) => ({ tool, channel })),
    );
    // Of an approval of one package or one place nobody thinks that it approves the tool.
    if (match.package ?? match.path ?? match.owner ?? match.publisher) return [];
    const left = forms.filter(({ tool, channel }) => {
      const verdict = verdictOn(judged, plain(tool, channel), atTheEnd);
      return verdict.rule === 'default' && isDenied(verdict);
    });
    const [first] = left;
    if (first === undefined) return [];
    const running = left.some(({ channel }) => channel === 'process');
    const narrow = (['channel', 'state', 'scope', 'running', 'gateway', 'version'] as const).filter(
      (field) => match[field] !== undefined,
    );
    const what = running
      ? `a running ${first.tool.id} is a process (channel process, state running), whatever it was installed by`
      : `${first.tool.id} by channel ${[...new Set(left.map(({ channel }) => channel))].join(', ')}`;
    const message = `rule ${id} leaves to the default, which denies it: ${what}; widen ${narrow.join(', ') || 'the match'}, or name the rest in a rule`;
    return [advice('allow-list-partial', ['rules', at, 'match'], message)];
  });
}

/** Other tools of the vendor, which often come along with the approved one and are named by no rule. */
function siblingAdvice(judged: Judged): Advice[] {
  const { policy, catalogue, dead } = judged;
  const said = new Set<string>();
  return policy.rules.flatMap(({ id, decision, match }, at): Advice[] => {
    const isApproval = decision === 'approve' || decision === 'allow';
    if (!isApproval || dead.has(at) || match.tool === undefined) return [];
    const approved = toolList(toolsOf(match, catalogue), catalogue);
    const vendors = new Set(approved.map(({ vendor }) => vendor));
    const left = catalogue.tools.filter((tool) => {
      if (!vendors.has(tool.vendor) || approved.includes(tool) || said.has(tool.id)) return false;
      return channelsInUse(tool).some((channel) => {
        const verdict = verdictOn(judged, plain(tool, channel), atTheEnd);
        return verdict.rule === 'default' && isDenied(verdict);
      });
    });
    for (const tool of left) said.add(tool.id);
    if (left.length === 0) return [];
    const message = `the default denies other tools of ${[...vendors].join(', ')} that may come along with what rule ${id} approves: ${left.map((tool) => tool.id).join(', ')}; name them in a rule, whatever it decides`;
    return [advice('allow-list-siblings', ['rules', at, 'match', 'tool'], message)];
  });
}
