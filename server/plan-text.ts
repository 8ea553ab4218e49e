/**
 * A plan for people at a terminal: what changes, from when in which zone, and the figures as tables. All
 * figures are those of the plan; nothing is reckoned here. Sentences about policies come in the language
 * that was asked for, the frame around them is English.
 */
import Table from 'cli-table3';
import { standings } from './impact-tally.js';
import type { PlanFigures, PlanView } from './plan-views.js';

export type PlanLanguage = keyof PlanView['difference'][number]['words'];

export function planText(plan: PlanView, language: PlanLanguage): string {
  return [
    headText(plan),
    section('What changes', changesText(plan, language)),
    section('Dates', datesText(plan)),
    section('Impact on the present inventory', impactText(plan)),
    section('What the server cannot foresee', unforeseenText(plan)),
    section('Files for other enforcers', targetsText(plan)),
  ]
    .filter((text) => text !== '')
    .join('\n\n');
}

const section = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? '' : [title, ...lines].join('\n');

const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`;

function headText({ content, baseSequence, policies, removed, isChange }: PlanView): string {
  const names = policies.map(({ policy, state }) =>
    state === 'same' ? policy : `${policy} (${state})`,
  );
  const gone = removed.map((policy) => `${policy} (removed)`);
  const over = baseSequence === 0 ? 'nothing is live yet' : `over sequence ${baseSequence}`;
  return [
    `Plan ${content.slice(0, 12)}, ${over}`,
    `Policies in order of priority: ${[...names, ...gone].join(', ') || 'none'}`,
    ...(isChange ? [] : ['All of this is live already; a publish would change nothing.']),
  ].join('\n');
}

function changesText({ difference, isChange }: PlanView, language: PlanLanguage): string[] {
  if (difference.length === 0) {
    return isChange
      ? ['  Only comments, layout or the catalogue; no rule means anything else.']
      : [];
  }
  const policies = new Set(difference.map(({ policy }) => policy));
  return difference.map(({ policy, words }) => {
    const text = words[language];
    return policies.size === 1 ? `  ${text}` : `  ${policy}: ${text}`;
  });
}

const eventNames = { announce: 'prompts begin', effective: 'in force' } as const;

function datesText({ dates }: PlanView): string[] {
  return dates.flatMap(({ rule, event, date, timezone, instants }) => {
    const zone = date.includes('T') ? '' : ` (${timezone ?? 'UTC'})`;
    const head = `  ${rule}: ${eventNames[event]} ${date}${zone}`;
    return [
      head,
      ...instants.flatMap(({ at, zones }) => [
        `    ${instantText(at)}`,
        ...zones.map((one) => `      ${one.local}  ${one.zone}, ${counted(one.devices, 'device')}`),
      ]),
    ];
  });
}

function reasonText(reason: PlanView['impact']['at'][number]['reasons'][number]): string {
  switch (reason.kind) {
    case 'now':
      return 'now';
    case 'asked':
      return 'as asked';
    case 'announce':
      return `${reason.rule} is announced`;
    case 'effective':
      return `${reason.rule} is in force`;
    case 'grace':
      return `grace of ${reason.rule} ends`;
  }
}

/** An instant to the second. */
const instantText = (at: string): string => at.replace(/\.\d+Z$/, 'Z');

const whenText = ({ at, reasons }: PlanView['impact']['at'][number]): string =>
  [instantText(at), ...new Set(reasons.map(reasonText))].join('\n');

function impactText({ impact }: PlanView): string[] {
  const { devices, people, components, neverScanned, partial, follows } = impact;
  const aside = [
    ...(neverScanned === 0
      ? []
      : [`${counted(neverScanned, 'device')} never scanned, in no figure`]),
    ...(partial === 0 ? [] : [`${counted(partial, 'device')} scanned in part: more may be there`]),
    ...(impact.withoutZone === 0
      ? []
      : [`${counted(impact.withoutZone, 'device')} without a known zone: UTC is used`]),
    ...(impact.instantsLeft === 0
      ? []
      : [`${counted(impact.instantsLeft, 'later date')} left out: ask for them with --at`]),
    ...impact.grace.map(
      ({ rule }) =>
        `${rule} gives grace: where a device has not told when it was first notified, the earliest time is taken`,
    ),
  ];
  return [
    `  ${counted(devices, 'device')}, ${counted(people, 'person', 'people')}, ${counted(components, 'component')}; live -> planned`,
    ...follows.map(
      (one) => `  ${one.policy ?? 'no policy'}: followed by ${arrow(one.live, one.planned)}`,
    ),
    ...aside.map((line) => `  ${line}`),
    figureTable(
      'Devices',
      impact.at.map((one) => [whenText(one), one.devices]),
    ),
    figureTable(
      'People',
      impact.at.map((one) => [whenText(one), one.people]),
    ),
    figureTable(
      'Devices by tool',
      impact.at.flatMap((one) =>
        one.tools.map(({ toolName, devices: figures }): [string, PlanFigures] => [
          `${instantText(one.at)}\n${toolName ?? 'not in the catalogue'}`,
          figures,
        ]),
      ),
    ),
  ];
}

const arrow = (live: number, planned: number): string =>
  live === planned ? String(planned) : `${live} -> ${planned}`;

function figureTable(title: string, rows: readonly (readonly [string, PlanFigures])[]): string {
  if (rows.length === 0) return `${title}: none`;
  const table = new Table({
    head: [title, ...standings, 'any review', 'any excepted'],
    style: { head: [], border: [] },
  });
  for (const [name, { live, planned, become, review, excepted }] of rows) {
    const cells = standings.map((standing) => {
      const gained = become[standing] === 0 ? '' : `\n(${become[standing]} new)`;
      return arrow(live[standing], planned[standing]) + gained;
    });
    table.push([
      name,
      ...cells,
      arrow(review.live, review.planned),
      arrow(excepted.live, excepted.planned),
    ]);
  }
  return table.toString();
}

function unforeseenText({ impact: { unforeseen, unreported } }: PlanView): string[] {
  return [
    ...unforeseen.map(
      ({ rule, fields, components, devices }) =>
        `  ${rule} asks for the ${fields.join(' and ')}, which devices do not tell: open for ${counted(components, 'component')} on ${counted(devices, 'device')}`,
    ),
    ...unreported.map(({ rule, channels, packages }) => {
      const names = [...channels.map((one) => `channel ${one}`), ...packages];
      return `  ${rule} names what devices do not report yet (${names.join(', ')}): it shows after the publish`;
    }),
  ];
}

function targetsText({ targets }: PlanView): string[] {
  return targets.flatMap(({ title, policy, changes }) =>
    changes.map(({ at, files }) => {
      const names = files.map(({ name, change }) => `${name} ${change}`).join(', ');
      return `  ${title} for ${policy}, from ${instantText(at)}: ${names || 'as live'}`;
    }),
  );
}
