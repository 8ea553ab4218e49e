/**
 * Addresses that a policy shows to people: web pages, and mail addresses where those are allowed. What
 * is taken here may be clicked, so nothing but https, http and mailto, no credentials, no sign that a
 * page or a terminal would read as something else. It opens no connection and asks no name server.
 */

const longestHost = 253;
/** White space, controls, and what a URL parser would quietly mend or a page could take for its own. */

const strangeSign =
  /[\s\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\\"'<>`{}|^]/u;
const label = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;

export type AddressKind = 'web' | 'web or mail';

/** Why a text is no address that people may be sent to, in one clause; null when it is one. */
export function wrongAddress(text: string, kind: AddressKind = 'web'): string | null {
  const example = kind === 'web' ? '' : ', or mailto:help@example.com';
  const expected = `expected a web address like https://example.com/notice${example}; found "${text}"`;
  const strange = strangeSign.exec(text)?.[0];
  if (strange !== undefined) {
    const code = (strange.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    if (strange === ' ') return 'an address must not hold a space; write it %20';
    const sign = /[!-~]/.test(strange) ? `the sign ${strange}` : `the character U+${code}`;
    return `an address must not hold ${sign}; write it percent-encoded`;
  }
  if (kind === 'web or mail' && /^mailto:/i.test(text)) return wrongMail(text.slice(7));
  // Without its slashes a parser would still read one.
  const url = /^https?:\/\/[^/]/i.test(text) ? URL.parse(text) : null;
  if (url === null) return /^https?:\/\//i.test(text) ? hostExpected(text) : expected;
  if (url.username !== '' || url.password !== '' || /^[^/]*\/\/[^/?#]*@/.test(text)) {
    return 'an address must not hold a user name or a password';
  }
  return wrongHost(url.hostname, text);
}

const hostExpected = (text: string): string =>
  `expected a host like example.com in the address; found "${text}"`;

/** `host` as a URL has it: lower case, other scripts in their ASCII form. */
function wrongHost(host: string, text: string): string | null {
  if (host.startsWith('[')) return null;
  const labels = host.replace(/\.$/, '').split('.');
  const isName = host.length <= longestHost && labels.every((one) => label.test(one));
  return isName ? null : hostExpected(text);
}

function wrongMail(text: string): string | null {
  const [address = '', query] = text.split('?', 2);
  const at = address.lastIndexOf('@');
  const isAddress = /^[A-Za-z0-9.!#$%&*+/=_~-]{1,64}$/.test(address.slice(0, Math.max(at, 0)));
  if (!isAddress || wrongHost(address.slice(at + 1).toLowerCase(), text) !== null) {
    return `expected one mail address like mailto:help@example.com; found "mailto:${text}"`;
  }
  return query === undefined || /^subject=[^&]*$/i.test(query)
    ? null
    : 'a mail address may be followed by ?subject=... and nothing else';
}

const ownMachine = /^(localhost|.*\.localhost|127(\.\d+){3}|0\.0\.0\.0|\[::1?\]|\[::ffff:7f.*\])$/i;

/** What is doubtful about an address that `wrongAddress` takes, in one clause; null for nothing. */
export function doubtfulAddress(text: string): string | null {
  const url = URL.parse(text);
  if (url === null || url.protocol === 'mailto:') return null;
  const host = url.hostname.replace(/\.$/, '');
  if (ownMachine.test(host)) return `${host} is the reader's own machine, whoever reads it`;
  if (/^\[|^\d+(\.\d+){3}$/.test(host)) return `${host} is a bare number; people trust a name`;
  if (!host.includes('.')) return `${host} is a name that only some networks know`;
  if (/(^|\.)xn--/.test(host)) return `the host is shown as ${host}; look that it is the one meant`;
  return url.protocol === 'http:' ? 'http: can be changed on the way; use https:' : null;
}
