/**
 * An explanation in the words of one language: a headline, the dates, what happens next, what to do and
 * why each rule did or did not match. The one home of these words, for the terminal and the console;
 * where they stand on either is decided there. Names from devices come through as they are: who shows
 * them makes them safe.
 */
import type { Action } from './document.js';
import type { ComingChange, Explanation, ExplainedVerdict } from './explain.js';
import { instantText } from './instant-text.js';
import { textIn, type Language } from './language.js';
import { plainText, readMarkdown } from './markdown.js';
import { isUndecided } from './trace.js';

export interface ExplainedLink {
  readonly label: string;
  readonly address: string;
}

export interface ExplanationText {
  readonly headline: string;
  /** What is done now, and until when or from when. */
  readonly now: readonly string[];
  readonly coming: readonly string[];
  /** Why the policy says so; null where it does not. */
  readonly reason: string | null;
  readonly todo: readonly string[];
  readonly links: readonly ExplainedLink[];
  readonly steps: readonly {
    readonly rule: string;
    readonly mark: string;
    readonly matched: boolean;
    readonly why: string;
  }[];
  /** What was not tried, and why; null when everything was. */
  readonly untried: string | null;
  readonly titles: {
    readonly tried: string;
    readonly coming: string;
    readonly todo: string;
    readonly reason: string;
  };
}

type When = (at: string) => string;

/** The words of one language. */
interface Words {
  headline(explained: Explanation, when: When): string;
  now(
    verdict: ExplainedVerdict,
    limit: Explanation['limit'],
    when: When,
  ): readonly (string | null)[];
  awaitsNotice: string;
  coming(change: ComingChange, when: When): string;
  noChange: string;
  use(name: string): string;
  removeIt(name: string): string;
  guide: string;
  contact: string;
  evidence: string;
  mark(matched: boolean, isOpen: boolean): string;
  untried(rules: readonly string[]): string;
  readonly titles: ExplanationText['titles'];
}

/** Rules named at most; the rest are counted. */
const mostNamed = 5;

const englishActions: Readonly<Record<Action, string>> = {
  observe: 'nothing is done',
  notify: 'people are told',
  block: 'it is blocked',
  remove: 'it is removed',
};

const englishDays = (days: number): string =>
  days === 0 ? 'later today' : days === 1 ? '1 day left' : `${days} days left`;

function englishHeadline(explained: Explanation, when: When): string {
  const { component, verdict, undecided, policy } = explained;
  const name = component.toolName;
  if (undecided !== null) {
    const fields = undecided.fields.join(' and ');
    return `Only the device can decide about ${name}: rule ${undecided.rule} asks for its ${fields}, which was not reported.`;
  }
  if (verdict === null || policy === null) {
    return `No policy is known that this device follows, so nothing is decided about ${name} and nothing is done.`;
  }
  const { status, rule, effective, daysLeft } = verdict;
  switch (status) {
    case 'violation':
      return `${name} is not allowed here since ${when(effective ?? explained.at)}.`;
    case 'pending':
      return `${name} will not be allowed here from ${when(effective ?? explained.at)} on: ${englishDays(daysLeft ?? 0)}.`;
    case 'unknown':
      return `It cannot be decided whether rule ${rule} is about ${name}: something that it asks for is not known. Nothing is done.`;
    case 'review':
      return rule === 'default'
        ? `No rule names ${name}; somebody should look at it. Nothing is done.`
        : `Rule ${rule} says that somebody should look at ${name}. Nothing is done.`;
    case 'excepted':
      return `${name} may stay here for now: an exception holds.`;
    case 'allowed':
      return rule === 'default'
        ? `${name} is allowed: no rule is about it.`
        : `${name} is allowed by rule ${rule}.`;
    case 'approved':
      return `${name} is approved by rule ${rule}.`;
  }
}

