/**
 * The drawing of the fleet over time: states stacked to the total. Loaded on its own, because the
 * chart library weighs as much as the rest of the console. The table beside it says the same.
 */
import '@mantine/charts/styles.css';
import { AreaChart } from '@mantine/charts';
import type { Trend } from '../views.js';
import { useLanguage } from './language.js';
import { statesByNeed } from './states.js';
import { pointText, tickText } from './times.js';

const heightPx = 144;

/** The stacked areas, what is fine at the bottom, what needs somebody on top. */
export function Chart({ trend }: { readonly trend: Trend }) {
  const { language, texts } = useLanguage();
  const present = [...statesByNeed]
    .reverse()
    .filter((state) => trend.points.some(({ states }) => states[state] > 0));
  return (
    <AreaChart
      h={heightPx}
      type="stacked"
      curveType="stepAfter"
      withDots={false}
      withGradient={false}
      fillOpacity={0.6}
      strokeWidth={1}
      tickLine="none"
      gridAxis="x"
      dataKey="at"
      data={trend.points.map(({ at, states }) => ({ at: Date.parse(at), ...states }))}
      series={present.map((state) => ({
        name: state,
        label: texts.states[state],
        color: `var(--tone-${state})`,
      }))}
      yAxisProps={{ allowDecimals: false, width: 40, tickCount: 3 }}
      xAxisProps={{
        type: 'number',
        scale: 'time',
        domain: ['dataMin', 'dataMax'],
        minTickGap: 60,
        tickFormatter: (at: number) => tickText(at, trend.bucketMinutes, language),
      }}
      tooltipProps={{
        // Called without a label while nothing is pointed at.
        labelFormatter: (at) =>
          typeof at === 'number' ? pointText(at, trend.bucketMinutes, language) : '',
      }}
      areaChartProps={{ accessibilityLayer: false, margin: { top: 8 } }}
    />
  );
}
