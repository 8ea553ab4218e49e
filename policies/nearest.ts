/**
 * The nearest right word for a wrong one, for messages only: nothing is ever corrected by it, and a
 * word that is not near any is left without a suggestion.
 */

/** Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other. */
function distance(from: string, to: string): number {
  let [older, last] = [[] as number[], Array.from({ length: to.length + 1 }, (_, at) => at)];
  for (let row = 1; row <= from.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwap =
        row > 1 &&
        column > 1 &&
        from[row - 1] === to[column - 2] &&
        from[row - 2] === to[column - 1];
      next[column] = Math.min(
        (last[column] ?? 0) + 1,
        (next[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
        isSwap ? (older[column - 2] ?? 0) + 1 : Infinity,
      );
    }
    [older, last] = [last, next];
  }
  return last[to.length] ?? 0;
}

/** The candidate that a slip of the pen would have made of `word`; null when none is near. */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  if (word.length > 64) return null;
  const plain = word.toLowerCase();
  let best: string | null = null;
  let bestDistance = Math.ceil(word.length / 3) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - plain.length) >= bestDistance) continue;
    const found = distance(plain, candidate.toLowerCase());
    if (found < bestDistance) [best, bestDistance] = [candidate, found];
  }
  return best;
}

/** What people say elsewhere for a word of the policy language. */
const synonyms: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    allow: ['allowed', 'accept', 'permit', 'permitted', 'ok', 'ignore', 'pass'],
    approve: ['approved', 'recommend', 'recommended', 'preferred', 'standard'],
    deny: [
      'denied',
      'ban',
      'banned',
      'forbid',
      'forbidden',
      'reject',
      'prohibit',
      'refuse',
      'disallow',
      'block',
      'blocked',
    ],
    review: ['ask', 'audit', 'inspect', 'check', 'manual'],
    observe: ['none', 'nothing', 'log', 'monitor', 'watch', 'silent', 'audit', 'report'],
    notify: ['warn', 'warning', 'alert', 'prompt', 'tell', 'message', 'inform'],
    block: ['stop', 'quarantine', 'disable', 'kill', 'deny', 'prevent'],
    remove: ['delete', 'uninstall', 'purge', 'erase', 'wipe'],
    darwin: ['macos', 'mac', 'osx', 'os-x', 'apple'],
    win32: ['windows', 'win', 'win64', 'win10', 'win11', 'nt'],
    linux: ['ubuntu', 'debian', 'fedora', 'rhel', 'gnu'],
    homebrew: ['brew', 'cask', 'formula', 'linuxbrew'],
    pypi: ['pip', 'pipx', 'uv', 'python'],
    npm: ['node', 'pnpm', 'yarn', 'bun', 'npx'],
    dpkg: ['apt', 'deb', 'apt-get', 'debian'],
    rpm: ['yum', 'dnf', 'zypper'],
    chocolatey: ['choco'],
    'editor-extension': ['vscode', 'vsix', 'vs-code', 'extension', 'cursor'],
    'jetbrains-plugin': ['jetbrains', 'intellij', 'pycharm', 'plugin'],
    'browser-extension': ['chrome', 'firefox', 'edge', 'addon', 'add-on'],
    application: ['app', 'bundle', 'program'],
    executable: ['binary', 'exe', 'command', 'cli'],
    'coding-agent': ['agent', 'harness', 'assistant'],
    'model-runner': ['llm', 'local-model', 'runner'],
    global: ['user', 'machine', 'system'],
    project: ['local', 'workspace', 'repository', 'repo'],
    critical: ['urgent', 'severe', 'emergency'],
    medium: ['moderate', 'normal', 'default'],
    low: ['minor', 'info'],
    tool: ['name', 'app', 'program', 'product', 'id'],
    reason: ['why', 'description', 'message', 'because', 'justification'],
    evidence: ['links', 'link', 'references', 'sources', 'source', 'url'],
    replacement: ['alternative', 'instead', 'substitute', 'use'],
    effective: ['date', 'from', 'start', 'begins', 'deadline', 'enforce'],
    announce: ['notice', 'notify', 'announced', 'tell'],
    timezone: ['tz', 'zone', 'time-zone'],
    guide: ['url', 'link', 'docs', 'howto'],
    contact: ['owner', 'email', 'mail', 'support', 'help'],
    percent: ['percentage', 'share', 'rollout'],
    groups: ['teams', 'group'],
    users: ['people', 'persons', 'person', 'user'],
    policy: ['id', 'name'],
    title: ['name'],
    path: ['folder', 'directory', 'location', 'file'],
    publisher: ['signer', 'author', 'signature', 'developer'],
    owner: ['account', 'user'],
    'Asia/Shanghai': ['beijing', 'china', 'asia/beijing', 'cst'],
    'Asia/Kolkata': ['india', 'ist', 'mumbai', 'delhi'],
    'America/Los_Angeles': ['pacific', 'pst', 'pdt', 'pt', 'us/pacific', 'san francisco'],
    'America/New_York': ['eastern', 'est', 'edt', 'et'],
    'Europe/Berlin': ['germany', 'cet', 'cest', 'munich'],
    'Europe/London': ['bst', 'uk', 'england'],
    vendor: ['official', 'first-party', 'own', 'direct'],
    'third-party': ['third', '3rd-party', '3rdparty', 'foreign', 'reseller'],
    utc: ['z', 'gmt', 'zulu', 'utc+0', 'etc/utc'],
  }),
);

/** A candidate that says the same in this language, or ends with the word as a city ends a zone's name. */
function sameMeaning(word: string, candidates: readonly string[]): string | null {
  const plain = word.toLowerCase().replace(/[ _]/g, '-');
  const named = candidates.filter(
    (one) => one.length > 3 && one.toLowerCase().endsWith(`/${plain.replaceAll('-', '_')}`),
  );
  const said = candidates.find((one) => synonyms.get(one)?.includes(plain));
  return named[0] ?? said ?? null;
}

/** `; did you mean "x"?`, or nothing. */
export function suggestion(word: string, candidates: Iterable<string>): string {
  if (word.length > 64) return '';
  const all = [...candidates];
  const exact = all.find((one) => one.toLowerCase() === word.toLowerCase());
  const found = exact ?? sameMeaning(word, all) ?? nearest(word, all);
  return found === null ? '' : `; did you mean "${found}"?`;
}
