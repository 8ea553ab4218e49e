/**
 * The difference between the policies that are live and those that would be, in words: what an admin
 * has to know of it, rule by rule, never a difference of texts. Pure. Two policies that mean different
 * things never come out alike; comments and layout mean nothing and come out as no difference.
 */
import type { Policy } from './document.js';
import { decidedDifference, newRule, rulesDifference, type Part } from './difference-rules.js';
import { decidedWords, joined, listed, same, words, type Words } from './difference-words.js';
import { reportKinds } from './reporting.js';

export { differenceLanguages, type Words } from './difference-words.js';

export interface Change {
  readonly policy: string;
  /** `default` for the default; null for the policy itself. */
  readonly rule: string | null;
  readonly words: Words;
}

/** Every change from `before` to `after`, both in order of priority. */
export function difference(before: readonly Policy[], after: readonly Policy[]): readonly Change[] {
  const known = new Map(before.map((policy) => [policy.policy, policy]));
  const kept = new Set(after.map(({ policy }) => policy));
  return [
    ...before.filter(({ policy }) => !kept.has(policy)).map(removedPolicy),
    ...after.flatMap((policy) => {
      const old = known.get(policy.policy);
      return old === undefined ? newPolicy(policy) : policyDifference(old, policy);
    }),
    ...priorityDifference(before, after),
  ];
}

const ofPolicy = ({ policy }: Policy, text: Words): Change => ({ policy, rule: null, words: text });

function removedPolicy(policy: Policy): Change {
  const { policy: id, title } = policy;
  return ofPolicy(policy, words(`policy ${id} removed: ${title}`, `策略 ${id} 已移除：${title}`));
}

function newPolicy(policy: Policy): Change[] {
  const targets = targetWords(policy);
  const { policy: id, title } = policy;
  return [
    ofPolicy(
      policy,
      words(
        `new policy ${id}: ${title}; for ${targets.en}`,
        `新策略 ${id}：${title}；适用于${targets['zh-CN']}`,
      ),
    ),
    ...policy.rules.map((rule) => ({
      policy: id,
      rule: rule.id,
      words: newRule(rule, policy),
    })),
    defaultChange(policy),
  ];
}

function defaultChange(policy: Policy): Change {
  const decided = decidedWords(policy.default, policy);
  return {
    policy: policy.policy,
    rule: 'default',
    words: words(
      `AI tools that no rule names: ${decided.en}`,
      `没有规则提及的 AI 工具：${decided['zh-CN']}`,
    ),
  };
}

/** Which devices, in words. */
function targetWords({ targets }: Policy): Words {
  const { groups, users, os, percent } = targets;
  const parts: Words[] = [];
  const add = (en: string, zh: string, values: readonly string[] | null): void => {
    if (values === null) return;
    const list = listed(values);
    parts.push(words(`${en} ${list.en}`, `${zh} ${list['zh-CN']}`));
  };
  add('group', '组', groups);
  add('person', '人员', users);
  add('system', '系统', os);
  if (percent !== null) parts.push(words(`${percent} % of the devices`, `${percent}% 的设备`));
  return parts.length === 0 ? words('all devices', '所有设备') : joined(parts);
}

function policyDifference(before: Policy, after: Policy): Change[] {
  const parts: Part[] = [...headDifference(before, after).map((text) => ({ rule: null, text }))];
  parts.push(...rulesDifference(before, after));
  const byDefault = decidedDifference(
    { ...before.default, policy: before },
    { ...after.default, policy: after },
  );
  for (const text of byDefault) {
    const named = words(
      `AI tools that no rule names: ${text.en}`,
      `没有规则提及的 AI 工具：${text['zh-CN']}`,
    );
    parts.push({ rule: 'default', text: named });
  }
  return parts.map(({ rule, text }) => ({ policy: after.policy, rule, words: text }));
}

/** A change from one value to another of something that is named in both languages. */
function fromTo(name: Words, from: Words, to: Words): Words {
  return words(
    `${name.en} changed: from ${from.en} to ${to.en}`,
    `${name['zh-CN']}有变：从${from['zh-CN']}改为${to['zh-CN']}`,
  );
}

const orNone = (text: string | null): Words => (text === null ? words('none', '无') : same(text));

function headDifference(before: Policy, after: Policy): Words[] {
  const changes: Words[] = [];
  const compare = (name: Words, from: Words, to: Words): void => {
    if (from.en !== to.en) changes.push(fromTo(name, from, to));
  };
  compare(words('title', '标题'), same(`“${before.title}”`), same(`“${after.title}”`));
  compare(words('contact', '联系方式'), orNone(before.contact), orNone(after.contact));
  compare(words('timezone', '时区'), orNone(before.timezone), orNone(after.timezone));
  if (JSON.stringify(sortedTargets(before)) !== JSON.stringify(sortedTargets(after))) {
    changes.push(fromTo(words('devices', '设备范围'), targetWords(before), targetWords(after)));
  }
  const kinds: Readonly<Record<(typeof reportKinds)[number], Words>> = {
    mcp: words('reports of MCP servers', 'MCP 服务器的上报'),
    model: words('reports of local models', '本地模型的上报'),
    service: words('reports of services left behind', '遗留服务的上报'),
    candidate: words('reports of what looks like an AI tool', '疑似 AI 工具的上报'),
  };
  for (const kind of reportKinds) {
    compare(kinds[kind], same(before.report[kind]), same(after.report[kind]));
  }
  return changes;
}

function sortedTargets({ targets: { groups, users, os, percent } }: Policy): unknown {
  const sorted = (list: readonly string[] | null) => (list === null ? null : [...list].sort());
  return [sorted(groups), sorted(users), sorted(os), percent];
}

/** A device follows the first policy that includes it, so their order decides. */
function priorityDifference(before: readonly Policy[], after: readonly Policy[]): Change[] {
  const places = new Map(before.map(({ policy }, at) => [policy, at]));
  const kept = after.filter(({ policy }) => places.has(policy));
  return kept.flatMap((policy, at) => {
    const jumped = kept
      .slice(at + 1)
      .filter((other) => (places.get(other.policy) ?? 0) < (places.get(policy.policy) ?? 0));
    if (jumped.length === 0) return [];
    const names = listed(jumped.map((other) => other.policy));
    const { policy: id } = policy;
    return [
      ofPolicy(
        policy,
        words(
          `order changed: policy ${id} now comes before ${names.en}, so devices that both include follow ${id}`,
          `顺序有变：策略 ${id} 现在排在 ${names['zh-CN']} 之前，两者都适用的设备改用 ${id}`,
        ),
      ),
    ];
  });
}
