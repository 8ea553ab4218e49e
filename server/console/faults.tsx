/**
 * Published faults of what was found: each with how grave it is, what it is, the version that mends it
 * and where to read on. They change no verdict; where a version is not known, no more is said than that.
 */
import { useQuery } from '@tanstack/react-query';
import type { AdvisoryList, Finding } from '../views.js';
import { advisoriesQuery } from './api.js';
import { useTexts } from './language.js';
import { Shown } from './shown.js';

type Advisory = AdvisoryList['advisories'][number];

const ranks = { critical: 0, high: 1, medium: 2, low: 3 };

/** The catalogue comes from the server, but an address is followed only where it is a web page. */
const isPage = (address: string): boolean => /^https?:\/\//i.test(address);

function Fault({ advisory, id }: { readonly advisory: Advisory | undefined; readonly id: string }) {
  const { faults: words } = useTexts();
  const [source] = advisory?.sources ?? [];
  return (
    <li>
      {advisory === undefined ? null : (
        <strong className="severity">{words.severities[advisory.severity]}</strong>
      )}{' '}
      {source === undefined || !isPage(source) ? (
        <Shown text={id} />
      ) : (
        <a href={source} target="_blank" rel="noreferrer">
          <Shown text={id} />
        </a>
      )}
      {advisory === undefined ? null : (
        <>
          {': '}
          <Shown text={advisory.title} />{' '}
          {advisory.fixed === null ? null : (
            <span className="quiet">
              {words.fixed} <Shown text={advisory.fixed} />
            </span>
          )}
        </>
      )}
    </li>
  );
}

/** The faults that a finding's versions have, the gravest first. */
export function Faults({
  advisories,
  possibleAdvisories,
}: Pick<Finding, 'advisories' | 'possibleAdvisories'>) {
  const { faults: words } = useTexts();
  const isTold = advisories.length > 0 || possibleAdvisories.length > 0;
  const { data } = useQuery({ ...advisoriesQuery, enabled: isTold });
  if (!isTold) return null;
  const byId = new Map(data?.advisories.map((one) => [one.id, one]));
  const rank = (id: string): number => ranks[byId.get(id)?.severity ?? 'low'];
  const gravest = [...advisories].sort((a, b) => rank(a) - rank(b));
  return (
    <div className="faults">
      {gravest.length === 0 ? null : (
        <>
          <h4>{words.title}</h4>
          <ul className="plain">
            {gravest.map((id) => (
              <Fault key={id} id={id} advisory={byId.get(id)} />
            ))}
          </ul>
        </>
      )}
      {possibleAdvisories.length === 0 ? null : <p className="quiet">{words.possible}</p>}
    </div>
  );
}
