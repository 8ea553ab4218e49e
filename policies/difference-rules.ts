/**
 * The difference between two versions of a policy's rules, in words: rules that came, went, changed or
 * moved, and for dates how much earlier or later, in days of the policy's zone. Part of `difference.ts`.
 */
import { daysLeft, resolveDate, zoneOf } from './dates.js';
import type { Denial, Policy, PolicyDate, Rule, Text } from './document.js';
import {
  dateWords,
  decidedWords,
  decisionWords,
  fieldName,
  joined,
  listed,
  matchFields,
  matchWords,
  same,
  valuesOf,
  words,
  type Words,
} from './difference-words.js';

/** A change of a rule; null: of the policy itself. */
export interface Part {
  readonly rule: string | null;
  readonly text: Words;
}

/** What somebody decided, in the policy that gives its dates a zone. */
type Decided = Pick<Rule, 'decision' | 'denial'> & { readonly policy: Policy };

const ofRule = (id: string, { en, 'zh-CN': zh }: Words): Words =>
  words(`rule ${id}: ${en}`, `规则 ${id}：${zh}`);

export function rulesDifference(before: Policy, after: Policy): Part[] {
  const known = new Map(before.rules.map((rule) => [rule.id, rule]));
  const kept = new Set(after.rules.map(({ id }) => id));
  const gone = before.rules
    .filter(({ id }) => !kept.has(id))
    .map((rule) => {
      const was = describe(rule, before);
      const text = words(
        `rule ${rule.id} removed; it said: ${was.en}`,
        `规则 ${rule.id} 已移除；原为：${was['zh-CN']}`,
      );
      return { rule: rule.id, text };
    });
  const rest = after.rules.flatMap((rule): Part[] => {
    const old = known.get(rule.id);
    if (old === undefined) return [{ rule: rule.id, text: newRule(rule, after) }];
    const changes = [
      ...matchDifference(old, rule),
      ...decidedDifference({ ...old, policy: before }, { ...rule, policy: after }),
    ];
    return changes.map((text) => ({ rule: rule.id, text: ofRule(rule.id, text) }));
  });
  return [...gone, ...rest, ...orderDifference(before, after)];
}

const describe = (rule: Rule, policy: Policy): Words =>
  joined([matchWords(rule.match), decidedWords(rule, policy)], words(': ', '：'));

/** A rule that is new, and where it stands. */
export function newRule(rule: Rule, policy: Policy): Words {
  const at = policy.rules.indexOf(rule);
  const next = policy.rules[at + 1];
  const what = describe(rule, policy);
  const where =
    next === undefined
      ? words('', '')
      : words(`; it comes before ${next.id}`, `；排在 ${next.id} 之前`);
  return words(
    `new rule ${rule.id}: ${what.en}${where.en}`,
    `新规则 ${rule.id}：${what['zh-CN']}${where['zh-CN']}`,
  );
}

function matchDifference(before: Rule, after: Rule): Words[] {
  return matchFields(before.match, after.match).flatMap((field) => {
    const [old, now] = [valuesOf(before.match, field), valuesOf(after.match, field)];
    const added = now.filter((value) => !old.includes(value));
    const removed = old.filter((value) => !now.includes(value));
    if (added.length === 0 && removed.length === 0) return [];
    const name = fieldName(field);
    if (old.length === 0) {
      const list = listed(now);
      return [words(`now only ${name.en} ${list.en}`, `现在仅限${name['zh-CN']} ${list['zh-CN']}`)];
    }
    if (now.length === 0) {
      const list = listed(old);
      return [
        words(`no longer only ${name.en} ${list.en}`, `不再限于${name['zh-CN']} ${list['zh-CN']}`),
      ];
    }
    return [setDifference(name, added, removed)];
  });
}

function setDifference(name: Words, added: readonly string[], removed: readonly string[]): Words {
  const parts = [
    ...(added.length === 0
      ? []
      : [words(`now also ${listed(added).en}`, `新增 ${listed(added)['zh-CN']}`)]),
    ...(removed.length === 0
      ? []
      : [words(`no longer ${listed(removed).en}`, `去掉 ${listed(removed)['zh-CN']}`)]),
  ];
  return joined([name, joined(parts)], words(' ', ' '));
}

