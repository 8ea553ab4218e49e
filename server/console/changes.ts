/**
 * Notices what changed in a list between two answers for the same question, so that the change can
 * be marked and announced. The first answer, another filter or a further page is no change.
 */
import { useEffect, useRef, useState } from 'react';
import { useTexts } from './language.js';
import { useLive } from './live.js';

const markedMs = 4000;

/** An entry of a watched list: who it is, what would count as a change, and how to say it. */
export interface Watched {
  readonly key: string;
  readonly signature: string;
  /** Null: marked, but left for others to announce. */
  readonly sentence: string | null;
}

/**
 * Keys of the entries that are new or differ since the answer before, for a few seconds. `question`
 * names what was asked; null entries: no answer yet.
 */
export function useChanges(
  question: string,
  entries: readonly Watched[] | null,
): ReadonlySet<string> {
  const texts = useTexts();
  const { announce } = useLive();
  const before = useRef<{ question: string; signatures: Map<string, string> } | null>(null);
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set());
  const answer = entries === null ? null : JSON.stringify(entries);

  useEffect(() => {
    if (answer === null) return;
    const current = JSON.parse(answer) as Watched[];
    const known = before.current?.question === question ? before.current.signatures : null;
    const signatures = new Map(current.map(({ key, signature }) => [key, signature]));
    before.current = { question, signatures };
    if (known === null) return;
    const changed = current.filter(({ key, signature }) => known.get(key) !== signature);
    const [first] = changed;
    if (first === undefined) return;
    setMarked(new Set(changed.map(({ key }) => key)));
    if (changed.length > 1 && first.sentence !== null) announce(texts.live.several(changed.length));
    else if (first.sentence !== null) announce(first.sentence);
  }, [question, answer, announce, texts]);

  useEffect(() => {
    if (marked.size === 0) return;
    const timer = setTimeout(() => setMarked(new Set()), markedMs);
    return () => clearTimeout(timer);
  }, [marked]);

  return marked;
}
