/**
 * Why a rule, an exception or the default did or did not decide: as fields for programs, and as one
 * clause in each language for people. Nothing is judged here; what is said is what evaluation saw.
 */
import type { CandidateReason, ComponentState, Scope } from './component.js';
import type { Decision, Match } from './document.js';
import type { Language } from './language.js';

/** One field of a rule's match against a component. */
export interface TracedCondition {
  readonly field: keyof Match;
  /** What the rule asks for: any of these. */
  readonly asked: readonly string[];
  /** What the component has; null: nothing known. */
  readonly found: string | null;
  /** `not-reported`: the device knows it and the one who explains does not. */
  readonly answer: 'yes' | 'no' | 'unknown' | 'not-reported';
}

/** Why an exception for the tool does not hold for a component, or that it does. */
export type ExceptionOutcome =
  | 'holds'
  | 'not-needed'
  | 'names-nobody'
  | 'other-person'
  | 'other-device'
  | 'other-hardware'
  | 'not-begun'
  | 'ended';

/** Whether the default speaks of a component: of AI tools that are in use, not of traces and copies. */
export type DefaultReach = 'full' | 'not in use' | 'not a known tool';

export type TraceCause =
  | { readonly kind: 'no-policy' }
  | {
      readonly kind: 'exception';
      readonly outcome: ExceptionOutcome;
      /** The person, device or hardware id that it names, where another is concerned. */
      readonly whose: string | null;
      /** Epoch ms, of one that has not begun: the first instant at which it holds. */
      readonly from?: number;
      /** Epoch ms: the first instant at which it no longer holds. */
      readonly until: number;
      readonly reason: string;
    }
  | {
      readonly kind: 'rule';
      readonly decision: Decision;
      readonly conditions: readonly TracedCondition[];
    }
  | {
      readonly kind: 'default';
      readonly decision: Decision;
      readonly reach: DefaultReach;
      readonly state: ComponentState;
      readonly scope: Scope;
      readonly candidate: readonly CandidateReason[];
    };

/** How an instant is written where no zone is known. */
const utc = (at: number): string => new Date(at).toISOString();

/** The clause that says a cause; `dateText` writes an instant as its reader wants it. */
export function clauseOf(
  cause: TraceCause,
  language: Language = 'en',
  dateText: (at: number) => string = utc,
): string {
  return language === 'zh-CN' ? chinese(cause, dateText) : english(cause, dateText);
}

/** What decides of a rule: the first unmet field, else one not reported, else what is not known. */
export function decisiveOf(conditions: readonly TracedCondition[]): TracedCondition | null {
  const first = (wanted: TracedCondition['answer']): TracedCondition | undefined =>
    conditions.find(({ answer }) => answer === wanted);
  return first('no') ?? first('not-reported') ?? first('unknown') ?? null;
}

function english(cause: TraceCause, dateText: (at: number) => string): string {
  switch (cause.kind) {
    case 'no-policy':
      return 'no policy has arrived for this device';
    case 'exception':
      return englishException(cause, dateText);
    case 'rule':
      return englishRule(cause);
    case 'default':
      return englishDefault(cause);
  }
}

function englishException(
  { outcome, whose, from, until, reason }: Extract<TraceCause, { kind: 'exception' }>,
  dateText: (at: number) => string,
): string {
  switch (outcome) {
    case 'holds':
      return `holds until ${dateText(until)}: ${reason}`;
    case 'not-needed':
      return 'holds, and is not needed';
    case 'names-nobody':
      return 'names nobody';
    case 'other-person':
      return `is for ${whose}`;
    case 'other-device':
      return `is for device ${whose}`;
    case 'other-hardware':
      return `is for hardware ${whose}`;
    case 'not-begun':
      return `begins at ${dateText(from ?? until)}`;
    case 'ended':
      return `ended at ${dateText(until)}`;
  }
}

/** Whether a rule's every other condition holds and one cannot be told, so that it ends in `unknown`. */
export function isUndecided(conditions: readonly TracedCondition[]): boolean {
  const has = (wanted: string): boolean => conditions.some(({ answer }) => answer === wanted);
  return has('unknown') && !has('no');
}

const englishFound = ({ field, found }: TracedCondition): string =>
  found ?? (field === 'tool' ? 'not in the catalogue' : 'not known');

function englishRule({ decision, conditions }: Extract<TraceCause, { kind: 'rule' }>): string {
  const decisive = decisiveOf(conditions);
  if (decisive === null) {
    const found = conditions.map((one) => `${one.field} is ${englishFound(one)}`);
    return `${found.join(', ')}: ${decision}`;
  }
  const asked = decisive.asked.join(' or ');
  switch (decisive.answer) {
    case 'not-reported':
      return `the device alone knows its ${decisive.field}, which would have to be ${asked}`;
    case 'unknown':
      return decisive.field === 'version'
        ? `all else holds, but version ${englishFound(decisive)} cannot be compared with ${asked}`
        : `all else holds, but its ${decisive.field} is not known, and may be ${asked}`;
    default:
      return `${decisive.field} is ${englishFound(decisive)}, not ${asked}`;
  }
}

