/**
 * JetBrains IDEs. What holds is set in IDE Services, whose rules have no file to import: they are
 * written as a list to be entered there. On the machine itself there is only `disabled_plugins.txt` in
 * each IDE's own configuration folder, which the person can change: advice, and named so.
 * https://www.jetbrains.com/help/ide-services-cloud/manage-available-plugins.html
 */
import { denialsOf, type Judged } from './denials.js';
import type { Compiled, CompiledFile, CompileInput, Target } from './index.js';
import { isMild, messageOf, unexpressed, usualWarnings } from './words.js';

interface PluginRule {
  readonly plugin: string;
  /** As IDE Services names its rules. */
  readonly rule: 'Allow' | 'Block on Restart' | 'Block (Forced)';
  readonly reason: string;
}

/** Signs, dots, dashes and spaces between; nothing that could end a line or a field. */
const pluginId = /^[\p{L}\p{N}_](?:[\p{L}\p{N} ._$+()-]*[\p{L}\p{N}_$+)])?$/u;

const isWritten = ({ kind, name, outcome, action }: Judged): boolean =>
  kind === 'jetbrainsPlugin' &&
  outcome === 'denied' &&
  action !== null &&
  !isMild({ action }) &&
  pluginId.test(name);

function ruleOf({ name, action, denial }: Judged, { catalogue }: CompileInput): PluginRule {
  return {
    plugin: name,
    rule: action === 'remove' ? 'Block (Forced)' : 'Block on Restart',
    reason: denial === null ? '' : messageOf(denial, catalogue, 250),
  };
}

/** RFC 4180; a field that begins like a formula is text to whoever opens it in a spreadsheet. */
function field(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${plain.replaceAll('"', '""')}"`;
}

function filesOf(rules: readonly PluginRule[], blocked: readonly string[]): CompiledFile[] {
  const rows = rules.map(({ plugin, rule, reason }) => [plugin, rule, reason]);
  const table = [['Plugin ID', 'Rule', 'Reason'], ...rows];
  const list: CompiledFile = {
    name: 'jetbrains/ide-services-rules.csv',
    text: table.map((row) => `${row.map(field).join(',')}\r\n`).join(''),
    purpose:
      'rules to be entered in IDE Services under the profile, Plugins; it reads no file, and where two rules meet the more specific one wins',
  };
  if (blocked.length === 0) return [list];
  return [
    list,
    {
      name: 'jetbrains/disabled_plugins.txt',
      text: blocked.map((plugin) => `${plugin}\n`).join(''),
      purpose:
        "advice only: lines to be added to disabled_plugins.txt in each IDE's configuration folder while it is closed; the person can take them out again",
    },
  ];
}

function whyNot(kind: Judged['kind'], { name }: Judged): string | null {
  if (kind !== 'jetbrainsPlugin' || pluginId.test(name)) return null;
  return `${name} is no plugin id that fits on a line`;
}

function compile(input: CompileInput): Compiled {
  const denials = denialsOf(input);
  const written = denials.identities.filter(isWritten);
  const notExpressible = unexpressed(denials, new Set(written), {
    product: 'a JetBrains IDE',
    isBlocking: true,
    whyNot,
  });
  const permitted = denials.identities.filter(
    ({ kind, name, isPartlyPermitted }) =>
      kind === 'jetbrainsPlugin' && isPartlyPermitted && pluginId.test(name),
  );
  const isAllowList = input.isAllowList && permitted.length > 0;
  const blocked = written.map((one) => ruleOf(one, input));
  const allowed = permitted.map(
    ({ name }) => ({ plugin: name, rule: 'Allow', reason: '' }) as const,
  );
  const everything = { plugin: 'All plugins', rule: 'Block on Restart', reason: '' } as const;
  const ordered = [...blocked, ...(isAllowList ? allowed : [])].sort((one, other) =>
    one.plugin < other.plugin ? -1 : 1,
  );
  const rules = isAllowList ? [everything, ...ordered] : ordered;
  const names = blocked.map(({ plugin }) => plugin).sort();
  return {
    files: rules.length === 0 ? [] : filesOf(rules, names),
    notExpressible,
    warnings: [...usualWarnings(input, denials), ...warningsOf(input, rules, isAllowList)],
  };
}

function warningsOf(
  { isAllowList: isAsked }: CompileInput,
  rules: readonly PluginRule[],
  isAllowList: boolean,
): string[] {
  const none =
    'no rule approves or allows a plugin: an allow-list would block all of them, and is not written';
  const all =
    'every plugin that is not listed is blocked, also those that have nothing to do with AI: add what people need';
  return [
    ...(isAllowList ? [all] : isAsked ? [none] : []),
    ...(rules.length === 0
      ? []
      : [
          'without IDE Services nothing here holds: an IDE reads disabled_plugins.txt from a folder that the person owns',
        ]),
  ];
}

export const jetbrains: Target = {
  id: 'jetbrains',
  title: 'JetBrains plugins',
  canAllowList: true,
  compile,
};
