/**
 * The devices that need somebody most: worst state first, only a handful, and only states that occur
 * are asked for. The full list is a view of its own.
 */
import { useQueries, useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { complianceQuery, topDevicesQuery } from './api.js';
import { DeviceTable } from './device-table.js';
import { Icon } from './icons.js';
import { useTexts } from './language.js';
import { Empty, Failure, Loading } from './notices.js';
import { statesInNeed } from './states.js';

const shownDevices = 8;

/** Devices in need, with the way to all of them. */
export function MostInNeed() {
  const { need } = useTexts();
  const { data: compliance, error, refetch } = useQuery(complianceQuery);
  const states = statesInNeed.filter((state) => (compliance?.states[state] ?? 0) > 0);
  const answers = useQueries({
    queries: states.map((state) => topDevicesQuery(state, shownDevices)),
  });
  const failed = answers.find((answer) => answer.isError && answer.data === undefined);
  if (compliance === undefined && error !== null)
    return <Failure fault={error} retry={() => void refetch()} />;
  if (failed !== undefined)
    return <Failure fault={failed.error} retry={() => void failed.refetch()} />;
  if (compliance === undefined || answers.some(({ data }) => data === undefined))
    return <Loading />;
  const devices = answers.flatMap(({ data }) => data?.devices ?? []).slice(0, shownDevices);
  if (devices.length === 0) return <Empty title={need.none} how={need.noneHow} />;
  return (
    <>
      <DeviceTable caption={need.title} question="need" devices={devices} />
      <p className="more">
        <Link to="/devices">
          {need.all} <Icon name="arrow" size={14} />
        </Link>
      </p>
    </>
  );
}
