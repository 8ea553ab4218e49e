/** What softens the policy on a device: a pause, and its exceptions with their end and reason. It only reads. */
import type { DeviceDetail, ExceptionRow } from '../views.js';
import { useLanguage, useTexts } from './language.js';
import { Shown } from './shown.js';
import { fullText, viewerZone } from './times.js';

type Softened = Pick<DeviceDetail, 'exceptions' | 'pause'>;

/** Whether there is anything to show. */
export const isSoftened = ({ exceptions, pause }: Softened): boolean =>
  exceptions.length > 0 || pause !== null;

function Instant({ at }: { readonly at: string }) {
  const { language } = useLanguage();
  return <time dateTime={at}>{fullText(at, viewerZone, language)}</time>;
}

function Exception({ exception }: { readonly exception: ExceptionRow }) {
  const { exceptions: words } = useTexts();
  const { tool, toolName, person, device, hardwareId, from, until, holds, reason, author } =
    exception;
  return (
    <li className="scan">
      <h3>
        <Shown text={toolName === tool ? tool : toolName} />
        <span className="mark" data-tone={holds ? 'excepted' : 'unknown'}>
          {holds ? words.holds : words.comes}
        </span>
      </h3>
      <p className="quiet">
        {holds || from === null ? null : (
          <>
            {words.from} <Instant at={from} />{' '}
          </>
        )}
        {words.until} <Instant at={until} />
        {' · '}
        {person !== null ? words.ofPerson : device !== null ? words.ofDevice : words.ofHardware}
        {device !== null ? null : (
          <>
            {' '}
            <Shown text={person ?? hardwareId ?? ''} />
          </>
        )}
      </p>
      <p>
        <Shown text={reason} />{' '}
        <span className="quiet">
          {words.by} <Shown text={author} />
        </span>
      </p>
    </li>
  );
}

/** The pause and the exceptions of a device. */
export function Exceptions({ exceptions, pause }: Softened) {
  const { exceptions: words } = useTexts();
  return (
    <>
      {pause === null ? null : (
        <p>
          {words.paused}{' '}
          {pause.until === null ? (
            words.untilEnded
          ) : (
            <>
              {words.until} <Instant at={pause.until} />
            </>
          )}
        </p>
      )}
      <ul className="plain">
        {exceptions.map((one) => (
          <Exception key={one.id} exception={one} />
        ))}
      </ul>
    </>
  );
}
