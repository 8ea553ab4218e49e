/**
 * The first view: will the fleet be clear by the date? Dates, the fleet by state, the way it went,
 * the tools, and the devices that need somebody most. Each part loads and fails on its own.
 */
import { Paper, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { Countdowns } from './countdown.js';
import { FleetStates } from './fleet.js';
import { useTitle } from './frame.js';
import { useTexts } from './language.js';
import { MostInNeed } from './need.js';
import { ToolCounts } from './tools.js';
import { TrendPanel } from './trend.js';

interface PanelProps {
  readonly title: string;
  readonly area: string;
  readonly children: ReactNode;
}

function Panel({ title, area, children }: PanelProps) {
  const id = `panel-${area}`;
  return (
    <Paper component="section" className="card" data-area={area} aria-labelledby={id}>
      <Title order={2} id={id} className="card-title">
        {title}
      </Title>
      {children}
    </Paper>
  );
}

/** Overview of the fleet. */
export function OverviewView() {
  const texts = useTexts();
  useTitle(texts.nav.overview);
  return (
    <div className="overview">
      <h1 className="unseen">{texts.nav.overview}</h1>
      <Panel title={texts.countdown.title} area="dates">
        <Countdowns />
      </Panel>
      <Panel title={texts.fleet.title} area="fleet">
        <FleetStates />
      </Panel>
      <Panel title={texts.trend.title} area="trend">
        <TrendPanel />
      </Panel>
      <Panel title={texts.tools.title} area="tools">
        <ToolCounts />
      </Panel>
      <Panel title={texts.need.title} area="need">
        <MostInNeed />
      </Panel>
    </div>
  );
}
