/**
 * The dates of all denials: days until each is in force, or since when it is. Days and dates are those
 * of the policy's zone; the viewer's own zone is shown on hover and on focus.
 */
import { Tooltip } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { daysLeft } from '../../policies/dates.js';
import type { PolicyRow } from '../views.js';
import { policiesQuery } from './api.js';
import { useLanguage, useTexts } from './language.js';
import { Empty, Failure, Loading } from './notices.js';
import { Marked } from './marked.js';
import { Shown, visible } from './shown.js';
import { dateText, fullText, useNow, viewerZone, shownZone } from './times.js';

type Denial = PolicyRow['denials'][number];

/** Dates shown before the rest is folded away. */
const shownAtOnce = 3;
const publishCommand = 'curfew-server policy plan FILE && curfew-server policy publish FILE';

interface DateProps {
  readonly denial: Denial;
  readonly policyZone: string | null;
  readonly isInForce: boolean;
}

function EffectiveDate({ denial, policyZone, isInForce }: DateProps) {
  const { language, texts } = useLanguage();
  const { countdown } = texts;
  const zone = shownZone(policyZone);
  const date = dateText(denial.effective, zone, language);
  const zoneName = policyZone === 'device-local' ? countdown.deviceLocal : zone;
  return (
    <Tooltip
      label={countdown.viewer(fullText(denial.effective, viewerZone, language))}
      events={{ hover: true, focus: true, touch: true }}
    >
      <span className="date" tabIndex={0}>
        <time dateTime={denial.effective}>
          {isInForce ? countdown.since(date) : countdown.from(date)}
        </time>{' '}
        <span className="quiet">{zoneName}</span>
      </span>
    </Tooltip>
  );
}

function reasonIn(language: string, reason: Denial['reason']): string | null {
  return reason[language] ?? reason['en'] ?? Object.values(reason)[0] ?? null;
}

function Days({ days, isInForce }: { readonly days: number; readonly isInForce: boolean }) {
  const { language, texts } = useLanguage();
  const { countdown } = texts;
  const isToday = days === 0;
  const later = isToday ? countdown.todayHint : countdown.untilForce;
  return (
    <p className="days">
      {isToday ? (
        <span className="days-today">{countdown.today}</span>
      ) : (
        <>
          <span className="days-count">{Math.abs(days).toLocaleString(language)}</span>{' '}
          <span className="days-unit">{countdown.days(days)}</span>
        </>
      )}
      <span className="days-note">{isInForce ? countdown.sinceForce : later}</span>
    </p>
  );
}

interface CountdownProps {
  readonly policy: PolicyRow;
  readonly denial: Denial;
}

function Countdown({ policy, denial }: CountdownProps) {
  const { language, texts } = useLanguage();
  const { countdown } = texts;
  const now = useNow();
  const isInForce = Date.parse(denial.effective) <= now;
  const days = daysLeft(now, Date.parse(denial.effective), shownZone(policy.timezone));
  const tools = denial.toolNames.join(', ');
  const reason = reasonIn(language, denial.reason);
  const instead = denial.replacementName ?? denial.replacement;
  return (
    <li className="countdown" data-in-force={isInForce}>
      <Days days={days} isInForce={isInForce} />
      <div className="countdown-text">
        <h3 className="denied">
          <Shown text={tools === '' ? denial.rule : tools} />
        </h3>
        <p>
          <EffectiveDate denial={denial} policyZone={policy.timezone} isInForce={isInForce} />
        </p>
        {denial.announce !== null && Date.parse(denial.announce) > now ? (
          <p>
            {countdown.announced(dateText(denial.announce, shownZone(policy.timezone), language))}
          </p>
        ) : null}
        {instead === null ? null : (
          <p>
            <strong>{texts.findings.instead(visible(instead))}</strong>
          </p>
        )}
        {reason === null ? null : (
          <div className="quiet">
            <Marked text={reason} />
          </div>
        )}
      </div>
    </li>
  );
}

function CountdownList({ denials }: { readonly denials: readonly CountdownProps[] }) {
  const { countdown } = useTexts();
  return (
    <ul className="plain" aria-label={countdown.title}>
      {denials.map(({ policy, denial }) => (
        <Countdown key={`${policy.policy} ${denial.rule}`} policy={policy} denial={denial} />
      ))}
    </ul>
  );
}

/** All denials, the nearest date first, what is long in force last. */
export function Countdowns() {
  const texts = useTexts();
  const now = useNow();
  const { data, error, refetch } = useQuery(policiesQuery);
  if (data === undefined)
    return error === null ? (
      <Loading rows={3} />
    ) : (
      <Failure fault={error} retry={() => void refetch()} />
    );
  const distance = ({ denial }: { denial: Denial }) => Math.abs(Date.parse(denial.effective) - now);
  const denials = data.policies
    .flatMap((policy) => policy.denials.map((denial) => ({ policy, denial })))
    .sort((a, b) => distance(a) - distance(b));
  if (denials.length === 0)
    return (
      <Empty title={texts.countdown.none} how={texts.countdown.noneHow} command={publishCommand} />
    );
  const later = denials.slice(shownAtOnce);
  return (
    <>
      <CountdownList denials={denials.slice(0, shownAtOnce)} />
      {later.length === 0 ? null : (
        <details>
          <summary>{texts.countdown.more(later.length)}</summary>
          <CountdownList denials={later} />
        </details>
      )}
    </>
  );
}
