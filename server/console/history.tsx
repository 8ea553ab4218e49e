/** What happened on a device, newest first, as a timeline; long histories open on request. */
import { Button, Timeline } from '@mantine/core';
import { useState } from 'react';
import type { HistoryEntry } from '../views.js';
import { useTexts } from './language.js';
import { Empty } from './notices.js';
import { Shown } from './shown.js';
import { VerdictMark } from './states.js';
import type { Texts } from './texts-en.js';
import { Ago } from './times.js';

const shownEntries = 30;

type Verdict = keyof Texts['verdicts'];

function Value({ text }: { readonly text: string }) {
  const { verdicts } = useTexts();
  return Object.hasOwn(verdicts, text) ? (
    <VerdictMark verdict={text as Verdict} />
  ) : (
    <Shown text={text} />
  );
}

function Change({ from, to }: Pick<HistoryEntry, 'from' | 'to'>) {
  if (from === null && to === null) return null;
  return (
    <span className="change">
      {from === null ? null : <Value text={from} />}
      {from === null || to === null ? null : <span aria-hidden="true">→</span>}
      {to === null ? null : <Value text={to} />}
    </span>
  );
}

/** The timeline of a device. */
export function History({ entries }: { readonly entries: readonly HistoryEntry[] }) {
  const { history } = useTexts();
  const [isOpen, setOpen] = useState(false);
  if (entries.length === 0) return <Empty title={history.none} />;
  const newestFirst = [...entries].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
  const shown = isOpen ? newestFirst : newestFirst.slice(0, shownEntries);
  return (
    <>
      <Timeline bulletSize={12} lineWidth={2} className="timeline">
        {shown.map((entry, index) => (
          <Timeline.Item
            // Entries have no id, and several may share an instant.
            key={`${entry.at} ${newestFirst.length - index}`}
            data-tone={entry.kind === 'verdict' ? (entry.to ?? undefined) : undefined}
            title={
              <span className="entry">
                <span className="quiet">{history.kinds[entry.kind]}</span>
                {entry.toolName === null ? null : <Shown text={entry.toolName} />}
                <Change from={entry.from} to={entry.to} />
              </span>
            }
          >
            <span className="quiet entry-text">
              <Ago at={entry.at} />
              {entry.component === null ? null : (
                <code className="path">
                  <Shown text={entry.component} />
                </code>
              )}
              {entry.detail === null ? null : <Shown text={entry.detail} />}
            </span>
          </Timeline.Item>
        ))}
      </Timeline>
      {shown.length === newestFirst.length ? null : (
        <Button variant="default" size="xs" onClick={() => setOpen(true)}>
          {history.all(newestFirst.length)}
        </Button>
      )}
    </>
  );
}
