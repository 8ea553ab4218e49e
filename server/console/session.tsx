/**
 * Getting in: the page of a one-time link, and the page for everybody without a session. The secret
 * stands behind `#`, so no server or proxy logs it; it leaves the address as soon as it was used.
 */
import { Code, Loader, Paper, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, type ReactNode } from 'react';
import { useNavigate, useParams } from 'react-router';
import { Fault, signIn, startSession } from './api.js';
import { useTexts } from './language.js';
import { Failure } from './notices.js';
import { Moon } from './icons.js';

const linkCommand = 'curfew-server user link';

function Gate({ children }: { readonly children: ReactNode }) {
  return (
    <main className="gate" id="content">
      <Paper className="card" component="section">
        <Stack gap="md">
          <Moon size={36} />
          {children}
        </Stack>
      </Paper>
    </main>
  );
}

/** Shown to whoever has no session: how to get a link. */
export function SignedOut() {
  const texts = useTexts();
  return (
    <Gate>
      <Title order={1} size="h3">
        {texts.session.title}
      </Title>
      <Text>{texts.session.how}</Text>
      <Code block tabIndex={0}>
        {linkCommand}
      </Code>
      <Text size="sm" className="quiet">
        {texts.session.orUp}
      </Text>
    </Gate>
  );
}

/** Exchanges the link's secret for a session, once, and goes on to the overview. */
export function SignInByLink() {
  const texts = useTexts();
  const { secret = '' } = useParams();
  const client = useQueryClient();
  const navigate = useNavigate();
  const used = useRef<string | null>(null);
  const { mutate, error } = useMutation({
    mutationFn: signIn,
    onSuccess: async (session) => {
      startSession(client, session);
      await navigate('/', { replace: true });
    },
  });
  useEffect(() => {
    if (used.current === secret) return;
    used.current = secret;
    mutate(secret);
  }, [secret, mutate]);

  if (error === null)
    return (
      <Gate>
        <Loader size="sm" aria-hidden />
        <Text role="status">{texts.session.signingIn}</Text>
      </Gate>
    );
  if (!(error instanceof Fault) || error.status !== 401)
    return (
      <Gate>
        <Failure fault={error} retry={() => mutate(secret)} />
      </Gate>
    );
  return (
    <Gate>
      <Title order={1} size="h3">
        {texts.session.failed}
      </Title>
      <Text>{texts.session.failedHow}</Text>
      <Code block tabIndex={0}>
        {linkCommand}
      </Code>
      <Text size="sm" className="quiet">
        {texts.fault.code} <Code>{error.code}</Code>
      </Text>
    </Gate>
  );
}
