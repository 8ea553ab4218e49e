/**
 * `curfew explain`: why something on this machine is allowed or not. Every exception and rule that was
 * tried and why it did or did not match, what happens next and when, and what to do; in the reader's
 * language. It goes by what the daemon knows, or scans by a policy file; it changes nothing.
 */
import os from 'node:os';
import { builtInCatalogue } from '../policies/catalogue.js';
import { verdictStatuses } from '../policies/evaluate.js';
import { explain, type Explanation } from '../policies/explain.js';
import { explanationText } from '../policies/explain-texts.js';
import { instantText } from '../policies/instant-text.js';
import type { Language } from '../policies/language.js';
import { CurfewError } from '../wire/errors.js';
import { languageFor } from './employee/texts.js';
import { explainHelp, parseExplainFlags, type ExplainFlags } from './explain-flags.js';
import { readKnown, type Known } from './explain-known.js';
import { chooseInputs } from './explain-names.js';
import { thisPlatform } from './platform/index.js';
import { evaluationInputs, lookAround, type CommandIo } from './scan-command.js';
import { printable } from './scan-output.js';
import { machineSettings } from './settings.js';

/** Answers the exit code: 2 usage, 1 a violation, 3 cannot tell, 0 fine. */
export async function runExplain(argv: readonly string[], io: CommandIo): Promise<number> {
  try {
    const flags = await parseExplainFlags(argv);
    if (flags === 'help') {
      io.stdout(explainHelp);
      return 0;
    }
    return await explainChosen(flags, io);
  } catch (error) {
    if (!(error instanceof CurfewError)) throw error;
    io.stderr(`curfew explain: ${printable(error.message)}\n`);
    if (error.hint !== null) io.stderr(`  ${error.hint}\n`);
    return error.code === 'USAGE' ? 2 : 3;
  }
}

async function explainChosen(flags: ExplainFlags, io: CommandIo): Promise<number> {
  const known = await knownBy(flags, io);
  const [first] = known.inputs;
  const catalogue = first?.catalogue ?? builtInCatalogue();
  const { chosen, absent } = chooseInputs(flags.names, known.inputs, catalogue);
  const explained = chosen
    .map((input) => explain(input, { contact: known.contact }))
    .sort((one, other) => rankOf(one) - rankOf(other));
  if (flags.isJson) {
    for (const one of explained) io.stdout(jsonLine({ record: 'explanation', ...one }));
    io.stdout(jsonLine(summaryOf(known, explained.length, absent)));
  } else {
    const language = languageFor({ home: os.homedir(), env: process.env });
    io.stdout(forPeople(explained, { known, absent, language }));
  }
  return exitCode(explained, known);
}

async function knownBy(flags: ExplainFlags, io: CommandIo): Promise<Known> {
  const settings = machineSettings(thisPlatform(), process.env);
  if (flags.scan === null) {
    return readKnown(flags.folder ?? settings.values.DataFolder, settings, flags.atMs);
  }
  const scanned = await lookAround(flags.scan, builtInCatalogue(), io);
  const { policy, result } = scanned;
  if (policy === null) throw new CurfewError('USAGE', 'a scan is explained by a --policy');
  return {
    inputs: await evaluationInputs(flags.scan, { ...scanned, policy }),
    contact: settings.values.PromptContactUrl,
    isComplete: result.status === 'complete',
    bundleSequence: null,
    isTimeConfirmed: null,
    pause: null,
  };
}

const rankOf = ({ verdict }: Explanation): number =>
  verdict === null ? 0 : verdictStatuses.indexOf(verdict.status);

function summaryOf(known: Known, explained: number, absent: readonly string[]): object {
  const { isComplete, bundleSequence, isTimeConfirmed, pause } = known;
  return {
    record: 'summary',
    explained,
    absent,
    isComplete,
    bundleSequence,
    isTimeConfirmed,
    pause:
      pause === null
        ? null
        : { until: pause.until === null ? null : new Date(pause.until).toISOString() },
  };
}

