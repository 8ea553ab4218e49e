/**
 * Who may look: sign-in by a one-time link, sessions, roles. Secrets are 256 random bits and only
 * their SHA-256 is stored (nothing to guess, so nothing to stretch). No passwords yet.
 */
import { randomBytes } from 'node:crypto';
import { CurfewError } from '../wire/errors.js';
import { sha256Hex } from '../wire/digest.js';
import { record } from './audit.js';
import type { Store } from './store/index.js';
import type { Role } from './store/records.js';

const linkLifeMs = 15 * 60_000;
export const sessionLifeMs = 12 * 60 * 60_000;

/** A random secret for a link, a session or a token. */
export const makeSecret = (): string => randomBytes(32).toString('base64url');

export interface SignedIn {
  readonly user: string;
  readonly role: Role;
}

export interface LinkRequest {
  readonly user: string;
  readonly role: Role;
  readonly now: number;
}

/** Where the console takes a link's secret: behind `#`, so that it is neither sent nor logged. */
export const signInUrl = (consoleUrl: string, secret: string): string =>
  `${consoleUrl}/#/sign-in/${secret}`;

/** A sign-in link's secret, good once within 15 minutes; the user is made if new. */
export async function makeSignInLink(store: Store, request: LinkRequest): Promise<string> {
  const { user, role, now } = request;
  const secret = makeSecret();
  await store.write(async (writing) => {
    await writing.people.removeExpired(now);
    await writing.people.putUser({ name: user, role, createdAt: now });
    await writing.people.addLink({
      hash: sha256Hex(secret),
      user,
      expiresAt: now + linkLifeMs,
    });
    const deed = { at: now, actor: 'cli', action: 'user.link', subject: user, detail: role };
    await record(writing, deed);
  });
  return secret;
}

/** Exchanges a link's secret for a session's. Errors: AUTH_LINK_INVALID. */
export async function signIn(
  store: Store,
  link: string,
  now: number,
): Promise<SignedIn & { readonly secret: string }> {
  const secret = makeSecret();
  const signedIn = await store.write(async (writing) => {
    const taken = await writing.people.takeLink(sha256Hex(link));
    if (taken === null || taken.expiresAt <= now) return null;
    const user = await writing.people.user(taken.user);
    if (user === null) return null;
    const hash = sha256Hex(secret);
    await writing.people.addSession({ hash, user: user.name, expiresAt: now + sessionLifeMs });
    const deed = { at: now, actor: user.name, action: 'user.sign-in', subject: null, detail: null };
    await record(writing, deed);
    return { user: user.name, role: user.role };
  });
  if (signedIn === null) {
    throw new CurfewError('AUTH_LINK_INVALID', 'this sign-in link is used, expired or unknown', {
      hint: 'Make a new one with `curfew-server user link`.',
    });
  }
  return { ...signedIn, secret };
}

/** Who a session's secret stands for; null: nobody, or no longer. */
export async function sessionOf(
  store: Store,
  secret: string,
  now: number,
): Promise<SignedIn | null> {
  const session = await store.read.people.session(sha256Hex(secret));
  if (session === null || session.expiresAt <= now) return null;
  const user = await store.read.people.user(session.user);
  return user === null ? null : { user: user.name, role: user.role };
}

export async function signOut(store: Store, secret: string): Promise<void> {
  await store.write((writing) => writing.people.removeSession(sha256Hex(secret)));
}
