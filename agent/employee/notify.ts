/**
 * A native notification to one person. Programs of the system are started without a shell, with a time
 * limit, and what they show is data to them: an argument or a variable, never part of a script. Where
 * no notification service can be reached the answer is `not-shown`, and the caller keeps it for later.
 */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import type { PromptText } from './texts.js';

export interface Recipient {
  readonly account: string;
  readonly uid: number | null;
  readonly home: string;
  /** True for the user this process runs as. */
  readonly isCurrent: boolean;
}

export type Shown =
  | { readonly kind: 'shown' }
  /** `why`: a short word for the log, never content. */
  | { readonly kind: 'not-shown'; readonly why: string };

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly gid?: number;
}

/** Runs a command to its end; `missing` when there is no such program. */
export type Runner = (command: Command) => Promise<'done' | 'failed' | 'missing'>;

const timeLimitMs = 5_000;

export const runCommand: Runner = ({ file, args, ...options }) =>
  new Promise((resolve) => {
    execFile(file, [...args], { ...options, timeout: timeLimitMs, cwd: '/' }, (error) => {
      if (error === null) resolve('done');
      else resolve(error.code === 'ENOENT' ? 'missing' : 'failed');
    });
  });

export interface NotifierOptions {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly run: Runner;
  /** Whether we may act as another user. */
  readonly isPrivileged: boolean;
  /** The primary group of an account's uid; only asked when acting as that user. */
  readonly groupOf: (uid: number) => number | null;
  readonly exists: (path: string) => boolean;
}

export interface Notifier {
  show(recipient: Recipient, text: PromptText): Promise<Shown>;
}

const notShown = (why: string): Shown => ({ kind: 'not-shown', why });

/** The notifier of this machine. */
export function createNotifier(options: NotifierOptions): Notifier {
  return {
    async show(recipient, text) {
      if (!recipient.isCurrent && !options.isPrivileged) return notShown('other-user');
      const commands = commandsFor(options, recipient, text);
      if (typeof commands === 'string') return notShown(commands);
      for (const command of commands) {
        const end = await options.run(command);
        if (end === 'done') return { kind: 'shown' };
        if (end === 'failed') return notShown('service-unreachable');
      }
      return notShown('no-program');
    },
  };
}

/** The programs to try in order, or why there is none. */
function commandsFor(
  options: NotifierOptions,
  recipient: Recipient,
  text: PromptText,
): readonly Command[] | string {
  switch (options.platform) {
    case 'darwin':
      return darwinCommands(recipient, text);
    case 'win32':
      return recipient.isCurrent && !options.isPrivileged
        ? [windowsCommand(options, text)]
        : 'needs-helper';
    default:
      return linuxCommands(options, recipient, text);
  }
}

function linuxCommands(
  options: NotifierOptions,
  recipient: Recipient,
  text: PromptText,
): readonly Command[] | string {
  const session = sessionOf(options, recipient);
  if (session === null) return 'no-session';
  // The body may be read as markup (freedesktop notification specification, "Markup").
  const body = text.body.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const name = 'org.freedesktop.Notifications';
  const object = '/org/freedesktop/Notifications';
  const quoted = (value: string): string => JSON.stringify(value);
  const tries: readonly (readonly [string, readonly string[]])[] = [
    ['notify-send', ['--app-name=Curfew', '--', text.title, body]],
    [
      'busctl',
      ['--user', 'call', '--', name, object, name, 'Notify', 'susssasa{sv}i']
        .concat(['Curfew', '0', '', text.title, body])
        .concat(['0', '0', '-1']),
    ],
    [
      'gdbus',
      ['call', '--session', '--dest', name, '--object-path', object, '--method', `${name}.Notify`]
        .concat(['--', quoted('Curfew'), '0', quoted(''), quoted(text.title), quoted(body)])
        .concat(['[]', '{}', '-1']),
    ],
  ];
  return tries.map(([file, args]) => ({ file, args, ...session }));
}

