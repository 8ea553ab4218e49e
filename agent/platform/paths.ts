/**
 * `node:path` for POSIX with a short way for paths that are in order already, as nearly all are: a scan
 * joins and cuts some ten thousand of them, and Node's own goes through each letter by letter. Whatever
 * is not in order goes to Node's, so that the answers are always the same.
 */
import path, { type PlatformPath } from 'node:path';

/** A part that is empty, `.` or `..`, or a separator at the end. */
const untidy = /\/\.{0,2}(?:\/|$)/;
const untidyBelow = /(?:^|\/)\.{0,2}(?:\/|$)/;

/** Whether a path is absolute and normal, so that resolving it changes nothing. */
export function isTidy(place: string): boolean {
  return place.charCodeAt(0) === 47 && !untidy.test(place);
}

function join(...parts: string[]): string {
  const [folder = ''] = parts;
  if (!isTidy(folder)) return path.posix.join(...parts);
  let joined = folder;
  for (let at = 1; at < parts.length; at += 1) {
    const below = parts[at] ?? '';
    if (untidyBelow.test(below)) return path.posix.join(...parts);
    joined += `/${below}`;
  }
  return joined;
}

function dirname(place: string): string {
  const at = place.lastIndexOf('/');
  const isPlain =
    at > 0 && at < place.length - 1 && place.charCodeAt(at - 1) !== 47; /* no double slash */
  return isPlain ? place.slice(0, at) : path.posix.dirname(place);
}

function basename(place: string, suffix?: string): string {
  const isPlain = suffix === undefined && place.length > 0 && !place.endsWith('/');
  return isPlain ? place.slice(place.lastIndexOf('/') + 1) : path.posix.basename(place, suffix);
}

function resolve(...parts: string[]): string {
  const [place = ''] = parts;
  return parts.length === 1 && isTidy(place) ? place : path.posix.resolve(...parts);
}

export const posixPath: PlatformPath = { ...path.posix, join, dirname, basename, resolve };

/** `node:path` of the machine we run on. */
export const ownPath: PlatformPath = path.sep === '/' ? posixPath : path;