/** Names may be of anybody's making: JSON that is safe to show. */
const jsonLine = (record: object): string => `${printable(JSON.stringify(record))}\n`;

function exitCode(explained: readonly Explanation[], { isComplete }: Known): number {
  const has = (wanted: string): boolean =>
    explained.some(({ verdict }) => verdict?.status === wanted);
  if (has('violation')) return 1;
  return !isComplete || has('unknown') ? 3 : 0;
}

interface Said {
  readonly known: Known;
  readonly absent: readonly string[];
  readonly language: Language;
}

/** Sentences around the explanations, by language. */
const sentences: Readonly<
  Record<
    Language,
    {
      readonly nothing: string;
      absent(name: string): string;
      readonly incomplete: string;
      readonly unconfirmed: string;
      pause(until: string | null): string;
    }
  >
> = {
  en: {
    nothing: 'No AI tools were found.',
    absent: (name) => `${name}: not found on this machine.`,
    incomplete: 'Not all places could be read, so there may be more than is said here.',
    unconfirmed: 'No server has confirmed the time since this machine was started.',
    pause: (until) =>
      until === null
        ? 'Everything Curfew does on this machine is paused.'
        : `Everything Curfew does on this machine is paused until ${until}.`,
  },
  'zh-CN': {
    nothing: '没有找到 AI 工具。',
    absent: (name) => `${name}：本机上没有找到。`,
    incomplete: '有些位置无法读取，因此可能还有未列出的内容。',
    unconfirmed: '本机启动后，尚无服务器确认过时间。',
    pause: (until) =>
      until === null
        ? '本机上 Curfew 的一切操作已暂停。'
        : `本机上 Curfew 的一切操作已暂停，直至 ${until}。`,
  },
};

function forPeople(explained: readonly Explanation[], { known, absent, language }: Said): string {
  const words = sentences[language];
  const { pause, isTimeConfirmed, isComplete } = known;
  const zone = explained[0]?.deviceZone ?? 'UTC';
  const until = pause?.until == null ? null : instantText(pause.until, [zone], language);
  const isEmpty = explained.length === 0 && absent.length === 0;
  const parts = [
    ...explained.map((one) => blockOf(one, language)),
    ...absent.map((name) => words.absent(name)),
    ...(isEmpty ? [words.nothing] : []),
    ...(pause === null ? [] : [words.pause(until)]),
    ...(isTimeConfirmed === false ? [words.unconfirmed] : []),
    ...(isComplete ? [] : [words.incomplete]),
  ];
  return parts.map((part) => `${part}\n`).join('\n');
}

/** One component: what it is, what holds, what comes, what to do, what was tried. */
function blockOf(explained: Explanation, language: Language): string {
  const { component, policy } = explained;
  const { version, channel, manager, path, owner, id } = component;
  const text = explanationText(explained, language);
  const from = manager === null || manager === channel ? channel : `${channel}, ${manager}`;
  const width = Math.max(...text.steps.map(({ rule }) => rule.length));
  const titled = (title: string, lines: readonly string[]): readonly string[] =>
    lines.length === 0 ? [] : [`  ${title}:`, ...lines.map((line) => `    ${line}`)];
  const steps = text.steps.map(
    ({ rule, mark, why }) => `${rule.padEnd(width)}  ${mark.padEnd(3)}  ${why}`,
  );
  const links = text.links.map(({ label, address }) => `${label}: ${address}`);
  return [
    `${component.toolName} ${version ?? '?'} (${from}) ${path}`,
    `  ${text.headline}`,
    ...text.now.map((line) => `  ${line}`),
    ...titled(text.titles.reason, text.reason === null ? [] : text.reason.split('\n')),
    ...titled(text.titles.todo, [...text.todo, ...links]),
    ...titled(text.titles.coming, policy === null ? [] : text.coming),
    ...titled(text.titles.tried, [...steps, ...(text.untried === null ? [] : [text.untried])]),
    `  id ${id}${owner === null ? '' : `, ${owner}`}${policy === null ? '' : `, ${policy.title} (${policy.policy})`}`,
  ]
    .map((line) => printable(line))
    .join('\n');
}
