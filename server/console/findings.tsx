/**
 * The findings of a device: a tool each, with its verdict, its date, what to use instead, and every
 * component by which it was found. Whatever the device named is shown as text only.
 */
import { useQuery } from '@tanstack/react-query';
import { isTrace } from '../trace.js';
import type { Finding } from '../views.js';
import { policiesQuery } from './api.js';
import { useChanges } from './changes.js';
import { Why } from './explain.js';
import { Faults } from './faults.js';
import { useLanguage, useTexts } from './language.js';
import { Empty } from './notices.js';
import { Shown, visible } from './shown.js';
import { TraceMark, VerdictMark } from './states.js';
import { DataTable, type Column } from './table.js';
import type { Texts } from './texts-en.js';
import { Ago, dateText, useNow, shownZone } from './times.js';

type Component = Finding['components'][number];

function Version({ version }: Pick<Component, 'version'>) {
  const { findings: words } = useTexts();
  return version === null ? (
    <span className="quiet">{words.noVersion}</span>
  ) : (
    <Shown text={version} />
  );
}

function Channel({ channel, manager }: Pick<Component, 'channel' | 'manager'>) {
  if (manager === null || manager === channel) return channel;
  return (
    <>
      {channel}
      <span className="quiet">
        {' · '}
        <Shown text={manager} />
      </span>
    </>
  );
}

function Owner({ owner }: Pick<Component, 'owner'>) {
  const { findings: words } = useTexts();
  return owner === null ? <span className="quiet">{words.machine}</span> : <Shown text={owner} />;
}

function Gateway({ gateway }: Pick<Component, 'gateway'>) {
  const { findings: words } = useTexts();
  return gateway == null ? (
    <span className="quiet">{words.noGateway}</span>
  ) : (
    <Shown text={gateway} />
  );
}

/** Why something that no entry of the catalogue claims is in the list at all. */
function Reasons({ components }: Pick<Finding, 'components'>) {
  const { findings: words } = useTexts();
  const reasons = new Set(components.flatMap(({ candidateReasons = [] }) => candidateReasons));
  if (reasons.size === 0) return null;
  const told = [...reasons].map((reason) => words.reasons[reason]);
  return <p className="reasons">{words.candidate(told)}</p>;
}

const pathCell = ({ path }: Component) => (
  <code className="path">
    <Shown text={path} />
  </code>
);

const evidenceCell = ({ evidence }: Component) => (
  <span className="quiet">
    <Shown text={evidence.join(', ')} />
  </span>
);

interface Shows {
  readonly deviceId: string;
  readonly toolName: string;
  /** Components differ in their verdict. */
  readonly isMixed: boolean;
  /** Components differ in the model gateway they are set up for. */
  readonly hasGateways: boolean;
}

/** Verdict and gateway are columns only where components differ in them. */
function columnsIn(texts: Texts, shows: Shows): readonly Column<Component>[] {
  const { deviceId, toolName, isMixed, hasGateways } = shows;
  const { findings: words, componentStates, confidences } = texts;
  const columns: Column<Component>[] = [
    { key: 'path', title: words.path, cell: pathCell },
    { key: 'version', title: words.version, cell: (row) => <Version {...row} /> },
    { key: 'channel', title: words.channel, cell: (row) => <Channel {...row} /> },
    { key: 'owner', title: words.owner, cell: (row) => <Owner {...row} /> },
    { key: 'state', title: words.state, cell: ({ state }) => componentStates[state] },
    {
      key: 'confidence',
      title: words.confidence,
      cell: ({ confidence }) => confidences[confidence],
    },
    { key: 'evidence', title: words.evidence, cell: evidenceCell },
  ];
  if (hasGateways)
    columns.push({ key: 'gateway', title: words.gateway, cell: (row) => <Gateway {...row} /> });
  if (isMixed)
    columns.push({
      key: 'verdict',
      title: words.verdict,
      cell: (row) => (isTrace(row) ? <TraceMark /> : <VerdictMark verdict={row.verdict.status} />),
    });
  columns.push({
    key: 'why',
    title: texts.explain.column,
    cell: (row) => <Why deviceId={deviceId} component={row} toolName={toolName} />,
  });
  return columns;
}

