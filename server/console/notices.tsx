/**
 * What a view shows instead of its content: while it loads, when it failed, and when there is nothing.
 * A failure has its code and a way to try again; emptiness says what to do next.
 */
import { Button, Code, Skeleton, Stack, Text } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { Fault } from './api.js';
import { useTexts } from './language.js';
import { Shown } from './shown.js';

/** Grey bars in the place of rows to come. */
export function Loading({
  rows = 4,
  height = 18,
}: {
  readonly rows?: number;
  readonly height?: number;
}) {
  const texts = useTexts();
  return (
    <Stack gap="sm" role="status" aria-label={texts.loading}>
      {Array.from({ length: rows }, (_, row) => (
        <Skeleton key={row} height={height} radius="sm" />
      ))}
    </Stack>
  );
}

/** Why something could not be loaded, with its code. */
export function Failure({ fault, retry }: { readonly fault: unknown; readonly retry: () => void }) {
  const texts = useTexts();
  const known = fault instanceof Fault ? fault : null;
  const detail =
    known?.status === null ? texts.fault.unreachable : (known?.message ?? String(fault));
  return (
    <div className="notice" role="alert">
      <Text fw={600}>{texts.fault.title}</Text>
      <Text size="sm">
        <Shown text={detail} />
      </Text>
      {known === null ? null : (
        <Text size="sm" className="quiet">
          {texts.fault.code} <Code>{known.code}</Code>
        </Text>
      )}
      <Button variant="default" size="xs" onClick={retry}>
        {texts.fault.retry}
      </Button>
    </div>
  );
}

interface EmptyProps {
  readonly title: string;
  readonly how?: string;
  /** A command to copy, shown as it is typed. */
  readonly command?: string;
  readonly children?: ReactNode;
}

/** Nothing here, and what to do about it. */
export function Empty({ title, how, command, children }: EmptyProps) {
  return (
    <div className="notice">
      <Text fw={600}>{title}</Text>
      {how === undefined ? null : (
        <Text size="sm" className="quiet">
          {how}
        </Text>
      )}
      {command === undefined ? null : (
        <Code block tabIndex={0}>
          {command}
        </Code>
      )}
      {children}
    </div>
  );
}

function Broken({ message }: { readonly message: string }) {
  const texts = useTexts();
  return (
    <div className="notice" role="alert">
      <Text fw={600}>{texts.fault.broken}</Text>
      <Text size="sm">
        <Shown text={message} />
      </Text>
      <Button variant="default" size="xs" onClick={() => location.reload()}>
        {texts.fault.reload}
      </Button>
    </div>
  );
}

/** Keeps an error in one view from blanking the page. */
export class Boundary extends Component<
  { readonly children: ReactNode },
  { readonly message: string | null }
> {
  override state = { message: null };

  static getDerivedStateFromError(error: unknown) {
    return { message: error instanceof Error ? error.message : String(error) };
  }

  override render() {
    return this.state.message === null ? (
      this.props.children
    ) : (
      <Broken message={this.state.message} />
    );
  }
}
