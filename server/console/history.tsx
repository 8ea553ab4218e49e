/**
 * What happened on a device, newest first, as a timeline; long histories open on request. What only
 * says that the agent works (snapshots, complete scans, traces that came and went) is folded away
 * until asked for, so that it does not hide what matters.
 */
import { Button, Switch, Timeline } from '@mantine/core';
import { useState } from 'react';
import type { HistoryEntry } from '../views.js';
import { useTexts } from './language.js';
import { Empty } from './notices.js';
import { subjectText } from './scans.js';
import { Shown } from './shown.js';
import { VerdictMark } from './states.js';
import type { Texts } from './texts-en.js';
import { Ago } from './times.js';

const shownEntries = 30;

type Entry = Pick<HistoryEntry, 'kind' | 'from' | 'to' | 'detail'>;

/**
 * Entries of the machinery. A scan that became partial, or was, is none: something was not seen. Nor
 * is a snapshot that lacks something: it is all that says so, as it writes no removals.
 */
function isTechnical({ kind, from, to }: Entry): boolean {
  if (kind === 'scan') return from !== 'partial' && to !== 'partial';
  if (kind === 'appeared') return to === 'residual';
  if (kind === 'removed') return from === 'residual';
  return kind === 'snapshot' && Number(to) >= Number(from);
}

/** The word for a value that has one: a verdict, a component's state, how far a scan came. */
function wordFor(text: string, entry: Entry, texts: Texts): string | null {
  const { kind, detail } = entry;
  const isState =
    kind === 'appeared' || kind === 'removed' || (kind === 'changed' && detail === 'state');
  const words: Readonly<Record<string, string>> | null =
    kind === 'scan'
      ? { complete: texts.scans.complete, partial: texts.scans.partial }
      : isState
        ? texts.componentStates
        : null;
  return words !== null && Object.hasOwn(words, text) ? (words[text] ?? null) : null;
}

const isVerdict = (text: string, texts: Texts): text is keyof Texts['verdicts'] =>
  Object.hasOwn(texts.verdicts, text);

function Value({ text, entry }: { readonly text: string; readonly entry: Entry }) {
  const texts = useTexts();
  if (entry.kind === 'verdict' && isVerdict(text, texts)) return <VerdictMark verdict={text} />;
  return <Shown text={wordFor(text, entry, texts) ?? text} />;
}

function Change({ entry }: { readonly entry: Entry }) {
  const { from, to } = entry;
  if (from === null && to === null) return null;
  return (
    <span className="change">
      {from === null ? null : <Value text={from} entry={entry} />}
      {from === null || to === null ? null : <span aria-hidden="true">→</span>}
      {to === null ? null : <Value text={to} entry={entry} />}
    </span>
  );
}

/** What else the entry says: a rule, a path, or whose scan it was. */
function Detail({ entry }: { readonly entry: HistoryEntry }) {
  const texts = useTexts();
  const { kind, component, detail } = entry;
  return (
    <>
      {component === null ? null : <Shown text={component} />}
      {detail === null || kind === 'changed' ? null : kind === 'scan' || kind === 'snapshot' ? (
        <span>{subjectText(detail, texts)}</span>
      ) : (
        <code className="path">
          <Shown text={detail} />
        </code>
      )}
    </>
  );
}

function Entries({ entries }: { readonly entries: readonly HistoryEntry[] }) {
  const { history } = useTexts();
  return (
    <Timeline bulletSize={12} lineWidth={2} className="timeline">
      {entries.map((entry, index) => (
        <Timeline.Item
          // Entries have no id, and several may share an instant.
          key={`${entry.at} ${entries.length - index}`}
          data-tone={entry.kind === 'verdict' ? (entry.to ?? undefined) : undefined}
          data-technical={isTechnical(entry)}
          title={
            <span className="entry">
              <span className="quiet">{history.kinds[entry.kind]}</span>
              {entry.toolName === null ? null : <Shown text={entry.toolName} />}
              <Change entry={entry} />
            </span>
          }
        >
          <span className="quiet entry-text">
            <Ago at={entry.at} />
            <Detail entry={entry} />
          </span>
        </Timeline.Item>
      ))}
    </Timeline>
  );
}

/** The timeline of a device. */
export function History({ entries }: { readonly entries: readonly HistoryEntry[] }) {
  const { history } = useTexts();
  const [isOpen, setOpen] = useState(false);
  const [isTechnicalShown, setTechnicalShown] = useState(false);
  if (entries.length === 0) return <Empty title={history.none} />;
  const newestFirst = entries
    .filter((entry) => isTechnicalShown || !isTechnical(entry))
    .sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
  const shown = isOpen ? newestFirst : newestFirst.slice(0, shownEntries);
  return (
    <>
      {entries.some(isTechnical) ? (
        <Switch
          className="technical"
          size="xs"
          label={history.technical}
          checked={isTechnicalShown}
          onChange={(event) => setTechnicalShown(event.currentTarget.checked)}
        />
      ) : null}
      <Entries entries={shown} />
      {shown.length === newestFirst.length ? null : (
        <Button variant="default" size="xs" onClick={() => setOpen(true)}>
          {history.all(newestFirst.length)}
        </Button>
      )}
    </>
  );
}
