/**
 * What lines of other shells and of settings files say about PATH and variables, in the form of the plain
 * assignments that `shell-path.ts` understands: nushell, fish's universal variables, and the folder that
 * an alias starts an editor with. Only literal text is taken; what a shell would have to work out is not.
 */

export interface Assignment {
  readonly name: string;
  readonly value: string;
}

/** `$env.PATH = ($env.PATH | prepend "~/x")`, `$env.NVM_DIR = "/x"`, `path add "~/x"` (nushell.sh). */
export function nushell(line: string): readonly Assignment[] {
  // A home and a literal part joined are a literal path too.
  const plain = line
    .replace(
      /\(?\s*\$env\.HOME\s*\|\s*path join((?:\s+(?:"[^"]*"|'[^']*'))+)\s*\)?/g,
      (_, parts) => {
        const names = [...String(parts).matchAll(/"([^"]*)"|'([^']*)'/g)];
        return ` "$HOME/${names.map(([, one, two]) => one ?? two).join('/')}" `;
      },
    )
    .replace(/\(\s*\$env\.HOME\s*\+\s*["']([^"']*)["']\s*\)/g, ' "$HOME$1" ')
    .replace(/\$nu\.home-(?:path|dir)/g, '$HOME');
  const set = /^\s*\$env\.([A-Za-z_]\w*)\s*(?:\+\+)?=\s*(.+)$/.exec(plain);
  const added = /^\s*path add\s+(.+)$/.exec(plain)?.[1];
  const text = added ?? set?.[2];
  if (text === undefined) return [];
  const isPath = added !== undefined || set?.[1]?.toLowerCase() === 'path';
  const literals = [...text.matchAll(/"([^"]*)"|'([^']*)'|(?<=[\s([,]|^)([~/$][^\s()[\],|]*)/g)]
    .map(([, one, two, three]) => one ?? two ?? three ?? '')
    .filter((literal) => !literal.startsWith('$env.') && literal !== '');
  if (isPath) return [{ name: 'PATH', value: literals.join(':') }];
  const [first] = literals;
  return first === undefined ? [] : [{ name: set?.[1] ?? '', value: first }];
}

/** `SETUVAR --export NAME:value`, a list's parts ended by `\x1e` (fish's own file of universal variables). */
export function fishVariable(line: string): readonly Assignment[] {
  const [, name = '', value] = /^SETUVAR (?:--\w+ )*([A-Za-z_]\w*):(.*)$/.exec(line) ?? [];
  if (value === undefined) return [];
  const parts = value.split('\\x1e').map((part) =>
    part.replace(/\\x([0-9a-f]{2})/gi, (_, code: string) => {
      return String.fromCharCode(parseInt(code, 16));
    }),
  );
  const isPath = name === 'fish_user_paths' || name === 'PATH';
  return [{ name: isPath ? 'PATH' : name, value: isPath ? parts.join(':') : (parts[0] ?? '') }];
}

/** `--extensions-dir ~/x` on a line that starts an editor: the same as its own variable. */
export function editorOption(line: string): readonly Assignment[] {
  const match = /--extensions-dir(?:=|\s+)(?:"([^"]*)"|'([^']*)'|([^\s"';|&)]+))/.exec(line);
  const value = match?.[1] ?? match?.[2] ?? match?.[3];
  return value === undefined ? [] : [{ name: 'VSCODE_EXTENSIONS', value }];
}