/** How to reach the session bus of a person, as that person. */
function sessionOf(
  { env, exists, groupOf }: NotifierOptions,
  { uid, home, isCurrent }: Recipient,
): Omit<Command, 'file' | 'args'> | null {
  const folder = uid === null ? null : `/run/user/${uid}`;
  const bus = folder !== null && exists(`${folder}/bus`) ? `unix:path=${folder}/bus` : null;
  const own = isCurrent ? env['DBUS_SESSION_BUS_ADDRESS'] : undefined;
  const address = own ?? bus;
  if (address === null) return null;
  const variables = {
    HOME: home,
    DBUS_SESSION_BUS_ADDRESS: address,
    XDG_RUNTIME_DIR: (isCurrent ? env['XDG_RUNTIME_DIR'] : undefined) ?? folder ?? '',
    PATH: (isCurrent ? env['PATH'] : undefined) ?? '/usr/local/bin:/usr/bin:/bin',
    LANG: 'C.UTF-8',
    ...(isCurrent && env['DISPLAY'] !== undefined ? { DISPLAY: env['DISPLAY'] } : {}),
  };
  if (isCurrent) return { env: variables };
  const gid = uid === null ? null : groupOf(uid);
  return uid === null || gid === null ? null : { env: variables, uid, gid };
}

/** A constant script; title and body are its arguments. */
function darwinCommands({ uid, isCurrent }: Recipient, text: PromptText): readonly Command[] {
  const script = [
    '-e',
    'on run argv',
    '-e',
    'display notification (item 2 of argv) with title (item 1 of argv)',
    '-e',
    'end run',
    '--',
    text.title,
    text.body,
  ];
  const env = { PATH: '/usr/bin:/bin' };
  if (isCurrent) return [{ file: '/usr/bin/osascript', args: script, env }];
  const as = ['asuser', String(uid), '/usr/bin/sudo', '-u', `#${uid}`, '/usr/bin/osascript'];
  return [{ file: '/bin/launchctl', args: [...as, ...script], env }];
}

/** A constant script; title and body are variables of its environment, put in as text nodes. */
const toastScript = `
$ErrorActionPreference = 'Stop'
[Windows.UI.Notifications.ToastNotificationManager, Windows.UI.Notifications, ContentType = WindowsRuntime] | Out-Null
$kind = [Windows.UI.Notifications.ToastTemplateType]::ToastText02
$xml = [Windows.UI.Notifications.ToastNotificationManager]::GetTemplateContent($kind)
$texts = $xml.GetElementsByTagName('text')
$texts.Item(0).AppendChild($xml.CreateTextNode($env:CURFEW_TITLE)) | Out-Null
$texts.Item(1).AppendChild($xml.CreateTextNode($env:CURFEW_BODY)) | Out-Null
$toast = [Windows.UI.Notifications.ToastNotification]::new($xml)
$app = '{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}\\WindowsPowerShell\\v1.0\\powershell.exe'
[Windows.UI.Notifications.ToastNotificationManager]::CreateToastNotifier($app).Show($toast)
`;

function windowsCommand({ env }: NotifierOptions, text: PromptText): Command {
  const root = env['SystemRoot'] ?? 'C:\\Windows';
  const encoded = Buffer.from(toastScript, 'utf16le').toString('base64');
  return {
    file: `${root}\\System32\\WindowsPowerShell\\v1.0\\powershell.exe`,
    args: ['-NoProfile', '-NonInteractive', '-EncodedCommand', encoded],
    env: { SystemRoot: root, CURFEW_TITLE: text.title, CURFEW_BODY: text.body },
  };
}

/** The primary group of a person who is signed in: that of the folder which the login made for them. */
export function groupOfUid(uid: number): number | null {
  try {
    return fs.statSync(`/run/user/${uid}`).gid;
  } catch {
    return null;
  }
}