const english: Words = {
  headline: englishHeadline,
  now: ({ graceUntil, noticed, action, effectiveAction }, limit, when) => [
    action === null
      ? null
      : limit === null || effectiveAction === null
        ? `Now ${englishActions[action]}.`
        : limit === 'time'
          ? `The policy says now that ${englishActions[action]}; it is not certain yet that the time has come, so ${englishActions[effectiveAction]}.`
          : `The policy says now that ${englishActions[action]}; at most ${effectiveAction} may be done on this device, so ${englishActions[effectiveAction]}.`,
    noticed === null ? null : `This device was first told on ${when(noticed)}.`,
    graceUntil === null ? null : `It has time until ${when(graceUntil)}.`,
  ],
  awaitsNotice: 'The time that each device is given begins when it is first told.',
  coming: ({ at, status, action, effectiveAction, rule }, when) => {
    const what = action === null ? '' : `, ${englishActions[effectiveAction ?? action]}`;
    return `${when(at)}: ${status}${what} (${rule === 'default' ? 'default' : `rule ${rule}`})`;
  },
  noChange: 'Nothing changes by itself.',
  use: (name) => `Use ${name} instead.`,
  removeIt: (name) => `Remove ${name} from here.`,
  guide: 'How to move',
  contact: 'Questions',
  evidence: 'Read up',
  mark: (matched, isOpen) => (isOpen ? '?' : matched ? 'yes' : 'no'),
  untried: (rules) =>
    `Not tried, because the rule before decides: ${rules.slice(0, mostNamed).join(', ')}${rules.length > mostNamed ? ` and ${rules.length - mostNamed} more` : ''}`,
  titles: { tried: 'Tried', coming: 'Next', todo: 'What to do', reason: 'Why' },
};

const chineseStatuses: Readonly<Record<ComingChange['status'], string>> = {
  violation: '违规',
  pending: '待生效',
  unknown: '未知',
  review: '待审查',
  excepted: '例外',
  allowed: '允许',
  approved: '已批准',
};

const chineseActions: Readonly<Record<Action, string>> = {
  observe: '不采取措施',
  notify: '通知用户',
  block: '阻止运行',
  remove: '移除',
};

const chineseDays = (days: number): string => (days === 0 ? '今天稍后' : `还有 ${days} 天`);

const chineseFieldNames: Readonly<Record<string, string>> = {
  path: '完整路径',
  publisher: '发布者',
  gateway: '模型网关',
  running: '是否正在运行',
};

function chineseHeadline(explained: Explanation, when: When): string {
  const { component, verdict, undecided, policy } = explained;
  const name = component.toolName;
  if (undecided !== null) {
    const fields = undecided.fields.map((field) => chineseFieldNames[field] ?? field).join('和');
    return `只有设备能判断 ${name}：规则 ${undecided.rule} 要求的${fields}没有上报。`;
  }
  if (verdict === null || policy === null) {
    return `没有已知的适用于本设备的策略，因此对 ${name} 不作判断，也不采取措施。`;
  }
  const { status, rule, effective, daysLeft } = verdict;
  switch (status) {
    case 'violation':
      return `自 ${when(effective ?? explained.at)} 起，此处不允许使用 ${name}。`;
    case 'pending':
      return `自 ${when(effective ?? explained.at)} 起，此处将不允许使用 ${name}：${chineseDays(daysLeft ?? 0)}。`;
    case 'unknown':
      return `无法判断规则 ${rule} 是否涉及 ${name}：它要求的内容有一项未知。不采取措施。`;
    case 'review':
      return rule === 'default'
        ? `没有规则提到 ${name}，需要有人查看。不采取措施。`
        : `规则 ${rule} 要求有人查看 ${name}。不采取措施。`;
    case 'excepted':
      return `${name} 目前可以保留：有例外生效。`;
    case 'allowed':
      return rule === 'default'
        ? `${name} 允许使用：没有规则涉及它。`
        : `规则 ${rule} 允许使用 ${name}。`;
    case 'approved':
      return `规则 ${rule} 批准使用 ${name}。`;
  }
}

