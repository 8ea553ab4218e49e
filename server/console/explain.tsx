/**
 * Why a component is allowed or not: a button, and the dialog it opens with what holds, what comes next,
 * what to do, every rule that was tried, and what the server does not know. The words of the explanation
 * are those of `curfew explain`; names and addresses in it are shown as text, links only where they are.
 */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useId, useRef, useState } from 'react';
import { explanationText } from '../../policies/explain-texts.js';
import type { ComponentExplanation } from '../explain-views.js';
import type { Finding } from '../views.js';
import { explanationQuery } from './api.js';
import { useLanguage, useTexts } from './language.js';
import { Failure, Loading } from './notices.js';
import { Shown, visible } from './shown.js';
import { VerdictMark } from './states.js';
import { DataTable, type Column } from './table.js';

type Component = Finding['components'][number];
type Text = ReturnType<typeof explanationText>;
type Step = Text['steps'][number] & { readonly at: number };

interface WhyProps {
  readonly deviceId: string;
  readonly component: Component;
  readonly toolName: string;
}

/** The button of a row; the explanation is asked for when it is opened. */
export function Why({ deviceId, component, toolName }: WhyProps) {
  const { explain: words } = useTexts();
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        className="why"
        aria-haspopup="dialog"
        aria-label={words.openFor(visible(component.path))}
        onClick={() => setOpen(true)}
      >
        {words.open}
      </button>
      {isOpen ? (
        <Explained
          deviceId={deviceId}
          component={component}
          toolName={toolName}
          close={() => setOpen(false)}
        />
      ) : null}
    </>
  );
}

/** The dialog; Escape closes it, and the focus goes back to the button. */
function Explained({
  deviceId,
  component,
  toolName,
  close,
}: WhyProps & { readonly close: () => void }) {
  const { explain: words } = useTexts();
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  const { data, error, refetch } = useQuery(explanationQuery(deviceId, component.id));
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} className="explained" aria-labelledby={title} onClose={close}>
      <div className="explained-head">
        <h2 id={title} className="card-title">
          {words.title} <Shown text={toolName} />
        </h2>
        <button type="button" className="why" onClick={() => dialog.current?.close()}>
          {words.close}
        </button>
      </div>
      <code className="path">
        <Shown text={component.path} />
      </code>
      {data !== undefined ? (
        <Body explained={data} />
      ) : error === null ? (
        <Loading rows={6} />
      ) : (
        <Failure fault={error} retry={() => void refetch()} />
      )}
    </dialog>
  );
}

function Body({ explained }: { readonly explained: ComponentExplanation }) {
  const { language } = useLanguage();
  const text = explanationText(explained.explanation, language);
  const { titles } = text;
  return (
    <>
      <p className="explained-headline">
        <Shown text={text.headline} />
      </p>
      <Lines lines={text.now} />
      {text.reason === null ? null : (
        <Lines title={titles.reason} lines={text.reason.split('\n')} />
      )}
      <ToDo text={text} />
      <Lines title={titles.coming} lines={text.coming} />
      <Steps text={text} />
      <Beside explained={explained} />
    </>
  );
}

function Lines({ title, lines }: { readonly title?: string; readonly lines: readonly string[] }) {
  if (lines.length === 0) return null;
  return (
    <>
      {title === undefined ? null : <h3>{title}</h3>}
      <ul className="plain">
        {lines.map((line) => (
          <li key={line}>
            <Shown text={line} />
          </li>
        ))}
      </ul>
    </>
  );
}

/** Followed only where it is a web page or a mail address. */
const isAddress = (address: string): boolean => /^(https?:\/\/|mailto:)/i.test(address);

function ToDo({ text }: { readonly text: Text }) {
  const { todo, links, titles } = text;
  if (todo.length + links.length === 0) return null;
  return (
    <>
      <h3>{titles.todo}</h3>
      <ul className="plain">
        {todo.map((line) => (
          <li key={line}>
            <Shown text={line} />
          </li>
        ))}
        {links.map(({ label, address }) => (
          <li key={address}>
            {label}:{' '}
            {isAddress(address) ? (
              <a href={address} target="_blank" rel="noreferrer">
                <Shown text={address} />
              </a>
            ) : (
              <Shown text={address} />
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

function Steps({ text }: { readonly text: Text }) {
  const { explain: words } = useTexts();
  const columns: readonly Column<Step>[] = [
    { key: 'rule', title: words.rule, cell: ({ rule }) => <Shown text={rule} /> },
    { key: 'mark', title: words.matched, cell: ({ mark }) => mark },
    { key: 'why', title: words.why, cell: ({ why }) => <Shown text={why} /> },
  ];
  return (
    <>
      <h3>{text.titles.tried}</h3>
      <DataTable
        caption={text.titles.tried}
        columns={columns}
        rows={text.steps.map((step, at) => ({ ...step, at }))}
        rowKey={({ at }) => String(at)}
      />
      {text.untried === null ? null : (
        <p className="quiet">
          <Shown text={text.untried} />
        </p>
      )}
    </>
  );
}

/** What the device itself made of it, by which bundle, and what it alone knows. */
function Beside({ explained }: { readonly explained: ComponentExplanation }) {
  const { explain: words } = useTexts();
  const { reported, agrees, bundleSequence, deviceBundleSequence, unknown } = explained;
  const isBehind = deviceBundleSequence !== null && deviceBundleSequence < bundleSequence;
  return (
    <>
      <h3>{words.device}</h3>
      <ul className="plain">
        <li>
          <VerdictMark verdict={reported.status} />
          {reported.rule === null ? null : (
            <span className="quiet">
              {' '}
              {words.rule} <Shown text={reported.rule} />
            </span>
          )}
        </li>
        {agrees === false ? <li>{words.differs}</li> : null}
        {isBehind ? <li>{words.behind(deviceBundleSequence, bundleSequence)}</li> : null}
      </ul>
      <p className="quiet">{words.unknown(unknown.map((field) => words.unknowns[field]))}</p>
    </>
  );
}
