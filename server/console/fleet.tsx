/**
 * The fleet by state: one bar and one row of counts that add up to the total. `review` is a mark
 * beside the states, never one of them. Every count leads to its devices.
 */
import { Tooltip } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import type { Compliance } from '../views.js';
import { complianceQuery } from './api.js';
import { useChanges } from './changes.js';
import { useLanguage, useTexts } from './language.js';
import { Empty, Failure, Loading } from './notices.js';
import { statesByNeed } from './states.js';

const tokenCommand = 'curfew-server token create';

function Bar({ compliance }: { readonly compliance: Compliance }) {
  return (
    <div className="states-bar" aria-hidden="true">
      {statesByNeed
        .filter((state) => compliance.states[state] > 0)
        .map((state) => (
          <span key={state} data-tone={state} style={{ flexGrow: compliance.states[state] }} />
        ))}
    </div>
  );
}

function Counts({ compliance }: { readonly compliance: Compliance }) {
  const { language, texts } = useLanguage();
  const changed = useChanges(
    'fleet',
    statesByNeed.map((state) => ({
      key: state,
      signature: String(compliance.states[state]),
      sentence: null,
    })),
  );
  return (
    <ul className="plain counts">
      {statesByNeed.map((state) => (
        <li
          key={state}
          data-changed={changed.has(state)}
          data-zero={compliance.states[state] === 0}
        >
          <Tooltip label={texts.stateHints[state]} multiline maw={260}>
            <Link to={`/devices?state=${state}`} className="count">
              <span className="count-number" data-state={state}>
                {compliance.states[state].toLocaleString(language)}
              </span>
              <span className="mark" data-tone={state}>
                {texts.states[state]}
              </span>
            </Link>
          </Tooltip>
        </li>
      ))}
    </ul>
  );
}

/** Counts of devices by state. */
export function FleetStates() {
  const { language, texts } = useLanguage();
  const { fleet } = useTexts();
  const { data, error, refetch } = useQuery(complianceQuery);
  if (data === undefined)
    return error === null ? (
      <Loading rows={4} />
    ) : (
      <Failure fault={error} retry={() => void refetch()} />
    );
  if (data.total === 0)
    return <Empty title={fleet.none} how={fleet.noneHow} command={tokenCommand} />;
  return (
    <>
      <p className="fleet-total">
        <Link to="/devices">
          <strong>{data.total.toLocaleString(language)}</strong> {texts.fleet.devices(data.total)}
        </Link>
        <span className="quiet">{fleet.online(data.online)}</span>
        {data.review === 0 ? null : (
          <Tooltip label={fleet.reviewHint} multiline maw={260}>
            <span className="mark" data-tone="review" tabIndex={0}>
              {fleet.review(data.review)}
            </span>
          </Tooltip>
        )}
      </p>
      <Bar compliance={data} />
      <Counts compliance={data} />
    </>
  );
}
