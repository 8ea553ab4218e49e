/**
 * A plan as people read it before they publish: what changes in words, the dates in the fleet's zones, the
 * figures, what cannot be foreseen, and the files for other enforcers.
 */
import type { ReactNode } from 'react';
import type { PlanProblem, PlanView } from '../plan-views.js';
import { useLanguage } from './language.js';
import { PlanTables } from './plan-figures.js';
import { Shown } from './shown.js';

/** What lint says, with its place in the text. */
export function Problems({ problems }: { readonly problems: readonly PlanProblem[] }) {
  const { texts } = useLanguage();
  return (
    <ul className="plain problems">
      {problems.map(({ severity, line, column, field, message }, index) => (
        <li key={index} data-severity={severity}>
          <span className="quiet">{texts.policies.problem(line, column)}</span>{' '}
          {field === '' ? null : <code>{field}</code>} <Shown text={message} />
        </li>
      ))}
    </ul>
  );
}

function Part({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <div className="plan-part">
      <h3>{title}</h3>
      {children}
    </div>
  );
}

function List({ lines }: { readonly lines: readonly string[] }) {
  return (
    <ul className="plain lines">
      {lines.map((line) => (
        <li key={line}>
          <Shown text={line} />
        </li>
      ))}
    </ul>
  );
}

function Dates({ dates }: Pick<PlanView, 'dates'>) {
  const { texts } = useLanguage();
  const words = texts.policies;
  if (dates.length === 0) return null;
  return (
    <Part title={words.dates}>
      <ul className="plain lines">
        {dates.map(({ policy, rule, event, date, instants }) => (
          <li key={`${policy} ${rule} ${event}`}>
            <Shown
              text={event === 'effective' ? words.inForce(rule, date) : words.announced(rule, date)}
            />
            <ul className="plain zones">
              {instants.flatMap(({ zones }) =>
                zones.map(({ zone, devices, local }) => (
                  <li key={zone} className="quiet">
                    <code>{local}</code> {words.devicesIn(devices, zone)}
                  </li>
                )),
              )}
            </ul>
          </li>
        ))}
      </ul>
    </Part>
  );
}

function Inventory({ impact }: Pick<PlanView, 'impact'>) {
  const { texts } = useLanguage();
  const words = texts.policies;
  const { devices, people, components, follows, neverScanned, partial } = impact;
  const some = (count: number, text: (count: number) => string): string[] =>
    count === 0 ? [] : [text(count)];
  const lines = [
    words.inventory(devices, people, components),
    ...follows.map(({ policy, live, planned }) => words.follows(policy, live, planned)),
    ...some(neverScanned, words.neverScanned),
    ...some(partial, words.partial),
    ...some(impact.withoutZone, words.withoutZone),
    ...some(impact.instantsLeft, words.left),
    ...impact.grace.map(({ rule }) => words.grace(rule)),
  ];
  return <List lines={lines} />;
}

function Unforeseen({ impact }: Pick<PlanView, 'impact'>) {
  const { texts } = useLanguage();
  const words = texts.policies;
  const lines = [
    ...impact.unforeseen.map(({ rule, fields, components, devices }) =>
      words.open(rule, fields.join(', '), components, devices),
    ),
    ...impact.unreported.map(({ rule, channels, packages }) =>
      words.unreported(rule, [...channels, ...packages].join(', ')),
    ),
  ];
  if (lines.length === 0) return null;
  return (
    <Part title={words.unforeseen}>
      <List lines={lines} />
    </Part>
  );
}

function Targets({ targets }: Pick<PlanView, 'targets'>) {
  const { texts } = useLanguage();
  const words = texts.policies;
  if (targets.length === 0) return null;
  const lines = targets.flatMap(({ title, policy, changes }) =>
    changes.map(({ at, files }) => {
      const names = files.map(({ name, change }) => `${name} (${words.files[change]})`);
      return `${words.target(title, policy, at)}: ${names.join(', ') || words.asLive}`;
    }),
  );
  return (
    <Part title={words.targets}>
      <List lines={lines} />
    </Part>
  );
}

/** All of a plan. */
export function PlanShown({ plan }: { readonly plan: PlanView }) {
  const { texts, language } = useLanguage();
  const words = texts.policies;
  const { difference, warnings, baseSequence, isChange, impact } = plan;
  const policies = new Set(difference.map(({ policy }) => policy));
  const told = difference.map(({ policy, words: text }) =>
    policies.size === 1 ? text[language] : `${policy}: ${text[language]}`,
  );
  return (
    <div className="plan">
      <p className="quiet">{isChange ? words.over(baseSequence) : words.unchanged}</p>
      {warnings.length === 0 ? null : (
        <Part title={words.warnings}>
          <Problems problems={warnings} />
        </Part>
      )}
      <Part title={words.differences}>
        {told.length === 0 ? <p className="quiet">{words.noDifference}</p> : <List lines={told} />}
      </Part>
      <Dates dates={plan.dates} />
      <Inventory impact={impact} />
      <PlanTables at={impact.at} />
      <Unforeseen impact={impact} />
      <Targets targets={plan.targets} />
    </div>
  );
}
