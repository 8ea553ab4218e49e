/**
 * What stands around every view: the name, the places to go, whether the page is live, language,
 * appearance, and the way out. It also moves the focus to a view that was just opened and sets the
 * page's title.
 */
import {
  ActionIcon,
  Button,
  SegmentedControl,
  Tooltip,
  useMantineColorScheme,
} from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { Link, NavLink, Outlet, useLocation } from 'react-router';
import type { Session } from '../views.js';
import { Fault, signOut, startSession } from './api.js';
import { Icon, Moon } from './icons.js';
import { languageNames, useLanguage, useTexts, type Language } from './language.js';
import { useLive } from './live.js';
import { Boundary } from './notices.js';
import { visible } from './shown.js';

/** Titles the page after the view. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${visible(title)} · Curfew`;
  }, [title]);
}

function LiveMark() {
  const texts = useTexts();
  const { isLive } = useLive();
  const { live } = texts;
  return (
    <Tooltip label={isLive ? live.liveHint : live.reconnectingHint} multiline maw={260}>
      <span className="live" data-live={isLive} role="status">
        {isLive ? live.live : live.reconnecting}
      </span>
    </Tooltip>
  );
}

const schemes = { auto: 'contrast', light: 'sun', dark: 'night' } as const;
const nextScheme = { auto: 'light', light: 'dark', dark: 'auto' } as const;

function AppearanceSwitch() {
  const { appearance } = useTexts();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const label = `${appearance.label}: ${appearance[colorScheme]}`;
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant="default"
        size={30}
        aria-label={label}
        onClick={() => setColorScheme(nextScheme[colorScheme])}
      >
        <Icon name={schemes[colorScheme]} />
      </ActionIcon>
    </Tooltip>
  );
}

function LanguageSwitch() {
  const { language, texts, choose } = useLanguage();
  return (
    <SegmentedControl
      size="xs"
      aria-label={texts.language}
      value={language}
      onChange={(value) => choose(value as Language)}
      data={Object.entries(languageNames).map(([value, label]) => ({ value, label }))}
    />
  );
}

function SignOut({ session }: { readonly session: Session }) {
  const texts = useTexts();
  const client = useQueryClient();
  const leave = useMutation({
    mutationFn: signOut,
    onSuccess: () => startSession(client, null),
    onError: (fault) => {
      if (fault instanceof Fault && fault.status === 401) startSession(client, null);
    },
  });
  const who = `${visible(session.user)} · ${texts.session.roles[session.role]}`;
  const failure = leave.error instanceof Fault ? leave.error.code : null;
  return (
    <Tooltip label={who}>
      <Button
        variant="default"
        size="compact-sm"
        className="sign-out"
        loading={leave.isPending}
        onClick={() => leave.mutate()}
      >
        {failure === null ? texts.session.signOut : `${texts.fault.retry}: ${failure}`}
      </Button>
    </Tooltip>
  );
}

/** The page around the views. */
export function Frame({ session }: { readonly session: Session }) {
  const texts = useTexts();
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const shown = useRef(pathname);
  useEffect(() => {
    if (shown.current === pathname) return;
    shown.current = pathname;
    main.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [pathname]);
  const skip = () => main.current?.focus();
  return (
    <>
      <button type="button" className="skip" onClick={skip}>
        {texts.nav.skip}
      </button>
      <header className="bar">
        <Link to="/" className="name">
          <Moon />
          Curfew
        </Link>
        <nav className="places" aria-label={texts.nav.label}>
          <NavLink to="/" end>
            {texts.nav.overview}
          </NavLink>
          <NavLink to="/devices">{texts.nav.devices}</NavLink>
          <NavLink to="/policies">{texts.policies.title}</NavLink>
        </nav>
        <div className="controls">
          <LiveMark />
          <LanguageSwitch />
          <AppearanceSwitch />
          <SignOut session={session} />
        </div>
      </header>
      <main className="content" id="content" tabIndex={-1} ref={main}>
        <Boundary key={pathname}>
          <Outlet />
        </Boundary>
      </main>
    </>
  );
}