/** What changed in a decision and, where both deny, in the denial. */
export function decidedDifference(before: Decided, after: Decided): Words[] {
  if (before.denial === null || after.denial === null) {
    if (before.decision === after.decision) return [];
    const was = decisionWords[before.decision];
    const is = decidedWords(after, after.policy);
    return [
      words(`now ${is.en}, no longer ${was.en}`, `现为${is['zh-CN']}，不再是${was['zh-CN']}`),
    ];
  }
  const [old, now] = [before.denial, after.denial];
  return [
    ...dateDifference(
      dateNames.effective,
      dated(old.effective, before),
      dated(now.effective, after),
    ),
    ...dateDifference(dateNames.announce, dated(old.announce, before), dated(now.announce, after)),
    ...termsDifference(old, now),
    ...textDifference(old.reason, now.reason),
    ...linkDifference(old, now),
  ];
}

const dateNames = {
  effective: words('in force', '生效'),
  announce: words('prompts begin', '开始提醒'),
};

interface Dated {
  readonly date: PolicyDate | null;
  readonly timezone: string | null;
}
const dated = (date: PolicyDate | null, { policy }: Decided): Dated => ({
  date,
  timezone: policy.timezone,
});

/** For `device-local`, whose days begin at another instant on each device, any zone counts alike. */
const anyZone = 'UTC';

function dateDifference(name: Words, before: Dated, after: Dated): Words[] {
  if (before.date === after.date && before.timezone === after.timezone) return [];
  if (before.date === null || after.date === null) {
    const shown = ({ date, timezone }: Dated): Words =>
      date === null ? words('at once', '立即') : dateWords(date, timezone);
    const [from, to] = [shown(before), shown(after)];
    if (from.en === to.en) return [];
    return [
      words(
        `${name.en} ${to.en}, no longer ${from.en}`,
        `${name['zh-CN']}改为${to['zh-CN']}，原为${from['zh-CN']}`,
      ),
    ];
  }
  const instant = ({ timezone }: Dated, date: PolicyDate) => resolveDate(date, timezone, anyZone);
  const [from, to] = [instant(before, before.date), instant(after, after.date)];
  const isLocal = before.timezone === 'device-local' || after.timezone === 'device-local';
  if (from === to && !isLocal) return [];
  if (before.date === after.date && !before.date.includes('T'))
    return [zoneMoved(name, before, after)];
  if (before.date.includes('T') && before.date === after.date) return [];
  const moved = movedWords(from, to, zoneOf(after.timezone, anyZone));
  const [was, is] = [before.date, dateWords(after.date, after.timezone)];
  return [
    words(
      `${name.en} ${moved.en}, from ${was} to ${is.en}`,
      `${name['zh-CN']}${moved['zh-CN']}，从 ${was} 改为 ${is['zh-CN']}`,
    ),
  ];
}

/** The same day begins elsewhere now. */
function zoneMoved(name: Words, before: Dated, after: Dated): Words {
  const [was, is] = [
    dateWords(before.date ?? '', before.timezone),
    dateWords(after.date ?? '', after.timezone),
  ];
  return words(
    `${name.en} at another moment: ${is.en}, no longer ${was.en}`,
    `${name['zh-CN']}时刻有变：${is['zh-CN']}，原为 ${was['zh-CN']}`,
  );
}

const minuteMs = 60_000;

function movedWords(from: number, to: number, zone: string): Words {
  const days = Math.abs(daysLeft(from, to, zone));
  const isEarlier = to < from;
  const [direction, zh] = isEarlier ? ['earlier', '提前'] : ['later', '推迟'];
  if (days > 0)
    return words(`${days} ${days === 1 ? 'day' : 'days'} ${direction}`, `${zh} ${days} 天`);
  const minutes = Math.round(Math.abs(to - from) / minuteMs);
  const parts: readonly Words[] = [
    words(`${Math.floor(minutes / 60)} h`, `${Math.floor(minutes / 60)} 小时`),
    words(`${minutes % 60} min`, `${minutes % 60} 分钟`),
  ].filter(({ en }) => !en.startsWith('0 '));
  const span = joined(parts, same(' '));
  return words(`${span.en} ${direction}`, `${zh} ${span['zh-CN']}`);
}