function englishDefault(cause: Extract<TraceCause, { kind: 'default' }>): string {
  const { decision, reach, state, scope, candidate } = cause;
  switch (reach) {
    case 'full':
      return `no rule names it, and the default is ${decision}`;
    case 'not in use':
      return `no rule names it, and the default leaves alone what is ${state} in scope ${scope}`;
    case 'not a known tool': {
      const guess =
        candidate.length === 0
          ? ''
          : `; it only looks like an AI tool (${candidate.join(', ')}), and a guess is never denied by the default`;
      const what = decision === 'allow' ? 'allowed' : 'somebody should look';
      return `no rule names it, and no entry of the catalogue: ${what}${guess}`;
    }
  }
}

const chineseFields: Readonly<Record<keyof Match, string>> = {
  tool: '工具',
  kind: '类别',
  vendor: '厂商',
  provider: '模型提供方',
  channel: '渠道',
  package: '软件包',
  path: '路径',
  publisher: '发布者',
  owner: '所有者',
  scope: '范围',
  state: '状态',
  version: '版本',
  gateway: '模型网关',
  running: '正在运行',
};

const chineseWords: Readonly<Record<string, string>> = {
  installed: '已安装',
  running: '正在运行',
  cached: '缓存',
  bundled: '内置于其他程序',
  disabled: '已停用',
  residual: '残留',
  global: '全局',
  project: '项目内',
  true: '是',
  false: '否',
};

const chineseDecisions: Readonly<Record<Decision, string>> = {
  approve: '批准',
  allow: '允许',
  review: '待审查',
  deny: '禁止',
};

/** Words of the language are translated; names, hosts and versions stay as they are. */
const chineseWord = (field: keyof Match, word: string): string =>
  ['state', 'scope', 'running'].includes(field) ? (chineseWords[word] ?? word) : word;

function chinese(cause: TraceCause, dateText: (at: number) => string): string {
  switch (cause.kind) {
    case 'no-policy':
      return '本设备尚未收到策略';
    case 'exception':
      return chineseException(cause, dateText);
    case 'rule':
      return chineseRule(cause);
    case 'default':
      return chineseDefault(cause);
  }
}

function chineseException(
  { outcome, whose, from, until, reason }: Extract<TraceCause, { kind: 'exception' }>,
  dateText: (at: number) => string,
): string {
  switch (outcome) {
    case 'holds':
      return `有效至 ${dateText(until)}：${reason}`;
    case 'not-needed':
      return '有效，但并不需要';
    case 'names-nobody':
      return '未指明任何人';
    case 'other-person':
      return `只适用于 ${whose}`;
    case 'other-device':
      return `只适用于设备 ${whose}`;
    case 'other-hardware':
      return `只适用于硬件 ${whose}`;
    case 'not-begun':
      return `自 ${dateText(from ?? until)} 起有效`;
    case 'ended':
      return `已于 ${dateText(until)} 到期`;
  }
}

function chineseFound({ field, found }: TracedCondition): string {
  if (found !== null) return chineseWord(field, found);
  return field === 'tool' ? '目录中没有' : '未知';
}

function chineseRule({ decision, conditions }: Extract<TraceCause, { kind: 'rule' }>): string {
  const decisive = decisiveOf(conditions);
  if (decisive === null) {
    const found = conditions.map((one) => `${chineseFields[one.field]}为 ${chineseFound(one)}`);
    return `${found.join('，')}：${chineseDecisions[decision]}`;
  }
  const name = chineseFields[decisive.field];
  const asked = decisive.asked.map((word) => chineseWord(decisive.field, word)).join(' 或 ');
  switch (decisive.answer) {
    case 'not-reported':
      return `只有设备知道其${name}，须为 ${asked}`;
    case 'unknown':
      return decisive.field === 'version'
        ? `其余条件都满足，但版本 ${chineseFound(decisive)} 无法与 ${asked} 比较`
        : `其余条件都满足，但${name}未知，可能是 ${asked}`;
    default:
      return `${name}为 ${chineseFound(decisive)}，而非 ${asked}`;
  }
}

function chineseDefault(cause: Extract<TraceCause, { kind: 'default' }>): string {
  const { decision, reach, state, scope, candidate } = cause;
  switch (reach) {
    case 'full':
      return `没有规则提到它，默认为${chineseDecisions[decision]}`;
    case 'not in use':
      return `没有规则提到它，默认不涉及状态为${chineseWords[state] ?? state}、范围为${chineseWords[scope] ?? scope}的内容`;
    case 'not a known tool': {
      const guess =
        candidate.length === 0
          ? ''
          : `；它只是看起来像 AI 工具（${candidate.join('、')}），默认规则从不因猜测而禁止`;
      return `没有规则提到它，目录中也没有：${decision === 'allow' ? '允许' : '需要有人查看'}${guess}`;
    }
  }
}
