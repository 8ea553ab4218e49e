/** The tools found on the fleet: how many devices have each, and how many of them are in the wrong. */
import { Tooltip } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Compliance } from '../views.js';
import { complianceQuery } from './api.js';
import { useLanguage } from './language.js';
import { Empty, Failure, Loading } from './notices.js';
import { Shown, visible } from './shown.js';
import { DataTable, type Column } from './table.js';

type ToolCount = Compliance['tools'][number];

/** On how many devices a version has a published fault; which ones on hover and on focus. */
function Affected({ affected, advisories }: Pick<ToolCount, 'affected' | 'advisories'>) {
  const { language, texts } = useLanguage();
  if (affected === 0)
    return (
      <span className="number" data-tone="none">
        {affected}
      </span>
    );
  const ids = advisories.map(visible).join(', ');
  return (
    <Tooltip label={ids} multiline maw={320} events={{ hover: true, focus: true, touch: true }}>
      <span
        className="number"
        tabIndex={0}
        role="note"
        aria-label={texts.tools.affectedBy(affected, ids)}
      >
        {affected.toLocaleString(language)}
      </span>
    </Tooltip>
  );
}

/** One row per tool, the most violations first. */
export function ToolCounts() {
  const { language, texts } = useLanguage();
  const { tools, states } = texts;
  const { data, error, refetch } = useQuery(complianceQuery);
  if (data === undefined)
    return error === null ? <Loading /> : <Failure fault={error} retry={() => void refetch()} />;
  if (data.tools.length === 0) return <Empty title={tools.none} how={tools.noneHow} />;
  const count = (number: number, tone?: string) => (
    <span className="number" data-tone={number === 0 ? 'none' : tone}>
      {number.toLocaleString(language)}
    </span>
  );
  const columns: readonly Column<ToolCount>[] = [
    { key: 'tool', title: tools.tool, cell: (row) => <Shown text={row.toolName} /> },
    { key: 'devices', title: tools.devices, isNumber: true, cell: (row) => count(row.devices) },
    {
      key: 'violation',
      title: states.violation,
      isNumber: true,
      cell: (row) => count(row.violation, 'violation'),
    },
    {
      key: 'pending',
      title: states.pending,
      isNumber: true,
      cell: (row) => count(row.pending, 'pending'),
    },
    {
      key: 'affected',
      title: tools.affected,
      isNumber: true,
      cell: (row) => <Affected {...row} />,
    },
  ];
  const rows = [...data.tools].sort(
    (a, b) => b.violation - a.violation || b.pending - a.pending || b.devices - a.devices,
  );
  return (
    <div className="tools" tabIndex={0} role="group" aria-label={tools.title}>
      <DataTable
        isCompact
        caption={tools.title}
        columns={columns}
        rows={rows}
        rowKey={(row) => row.tool}
      />
    </div>
  );
}
