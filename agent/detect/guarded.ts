/**
 * Folders below a home that are not touched, not even to ask what they are: those for which macOS asks
 * the person before anybody may look, and what holds mail, messages and other people's files. No link
 * leads there either. Windows and Linux have no such folders; there each detector's own roots decide.
 */
import type { Platform } from '../../policies/component.js';

/** https://support.apple.com/guide/mac-help/mchld5a35146 names the kinds; the folders are where they lie. */
const ofMac = [
  'Desktop',
  'Documents',
  'Downloads',
  'Movies',
  'Music',
  'Pictures',
  ...[
    'Accounts',
    'Application Support/AddressBook',
    'Application Support/CallHistoryDB',
    'Application Support/com.apple.TCC',
    'Calendars',
    'CloudStorage',
    'Containers',
    'Cookies',
    'Group Containers',
    'HomeKit',
    'Mail',
    'Messages',
    'Metadata/CoreSpotlight',
    'Mobile Documents',
    'Photos',
    'Reminders',
    'Safari',
    'Sharing',
    'Suggestions',
  ].map((name) => `Library/${name}`),
];

/** Below a home, with `/` between the parts. */
export function guardedFolders(platform: Platform): readonly string[] {
  return platform === 'darwin' ? ofMac : [];
}