function Advice({ finding, zone }: { readonly finding: Finding; readonly zone: string }) {
  const { language, texts } = useLanguage();
  const { findings: words } = texts;
  const now = useNow();
  const instead = finding.replacementName ?? finding.replacement;
  const date = finding.effective === null ? null : dateText(finding.effective, zone, language);
  const gateways = [...new Set(finding.components.flatMap(({ gateway }) => gateway ?? []))];
  const isInForce = finding.effective !== null && Date.parse(finding.effective) <= now;
  return (
    <p className="advice">
      {date === null ? null : <span>{isInForce ? words.since(date) : words.effective(date)}</span>}
      {instead === null ? null : <strong>{words.instead(visible(instead))}</strong>}
      {gateways.length === 0 ? null : (
        <span>
          {words.gateway} <Shown text={gateways.join(', ')} />
        </span>
      )}
      {finding.rule === null ? null : (
        <span className="quiet">
          {words.rule} <Shown text={finding.rule} />
        </span>
      )}
      <span className="quiet">
        {words.components(finding.components.length)} · {words.firstSeen}{' '}
        <Ago at={finding.firstSeen} />
      </span>
    </p>
  );
}

const isOnlyTraces = ({ components }: Finding): boolean =>
  components.length > 0 && components.every(isTrace);

interface FindingProps {
  readonly finding: Finding;
  readonly zone: string;
  readonly isChanged: boolean;
}

function FindingBlock({ finding, zone, isChanged }: FindingProps) {
  const texts = useTexts();
  const { components, deviceId, toolName } = finding;
  const traces = components.filter(isTrace).length;
  const hasGateways = new Set(components.map(({ gateway }) => gateway ?? null)).size > 1;
  const isMixed =
    components.some(({ verdict }) => verdict.status !== finding.verdict) ||
    (traces > 0 && traces < components.length);
  return (
    <article className="finding" data-changed={isChanged} data-verdict={finding.verdict}>
      <h3 className="finding-name">
        <Shown text={finding.toolName} />
        {isOnlyTraces(finding) ? <TraceMark /> : <VerdictMark verdict={finding.verdict} />}
        {finding.tool === null ? <span className="tag">{texts.findings.uncatalogued}</span> : null}
      </h3>
      <Reasons components={components} />
      <Advice finding={finding} zone={zone} />
      <Faults {...finding} />
      <DataTable
        caption={visible(finding.toolName)}
        columns={columnsIn(texts, { deviceId, toolName, isMixed, hasGateways })}
        rows={components}
        rowKey={({ id }) => id}
      />
    </article>
  );
}

const keyOf = (finding: Finding) =>
  `${finding.tool ?? finding.toolName} ${finding.components[0]?.owner ?? ''}`;

interface FindingsProps {
  readonly deviceId: string;
  readonly findings: readonly Finding[];
  readonly isScanned: boolean;
}

/** All findings of a device, as the server orders them. */
export function Findings({ deviceId, findings, isScanned }: FindingsProps) {
  const { findings: words, verdicts } = useTexts();
  const { data } = useQuery(policiesQuery);
  const zones = new Map(data?.policies.map(({ policy, timezone }) => [policy, timezone]));
  const changed = useChanges(
    deviceId,
    findings.map((finding) => ({
      key: keyOf(finding),
      signature: `${finding.verdict} ${finding.components.map(({ id, version }) => `${id} ${version}`).join()}`,
      sentence: words.changed(
        visible(finding.toolName),
        isOnlyTraces(finding) ? words.trace : verdicts[finding.verdict],
      ),
    })),
  );
  if (findings.length === 0)
    return <Empty title={words.none} how={isScanned ? words.noneHow : words.noneUnscanned} />;
  return findings.map((finding) => (
    <FindingBlock
      key={keyOf(finding)}
      finding={finding}
      zone={shownZone(finding.policy === null ? null : (zones.get(finding.policy) ?? null))}
      isChanged={changed.has(keyOf(finding))}
    />
  ));
}
