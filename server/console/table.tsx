/**
 * A table that turns into cards where the screen is narrow. The roles are written out because changing
 * `display` takes them away; each cell then carries its column's title. A row may be one link.
 */
import type { ReactNode } from 'react';
import { VisuallyHidden } from '@mantine/core';

/** A column: its title and what a row shows in it. */
export interface Column<Row> {
  readonly key: string;
  readonly title: string;
  readonly isNumber?: boolean;
  readonly cell: (row: Row) => ReactNode;
}

interface TableProps<Row> {
  /** Says what the table holds; read aloud, not shown. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  /** Narrow enough to stay a table on every screen. */
  readonly isCompact?: boolean;
  /** Keys of rows to mark as just changed. */
  readonly changed?: ReadonlySet<string>;
}

/** Rows and columns, the first cell being the row's heading. */
export function DataTable<Row>(props: TableProps<Row>) {
  const { caption, columns, rows, rowKey, isCompact = false, changed } = props;
  return (
    <table className="table" role="table" data-compact={isCompact}>
      <VisuallyHidden component="caption">{caption}</VisuallyHidden>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ key, title, isNumber }) => (
            <th key={key} role="columnheader" scope="col" data-number={isNumber === true}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={rowKey(row)} role="row" data-changed={changed?.has(rowKey(row)) === true}>
            {columns.map(({ key, title, isNumber, cell }, index) => (
              <Cell key={key} title={title} isNumber={isNumber === true} isHeading={index === 0}>
                {cell(row)}
              </Cell>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface CellProps {
  readonly title: string;
  readonly isNumber: boolean;
  readonly isHeading: boolean;
  readonly children: ReactNode;
}

function Cell({ title, isNumber, isHeading, children }: CellProps) {
  const attributes = { 'data-title': title, 'data-number': isNumber };
  return isHeading ? (
    <th role="rowheader" scope="row" {...attributes}>
      <span className="cell">{children}</span>
    </th>
  ) : (
    <td role="cell" {...attributes}>
      <span className="cell">{children}</span>
    </td>
  );
}
