/** How far the agent has looked, per subject: the machine and each person, with the roots not read. */
import type { DeviceDetail } from '../views.js';
import { useTexts } from './language.js';
import { Empty } from './notices.js';
import { Shown, visible } from './shown.js';
import type { Texts } from './texts-en.js';
import { Ago } from './times.js';

type SubjectScan = DeviceDetail['scans'][number];

/** The machine or whose home: `machine`, an account, or `person:` with the account. */
export function subjectText(subject: string, { scans }: Texts): string {
  return subject === 'machine'
    ? scans.machine
    : scans.person(visible(subject.replace(/^person:/, '')));
}

const kinds = ['mcp', 'model', 'service', 'candidate'] as const;

/** What the policy has counted and nothing more. */
function Counts({ counts }: Pick<SubjectScan, 'counts'>) {
  const { scans } = useTexts();
  const told = kinds.flatMap((kind) => {
    const count = counts[kind];
    return count === undefined ? [] : scans.counts[kind](count);
  });
  if (told.length === 0) return null;
  return <p className="quiet">{scans.counted(told)}</p>;
}

function Scan({ subject, scan, counts }: SubjectScan) {
  const texts = useTexts();
  const { scans, rootStatuses, devices } = texts;
  const isComplete = scan.status === 'complete';
  return (
    <li className="scan">
      <h3>
        {subjectText(subject, texts)}
        <span className="mark" data-tone={isComplete ? 'clear' : 'partial'}>
          {isComplete ? scans.complete : scans.partial}
        </span>
      </h3>
      <p className="quiet">
        {scans.roots(scan.roots)} · <Ago at={scan.at} />
        {isComplete ? null : (
          <>
            {' · '}
            {scans.lastComplete}{' '}
            {scan.lastComplete === null ? devices.never : <Ago at={scan.lastComplete} />}
          </>
        )}
      </p>
      <Counts counts={counts} />
      {scan.notRead.length === 0 ? null : (
        <details open>
          <summary>{scans.notRead(scan.notRead.length)}</summary>
          <ul className="plain roots">
            {scan.notRead.map(({ root, status }) => (
              <li key={`${root} ${status}`}>
                <code className="path">
                  <Shown text={root} />
                </code>{' '}
                <span className="quiet">{rootStatuses[status]}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </li>
  );
}

/** The scans of a device, one entry per subject. */
export function Scans({ scans }: { readonly scans: readonly SubjectScan[] }) {
  const texts = useTexts();
  if (scans.length === 0) return <Empty title={texts.scans.none} />;
  return (
    <ul className="plain">
      {scans.map((one) => (
        <Scan key={one.subject} {...one} />
      ))}
    </ul>
  );
}
