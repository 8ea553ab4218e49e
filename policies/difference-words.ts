/**
 * The words of a policy's parts, in every language that differences are told in: what a rule is about,
 * what it decides, from when. Names, dates and texts of the author stay as they were written. Nothing is
 * compared here.
 */
import type { Decision, Denial, Match, Policy, PolicyDate, Rule } from './document.js';
import { zoneOf } from './dates.js';

export const differenceLanguages = ['en', 'zh-CN'] as const;
export type Words = Readonly<Record<(typeof differenceLanguages)[number], string>>;

export const words = (en: string, zh: string): Words => ({ en, 'zh-CN': zh });

/** Words for which both languages have the author's own text. */
export const same = (text: string): Words => words(text, text);

export const joined = (parts: readonly Words[], between: Words = words(', ', '，')): Words =>
  words(
    parts.map(({ en }) => en).join(between.en),
    parts.map((part) => part['zh-CN']).join(between['zh-CN']),
  );

/** More of a list than people read in one line. */
const mostListed = 8;

export function listed(values: readonly string[]): Words {
  const shown = values.slice(0, mostListed);
  const more = values.length - shown.length;
  if (more > 0) {
    return words(
      `${shown.join(', ')} and ${more} more`,
      `${shown.join('、')}等 ${values.length} 项`,
    );
  }
  const last = shown.at(-1) ?? '';
  const before = shown.slice(0, -1);
  return words(before.length === 0 ? last : `${before.join(', ')} or ${last}`, shown.join('、'));
}

const fieldNames: Readonly<Record<keyof Match, Words>> = {
  tool: words('tool', '工具'),
  kind: words('kind', '类型'),
  vendor: words('vendor', '厂商'),
  provider: words('provider', '模型提供商'),
  channel: words('channel', '渠道'),
  package: words('package', '软件包'),
  path: words('path', '路径'),
  publisher: words('publisher', '发布者'),
  owner: words('owner', '账户'),
  scope: words('scope', '范围'),
  state: words('state', '状态'),
  version: words('version', '版本'),
  gateway: words('gateway', '网关'),
  running: words('running', '运行中'),
};
const fieldOrder = Object.keys(fieldNames) as readonly (keyof Match)[];

/** A field's values as texts; none: the field is not there. */
export function valuesOf(match: Match, field: keyof Match): readonly string[] {
  const value = match[field];
  if (value === undefined) return [];
  if (field === 'package') {
    return Object.entries(match.package ?? {}).flatMap(([ecosystem, names]) =>
      names.map((name) => `${ecosystem} ${name}`),
    );
  }
  return Array.isArray(value) ? (value as readonly string[]) : [String(value)];
}

export const matchFields = (one: Match, other: Match): readonly (keyof Match)[] =>
  fieldOrder.filter((field) => one[field] !== undefined || other[field] !== undefined);

export const fieldName = (field: keyof Match): Words => fieldNames[field];

/** What a match is about: `tool claude-code, version >=2`. */
export function matchWords(match: Match): Words {
  const parts = matchFields(match, match).map((field) => {
    const values = listed(valuesOf(match, field));
    const name = fieldNames[field];
    return words(`${name.en} ${values.en}`, `${name['zh-CN']} ${values['zh-CN']}`);
  });
  return joined(parts);
}

export const decisionWords: Readonly<Record<Decision, Words>> = {
  approve: words('approved', '批准'),
  allow: words('allowed', '允许'),
  review: words('to be reviewed', '待审查'),
  deny: words('denied', '禁用'),
};

/** The zone that a date counts in, as people read it; empty for an instant, which has its offset. */
export function zoneWords(date: PolicyDate, timezone: string | null): Words {
  if (date.includes('T')) return same('');
  if (timezone === 'device-local') return words(' (each device’s own zone)', '（各设备所在时区）');
  const zone = zoneOf(timezone, 'UTC');
  return words(` (${zone})`, `（${zone}）`);
}

export function dateWords(date: PolicyDate, timezone: string | null): Words {
  const zone = zoneWords(date, timezone);
  return words(date + zone.en, date + zone['zh-CN']);
}

/** What a denial comes to: `denied from 2026-07-10 (Asia/Shanghai), notify before, block after`. */
function denialWords(denial: Denial, { timezone }: Policy): Words {
  const effective = dateWords(denial.effective, timezone);
  const { before, after, grace, escalate } = denial;
  return joined([
    words(`denied from ${effective.en}`, `自 ${effective['zh-CN']} 起禁用`),
    words(`${before} before, ${after} from then on`, `此前 ${before}，此后 ${after}`),
    ...(grace === null
      ? []
      : [words(`with ${grace} of grace for each device`, `每台设备宽限 ${grace}`)]),
    ...(escalate === null
      ? []
      : [
          words(
            `${escalate.action} ${escalate.after} later`,
            `再过 ${escalate.after} 后 ${escalate.action}`,
          ),
        ]),
  ]);
}

/** What something decided comes to, in a clause. */
export function decidedWords(
  { decision, denial }: Pick<Rule, 'decision' | 'denial'>,
  policy: Policy,
): Words {
  return denial === null ? decisionWords[decision] : denialWords(denial, policy);
}
