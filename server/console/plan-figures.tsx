/**
 * The figures of a plan as tables: what is live, an arrow, what would be. They are the server's, as
 * `policy plan` prints them; nothing is reckoned here.
 */
import type { PlanFigures, PlanView } from '../plan-views.js';
import { useLanguage } from './language.js';
import { DataTable, type Column } from './table.js';
import { fullText, viewerZone } from './times.js';

type At = PlanView['impact']['at'][number];
type Standing = keyof PlanFigures['planned'];
const order: readonly Standing[] = [
  'violation',
  'unforeseen',
  'pending',
  'unknown',
  'excepted',
  'clear',
];

function Change({ live, planned, gained }: { live: number; planned: number; gained?: number }) {
  const { texts, language } = useLanguage();
  const shown = (count: number) => count.toLocaleString(language);
  return (
    <>
      {live === planned ? shown(planned) : `${shown(live)} → ${shown(planned)}`}
      {gained === undefined || gained === 0 ? null : (
        <span className="gained">{texts.policies.gained(gained)}</span>
      )}
    </>
  );
}

/** An instant in the viewer's zone, and why the fleet is judged at it. */
export function When({ at, reasons }: Pick<At, 'at' | 'reasons'>) {
  const { texts, language } = useLanguage();
  const words = new Set(
    reasons.map((reason) =>
      texts.policies.reasons[reason.kind]('rule' in reason ? reason.rule : ''),
    ),
  );
  return (
    <>
      <time dateTime={at}>{fullText(at, viewerZone, language)}</time>
      <span className="gained">{[...words].join(' · ')}</span>
    </>
  );
}

interface Row {
  readonly key: string;
  readonly at: At;
  readonly toolName?: string;
  readonly figures: PlanFigures;
}

function FigureTable({
  caption,
  rows,
}: {
  readonly caption: string;
  readonly rows: readonly Row[];
}) {
  const { texts } = useLanguage();
  const words = texts.policies;
  const columns: readonly Column<Row>[] = [
    { key: 'when', title: words.when, cell: ({ at }) => <When {...at} /> },
    ...(rows.some(({ toolName }) => toolName !== undefined)
      ? [{ key: 'tool', title: words.tool, cell: ({ toolName }: Row) => toolName }]
      : []),
    ...order.map((standing) => ({
      key: standing,
      title: words.standings[standing],
      isNumber: true,
      cell: ({ figures: { live, planned, become } }: Row) => (
        <Change live={live[standing]} planned={planned[standing]} gained={become[standing]} />
      ),
    })),
    {
      key: 'review',
      title: words.anyReview,
      isNumber: true,
      cell: ({ figures }) => <Change {...figures.review} />,
    },
    {
      key: 'any-excepted',
      title: words.anyExcepted,
      isNumber: true,
      cell: ({ figures }) => <Change {...figures.excepted} />,
    },
  ];
  return (
    <div className="figures">
      <h3>{caption}</h3>
      <DataTable caption={caption} columns={columns} rows={rows} rowKey={({ key }) => key} />
    </div>
  );
}

/** Devices, people and tools at every instant of a plan. */
export function PlanTables({ at }: { readonly at: readonly At[] }) {
  const { texts } = useLanguage();
  const words = texts.policies;
  const tools = at.flatMap((one) =>
    one.tools.map(({ tool, toolName, devices }) => ({
      key: `${one.at} ${tool ?? ''}`,
      at: one,
      toolName: toolName ?? words.unknownTool,
      figures: devices,
    })),
  );
  return (
    <>
      <FigureTable
        caption={words.devices}
        rows={at.map((one) => ({ key: one.at, at: one, figures: one.devices }))}
      />
      <FigureTable
        caption={words.people}
        rows={at.map((one) => ({ key: one.at, at: one, figures: one.people }))}
      />
      {tools.length === 0 ? null : <FigureTable caption={words.tools} rows={tools} />}
    </>
  );
}