const chinese: Words = {
  headline: chineseHeadline,
  now: ({ graceUntil, noticed, action, effectiveAction }, limit, when) => [
    action === null
      ? null
      : limit === null || effectiveAction === null
        ? `目前：${chineseActions[action]}。`
        : limit === 'time'
          ? `策略目前要求：${chineseActions[action]}；尚不能确定时间已到，因此：${chineseActions[effectiveAction]}。`
          : `策略目前要求：${chineseActions[action]}；本设备目前最多只能：${chineseActions[effectiveAction]}。`,
    noticed === null ? null : `本设备于 ${when(noticed)} 首次收到通知。`,
    graceUntil === null ? null : `宽限至 ${when(graceUntil)}。`,
  ],
  awaitsNotice: '每台设备的宽限期自首次收到通知时开始。',
  coming: ({ at, status, action, effectiveAction, rule }, when) => {
    const what = action === null ? '' : `，${chineseActions[effectiveAction ?? action]}`;
    return `${when(at)}：${chineseStatuses[status]}${what}（${rule === 'default' ? '默认' : `规则 ${rule}`}）`;
  },
  noChange: '不会自行变化。',
  use: (name) => `请改用 ${name}。`,
  removeIt: (name) => `请在此处移除 ${name}。`,
  guide: '迁移方法',
  contact: '咨询',
  evidence: '参考资料',
  mark: (matched, isOpen) => (isOpen ? '？' : matched ? '是' : '否'),
  untried: (rules) =>
    `未尝试（前面的规则已作决定）：${rules.slice(0, mostNamed).join('、')}${rules.length > mostNamed ? ` 等 ${rules.length} 条` : ''}`,
  titles: { tried: '依次尝试', coming: '接下来', todo: '怎么办', reason: '原因' },
};

/** The explanation in one language. */
export function explanationText(explained: Explanation, language: Language): ExplanationText {
  const words = language === 'zh-CN' ? chinese : english;
  const { verdict, advice, policy, deviceZone, coming, steps, untried } = explained;
  const zones = policy === null ? [deviceZone] : [policy.zone, deviceZone];
  const when: When = (at) => instantText(Date.parse(at), zones, language);
  // While nobody was told, the end of the grace moves along with the time.
  const told =
    explained.awaitsNotice && verdict !== null
      ? { ...verdict, noticed: null, graceUntil: null }
      : verdict;
  const now = told === null ? [] : words.now(told, explained.limit, when);
  const changes = coming.map((change) => words.coming(change, when));
  const isDenied = verdict?.status === 'violation' || verdict?.status === 'pending';
  return {
    headline: words.headline(explained, when),
    now: [...now, explained.awaitsNotice ? words.awaitsNotice : null].filter((one) => one !== null),
    coming: changes.length === 0 && verdict !== null ? [words.noChange] : changes,
    reason: reasonOf(explained, language),
    todo: [
      ...(advice?.replacement == null ? [] : [words.use(advice.replacement.name)]),
      ...(isDenied ? [words.removeIt(explained.component.toolName)] : []),
    ],
    links: linksOf(explained, words),
    steps: steps.map(({ rule, matched, why, cause }) => {
      const isOpen =
        cause.kind === 'rule' &&
        (rule === explained.undecided?.rule || isUndecided(cause.conditions));
      return { rule, matched, mark: words.mark(matched, isOpen), why: why[language] };
    }),
    untried: untried.length === 0 ? null : words.untried(untried),
    titles: words.titles,
  };
}

/** The reason as plain text: its Markdown is for pages. */
function reasonOf({ advice }: Explanation, language: Language): string | null {
  const text = advice === null ? null : textIn(advice.reason, language);
  return text === null ? null : plainText(readMarkdown(text).blocks);
}

function linksOf({ advice }: Explanation, words: Words): readonly ExplainedLink[] {
  if (advice === null) return [];
  const { replacement, contact, evidence } = advice;
  return [
    ...(replacement?.guide == null ? [] : [{ label: words.guide, address: replacement.guide }]),
    ...(contact === null ? [] : [{ label: words.contact, address: contact }]),
    ...evidence.map((address) => ({ label: words.evidence, address })),
  ];
}
