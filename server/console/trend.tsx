/**
 * The fleet over time. The drawing is a chunk of its own, fetched when the panel is there; the same
 * figures are always available as a table.
 */
import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import type { Trend } from '../views.js';
import { trendQuery } from './api.js';
import { useLanguage } from './language.js';
import { Boundary, Empty, Failure, Loading } from './notices.js';
import { statesByNeed } from './states.js';
import { DataTable } from './table.js';
import { pointText } from './times.js';

const Chart = lazy(async () => ({ default: (await import('./chart.js')).Chart }));

function TrendTable({ trend }: { readonly trend: Trend }) {
  const { language, texts } = useLanguage();
  const present = statesByNeed.filter((state) =>
    trend.points.some(({ states }) => states[state] > 0),
  );
  return (
    <details className="as-table">
      <summary>{texts.trend.asTable}</summary>
      <div className="scroll" tabIndex={0} role="group" aria-label={texts.trend.title}>
        <DataTable
          isCompact
          caption={texts.trend.title}
          rows={[...trend.points].reverse()}
          rowKey={({ at }) => at}
          columns={[
            {
              key: 'at',
              title: texts.trend.time,
              cell: ({ at }) => pointText(at, trend.bucketMinutes, language),
            },
            ...present.map((state) => ({
              key: state,
              title: texts.states[state],
              isNumber: true,
              cell: ({ states }: Trend['points'][number]) => states[state].toLocaleString(language),
            })),
          ]}
        />
      </div>
    </details>
  );
}

/** The chart, or why there is none yet. */
export function TrendPanel() {
  const { language, texts } = useLanguage();
  const { data, error, refetch } = useQuery(trendQuery);
  if (data === undefined)
    return error === null ? (
      <Loading rows={1} height={144} />
    ) : (
      <Failure fault={error} retry={() => void refetch()} />
    );
  const first = data.points[0];
  const last = data.points.at(-1);
  if (first === undefined || last === undefined || data.points.length < 2)
    return <Empty title={texts.trend.none} how={texts.trend.noneHow} />;
  const text = (at: string) => pointText(at, data.bucketMinutes, language);
  return (
    <>
      <div
        role="img"
        className="chart"
        aria-label={texts.trend.summary(text(first.at), text(last.at))}
      >
        <Boundary>
          <Suspense fallback={<Skeleton height={144} />}>
            <Chart trend={data} />
          </Suspense>
        </Boundary>
      </div>
      <TrendTable trend={data} />
    </>
  );
}
