/**
 * Where the console starts: the providers and the list of views. Addresses stand behind `#`, so the
 * server sends one page for all of them and never sees which device is looked at.
 */
import '@mantine/core/styles.css';
import './console.css';
import './table.css';
import './overview.css';
import './device.css';
import './policies.css';
import { MantineProvider } from '@mantine/core';
import { QueryClientProvider, useQuery } from '@tanstack/react-query';
import { createRoot } from 'react-dom/client';
import { HashRouter, Link, Route, Routes } from 'react-router';
import { createQueryClient, sessionQuery } from './api.js';
import { DeviceView } from './device.js';
import { DevicesView } from './devices.js';
import { Frame } from './frame.js';
import { LanguageProvider, useTexts } from './language.js';
import { LiveProvider } from './live.js';
import { Boundary, Empty, Failure, Loading } from './notices.js';
import { OverviewView } from './overview.js';
import { PoliciesView } from './policies.js';
import { SignedOut, SignInByLink } from './session.js';
import { theme } from './theme.js';

function NotFound() {
  const { fault } = useTexts();
  return (
    <Empty title={fault.notFound}>
      <Link to="/">{fault.toOverview}</Link>
    </Empty>
  );
}

function SignedIn() {
  const { data: session, error, refetch } = useQuery(sessionQuery);
  if (session === null) return <SignedOut />;
  if (session === undefined)
    return (
      <main className="content">
        {error === null ? <Loading /> : <Failure fault={error} retry={() => void refetch()} />}
      </main>
    );
  return (
    <LiveProvider>
      <Routes>
        <Route element={<Frame session={session} />}>
          <Route index element={<OverviewView />} />
          <Route path="devices" element={<DevicesView />} />
          <Route path="devices/:id" element={<DeviceView />} />
          <Route path="policies" element={<PoliciesView />} />
          <Route path="*" element={<NotFound />} />
        </Route>
      </Routes>
    </LiveProvider>
  );
}

function Console() {
  return (
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      withGlobalClasses={false}
      withCssVariables={false}
    >
      <QueryClientProvider client={client}>
        <LanguageProvider>
          <Boundary>
            <HashRouter>
              <Routes>
                <Route path="sign-in/:secret" element={<SignInByLink />} />
                <Route path="*" element={<SignedIn />} />
              </Routes>
            </HashRouter>
          </Boundary>
        </LanguageProvider>
      </QueryClientProvider>
    </MantineProvider>
  );
}

const client = createQueryClient();
const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element with the id "root".');
createRoot(root).render(<Console />);