function termsDifference(before: Denial, after: Denial): Words[] {
  const changes: Words[] = [];
  const compare = (name: Words, from: string | null, to: string | null): void => {
    if (from === to) return;
    const [was, is] = [from ?? 'none', to ?? 'none'];
    const none = (text: string): string => (text === 'none' ? '无' : text);
    changes.push(
      words(
        `${name.en} ${is}, no longer ${was}`,
        `${name['zh-CN']}改为 ${none(is)}，原为 ${none(was)}`,
      ),
    );
  };
  compare(words('severity', '严重程度'), before.severity, after.severity);
  compare(words('until in force', '生效前的动作'), before.before, after.before);
  compare(words('once in force', '生效后的动作'), before.after, after.after);
  compare(words('grace', '宽限期'), before.grace, after.grace);
  const later = ({ escalate }: Denial): string | null =>
    escalate === null ? null : `${escalate.action} +${escalate.after}`;
  compare(words('later action', '后续动作'), later(before), later(after));
  return changes;
}

function textDifference(before: Text, after: Text): Words[] {
  const tags = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return tags.flatMap((tag) => {
    const [old, now] = [before[tag], after[tag]];
    if (old === now) return [];
    if (old === undefined) return [words(`reason now also in ${tag}`, `理由新增语言 ${tag}`)];
    if (now === undefined) return [words(`reason no longer in ${tag}`, `理由不再提供 ${tag}`)];
    return [words(`reason reworded in ${tag}`, `理由的 ${tag} 文字有变`)];
  });
}

function linkDifference(before: Denial, after: Denial): Words[] {
  const changes: Words[] = [];
  const added = after.evidence.filter((url) => !before.evidence.includes(url));
  const removed = before.evidence.filter((url) => !after.evidence.includes(url));
  if (added.length > 0 || removed.length > 0) {
    changes.push(setDifference(words('evidence', '依据'), added, removed));
  } else if (before.evidence.join(' ') !== after.evidence.join(' ')) {
    changes.push(words('evidence in another order', '依据的顺序有变'));
  }
  const [old, now] = [before.replacement, after.replacement];
  if (old?.tool !== now?.tool) {
    const none = words('none', '无');
    const [was, is] = [old === null ? none : same(old.tool), now === null ? none : same(now.tool)];
    changes.push(
      words(
        `replacement ${is.en}, no longer ${was.en}`,
        `替代工具改为 ${is['zh-CN']}，原为 ${was['zh-CN']}`,
      ),
    );
  }
  if ((old?.guide ?? null) !== (now?.guide ?? null)) {
    const guide = now?.guide ?? null;
    changes.push(
      guide === null
        ? words('no migration guide any more', '不再提供迁移指南')
        : words(`migration guide is now ${guide}`, `迁移指南改为 ${guide}`),
    );
  }
  return changes;
}

/** Rules that passed others: what both match is decided by another one now. */
function orderDifference(before: Policy, after: Policy): Part[] {
  const places = new Map(before.rules.map(({ id }, at) => [id, at]));
  const kept = after.rules.filter(({ id }) => places.has(id));
  return kept.flatMap((rule, at) => {
    const place = places.get(rule.id) ?? 0;
    const passed = kept.slice(at + 1).filter((other) => (places.get(other.id) ?? 0) < place);
    if (passed.length === 0) return [];
    const names = listed(passed.map(({ id }) => id));
    const differing = passed.filter(({ decision }) => decision !== rule.decision);
    const decision = decisionWords[rule.decision];
    const previous = listed([...new Set(differing.map((one) => decisionWords[one.decision].en))]);
    const zhBefore = [...new Set(differing.map((one) => decisionWords[one.decision]['zh-CN']))];
    const so =
      differing.length === 0
        ? words(
            `so ${rule.id} decides what both match, with its own dates and texts`,
            `两者都匹配的内容改由 ${rule.id} 决定，以其日期和文字为准`,
          )
        : words(
            `so what both match is ${decision.en}, no longer ${previous.en}`,
            `两者都匹配的内容现为${decision['zh-CN']}，不再是${zhBefore.join('、')}`,
          );
    return [
      {
        rule: rule.id,
        text: words(
          `order changed: ${rule.id} now comes before ${names.en}, ${so.en}`,
          `顺序有变：${rule.id} 现在排在 ${names['zh-CN']} 之前，${so['zh-CN']}`,
        ),
      },
    ];
  });
}
