/**
 * Devices as rows, each leading to its detail. A row whose state, verdict or findings changed since
 * the answer before is marked for a moment and announced.
 */
import { Link } from 'react-router';
import type { DeviceRow } from '../views.js';
import { useChanges } from './changes.js';
import { useTexts } from './language.js';
import { Shown, visible } from './shown.js';
import { StateMark, VerdictMark } from './states.js';
import { DataTable, type Column } from './table.js';
import type { Texts } from './texts-en.js';
import { Ago } from './times.js';

function Name({ device }: { readonly device: DeviceRow }) {
  const { devices } = useTexts();
  return (
    <span className="device-name">
      <Link to={`/devices/${encodeURIComponent(device.id)}`} className="row-link">
        <Shown text={device.hostName} />
      </Link>
      <Presence isOnline={device.isOnline} />
      {device.label === null ? null : (
        <span className="tag">
          <Shown text={device.label} />
        </span>
      )}
      {device.hasReview ? (
        <span className="mark" data-tone="review">
          {devices.review}
        </span>
      ) : null}
    </span>
  );
}

/** Whether the device's agent is connected now. */
export function Presence({ isOnline }: { readonly isOnline: boolean }) {
  const { devices } = useTexts();
  return (
    <span className="presence" data-online={isOnline}>
      {isOnline ? devices.online : devices.offline}
    </span>
  );
}

/** The last known verdict, where the state itself does not already say it. */
export function LastKnown({ device }: { readonly device: DeviceRow }) {
  if (device.lastKnown === null || device.lastKnown === device.state)
    return <span className="quiet">–</span>;
  return <VerdictMark verdict={device.lastKnown} />;
}

function columnsIn({ devices }: Texts): readonly Column<DeviceRow>[] {
  return [
    { key: 'device', title: devices.device, cell: (device) => <Name device={device} /> },
    { key: 'state', title: devices.state, cell: ({ state }) => <StateMark state={state} /> },
    { key: 'last', title: devices.lastKnown, cell: (device) => <LastKnown device={device} /> },
    { key: 'findings', title: devices.findings, isNumber: true, cell: (device) => device.findings },
    {
      key: 'system',
      title: devices.system,
      cell: ({ osName, osVersion }) => <Shown text={`${osName} ${osVersion}`.trim()} />,
    },
    {
      key: 'seen',
      title: devices.lastSeen,
      cell: ({ lastSeen }) =>
        lastSeen === null ? <span className="quiet">{devices.never}</span> : <Ago at={lastSeen} />,
    },
  ];
}

interface DeviceTableProps {
  readonly caption: string;
  /** Names what was asked for; a change of it is not a change of the devices. */
  readonly question: string;
  readonly devices: readonly DeviceRow[];
}

/** A table of devices. */
export function DeviceTable({ caption, question, devices }: DeviceTableProps) {
  const texts = useTexts();
  const changed = useChanges(
    question,
    devices.map((device) => ({
      key: device.id,
      signature: `${device.state} ${device.lastKnown} ${device.findings} ${device.hasReview}`,
      sentence: `${visible(device.hostName)}: ${texts.states[device.state]}`,
    })),
  );
  return (
    <DataTable
      caption={caption}
      columns={columnsIn(texts)}
      rows={devices}
      rowKey={({ id }) => id}
      changed={changed}
    />
  );
}
