/**
 * The live link: server-sent events say what changed, the queries that show it are asked again. It
 * carries no state of its own: after every interruption all answers are renewed, because events may
 * have been missed. A burst of events costs one round of questions a second.
 */
import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { createContext, use, useEffect, useMemo, useState, type ReactNode } from 'react';
import type { LiveEvent } from '../views.js';
import { sessionQuery } from './api.js';

const roundMs = 1000;
const longestRetryMs = 30_000;

function parseEvent(text: unknown): LiveEvent | null {
  if (typeof text !== 'string') return null;
  try {
    const event = JSON.parse(text) as LiveEvent | null;
    return event?.kind === 'device' || event?.kind === 'policy' ? event : null;
  } catch {
    return null;
  }
}

/**
 * Asks again for what the collected events touch: the first at once, what comes meanwhile when the
 * answers are in and a round has passed, so that a slow server is never asked twice at a time.
 */
function createRefresher(client: QueryClient) {
  const touched = new Set<string>();
  let isBusy = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const ask = async (ids: ReadonlySet<string>) => {
    const isPolicy = ids.has('policy');
    await client.invalidateQueries({
      predicate: ({ queryKey: [what, id] }) => {
        if (what === 'session') return false;
        if (what === 'policies') return isPolicy;
        return what !== 'device' || isPolicy || ids.has(`device ${String(id)}`);
      },
    });
  };
  const refresh = () => {
    isBusy = touched.size > 0;
    if (!isBusy) return;
    const ids = new Set(touched);
    touched.clear();
    void ask(ids).finally(() => {
      timer = setTimeout(refresh, roundMs);
    });
  };
  return {
    add(event: LiveEvent) {
      touched.add(event.kind === 'device' ? `device ${event.id}` : 'policy');
      if (!isBusy) refresh();
    },
    close: () => clearTimeout(timer),
  };
}

/** Keeps an EventSource open, also past answers after which the browser itself gives up. */
function listen(client: QueryClient, setLive: (isLive: boolean) => void): () => void {
  const refresher = createRefresher(client);
  let source: EventSource;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  const open = () => {
    source = new EventSource('/api/v1/live');
    source.onopen = () => {
      if (failures > 0) void client.invalidateQueries();
      failures = 0;
      setLive(true);
    };
    source.onmessage = ({ data }) => {
      const event = parseEvent(data);
      if (event !== null) refresher.add(event);
    };
    source.onerror = () => {
      failures += 1;
      setLive(false);
      if (source.readyState !== EventSource.CLOSED) return;
      // Refused rather than cut: perhaps the session has ended.
      void client.invalidateQueries({ queryKey: sessionQuery.queryKey });
      retry = setTimeout(open, Math.random() * Math.min(longestRetryMs, 1000 * 2 ** failures));
    };
  };
  open();
  return () => {
    clearTimeout(retry);
    refresher.close();
    source.close();
  };
}

interface Live {
  readonly isLive: boolean;
  /** What a screen reader says next, politely. */
  readonly announce: (sentence: string) => void;
}

const LiveContext = createContext<Live>({ isLive: false, announce: () => {} });

/** Opens the live link for everything below it, and holds the place announcements are read from. */
export function LiveProvider({ children }: { readonly children: ReactNode }) {
  const client = useQueryClient();
  const [isLive, setLive] = useState(false);
  const [sentence, setSentence] = useState('');
  useEffect(() => listen(client, setLive), [client]);
  const live = useMemo(() => ({ isLive, announce: setSentence }), [isLive]);
  return (
    <LiveContext value={live}>
      {children}
      <div className="announcement" role="status" aria-live="polite">
        {sentence}
      </div>
    </LiveContext>
  );
}

/** Whether the live link is up, and the way to announce. */
export const useLive = () => use(LiveContext);
