/**
 * One device: what it is, its state, what was found on it and what to use instead, how far its scans
 * looked, and what happened when. It only reads.
 */
import { Paper, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link, useParams } from 'react-router';
import type { DeviceDetail } from '../views.js';
import { deviceQuery } from './api.js';
import { Presence } from './device-table.js';
import { Exceptions, isSoftened } from './exceptions.js';
import { Findings } from './findings.js';
import { useTitle } from './frame.js';
import { History } from './history.js';
import { Icon } from './icons.js';
import { useTexts } from './language.js';
import { Failure, Loading } from './notices.js';
import { Scans } from './scans.js';
import { Shown } from './shown.js';
import { StateMark } from './states.js';
import { Ago } from './times.js';

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Facts({ device, facts }: Pick<DeviceDetail, 'device' | 'facts'>) {
  const { device: words, devices } = useTexts();
  const nothing = <span className="quiet">{words.none}</span>;
  const shown = (text: string | null) =>
    text === null || text === '' ? nothing : <Shown text={text} />;
  const ago = (at: string | null) =>
    at === null ? <span className="quiet">{devices.never}</span> : <Ago at={at} />;
  return (
    <dl className="facts">
      <Fact name={devices.system}>{shown(`${facts.osName} ${facts.osVersion}`.trim())}</Fact>
      <Fact name={words.arch}>{shown(facts.arch)}</Fact>
      <Fact name={words.zone}>{shown(facts.zone)}</Fact>
      <Fact name={words.group}>{shown(device.group)}</Fact>
      <Fact name={words.lastSeen}>{ago(device.lastSeen)}</Fact>
      <Fact name={words.lastComplete}>{ago(device.lastComplete)}</Fact>
      <Fact name={words.enrolled}>{ago(device.enrolledAt)}</Fact>
      <Fact name={words.bundle}>{device.bundleSequence ?? nothing}</Fact>
      <Fact name={words.agent}>
        {shown(facts.agentVersion)}
        {device.needsAgentUpgrade ? ` (${words.needsUpgrade})` : null}
      </Fact>
      <Fact name={words.hardwareId}>{shown(facts.hardwareId)}</Fact>
      <Fact name={words.id}>{shown(device.id)}</Fact>
    </dl>
  );
}

function Head({ device }: Pick<DeviceDetail, 'device'>) {
  const { device: words, devices, verdicts } = useTexts();
  const hidesVerdict =
    device.lastKnown !== null && (device.state === 'stale' || device.state === 'partial');
  return (
    <div className="device-head">
      <Title order={1} className="page-title">
        <Shown text={device.hostName} />
      </Title>
      <StateMark state={device.state} />
      {hidesVerdict && device.lastKnown !== null ? (
        <span className="mark" data-tone={device.lastKnown}>
          {words.lastKnown(verdicts[device.lastKnown])}
        </span>
      ) : null}
      {device.hasReview ? (
        <span className="mark" data-tone="review">
          {devices.review}
        </span>
      ) : null}
      <Presence isOnline={device.isOnline} />
      {device.label === null ? null : (
        <span className="tag">
          <Shown text={device.label} />
        </span>
      )}
    </div>
  );
}

interface SectionProps {
  readonly title: string;
  readonly id: string;
  readonly children: ReactNode;
}

function Section({ title, id, children }: SectionProps) {
  return (
    <Paper component="section" className="card" aria-labelledby={id} data-area={id}>
      <Title order={2} id={id} className="card-title">
        {title}
      </Title>
      {children}
    </Paper>
  );
}

function Detail({ detail }: { readonly detail: DeviceDetail }) {
  const texts = useTexts();
  useTitle(detail.device.hostName);
  const { device, facts, findings, scans, history } = detail;
  return (
    <>
      <Head device={device} />
      <div className="device">
        <Section title={texts.findings.title} id="findings">
          <Findings
            deviceId={device.id}
            findings={findings}
            isScanned={device.state !== 'never-scanned'}
          />
        </Section>
        <div className="aside">
          <Section title={texts.device.facts} id="facts">
            <Facts device={device} facts={facts} />
          </Section>
          {isSoftened(detail) ? (
            <Section title={texts.exceptions.title} id="exceptions">
              <Exceptions exceptions={detail.exceptions} pause={detail.pause} />
            </Section>
          ) : null}
          <Section title={texts.scans.title} id="scans">
            <Scans scans={scans} />
          </Section>
        </div>
        <Section title={texts.history.title} id="history">
          <History entries={history} />
        </Section>
      </div>
    </>
  );
}

/** The view of one device. */
export function DeviceView() {
  const { device: words } = useTexts();
  const { id = '' } = useParams();
  const { data, error, refetch } = useQuery(deviceQuery(id));
  return (
    <>
      <p className="back">
        <Link to="/devices">
          <Icon name="back" size={14} /> {words.back}
        </Link>
      </p>
      {data !== undefined ? (
        <Detail detail={data} />
      ) : error === null ? (
        <Loading rows={10} />
      ) : (
        <Failure fault={error} retry={() => void refetch()} />
      )}
    </>
  );
}
