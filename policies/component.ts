/**
 * What is found on a device, and where it was found: the closed lists and the record that every side
 * shares. Detectors make components, the inventory keeps them, evaluation judges them, reports carry
 * them. This file has no behaviour beyond the lists; the wire form of the record is in `wire/`.
 */

/** How software gets onto a machine. */
export const channels = [
  'npm',
  'pypi',
  'homebrew',
  'editor-extension',
  'jetbrains-plugin',
  'browser-extension',
  'application',
  'package',
  'executable',
  'process',
  'config',
  'mcp',
  'model',
  'service',
] as const;
export type Channel = (typeof channels)[number];

/** What a component can do now. What could not be read is no component at all: its root says so. */
export const componentStates = [
  'installed',
  'running',
  'cached',
  'bundled',
  'disabled',
  'residual',
] as const;
export type ComponentState = (typeof componentStates)[number];

export const scopes = ['global', 'project'] as const;
export type Scope = (typeof scopes)[number];

export const confidences = ['high', 'medium', 'low'] as const;
export type Confidence = (typeof confidences)[number];

export const platforms = ['linux', 'darwin', 'win32'] as const;
export type Platform = (typeof platforms)[number];

/** Why something that no entry of the catalogue claims looks like an AI tool. */
export const candidateReasons = [
  'depends-on-model-sdk', // a package with a command of its own that depends on a model vendor's SDK
  'declares-mcp', // declares that it serves or hosts the Model Context Protocol
  'speaks-acp', // depends on or declares the Agent Client Protocol
  'declares-chat', // an editor or browser extension that contributes a chat participant or model
] as const;
export type CandidateReason = (typeof candidateReasons)[number];

/** What a root's last read came to. Only `complete` and `absent` may remove what was known of it. */
export const rootStatuses = [
  'complete',
  'absent',
  'partial',
  'unreadable',
  'unavailable',
  'timeout',
] as const;
export type RootStatus = (typeof rootStatuses)[number];

/**
 * One thing found. `id` is a hash of channel, name, path and owner, so the same install has the same
 * id in every scan and from every root that shows it. `path` is as on the machine it was found on.
 */
export interface Component {
  readonly id: string;
  /** Id of a catalogue entry, or null for what no entry claims. */
  readonly tool: string | null;
  readonly channel: Channel;
  /** What stands behind the channel: npm, nvm, pnpm, volta, vscode, cursor ... */
  readonly manager: string | null;
  /** A package URL (https://github.com/package-url/purl-spec) where the ecosystem has one. */
  readonly purl: string | null;
  readonly name: string;
  /** As the ecosystem writes it; null when it could not be read, which never counts as compliant. */
  readonly version: string | null;
  readonly path: string;
  /** The account in whose home it lies; null for what belongs to the machine. */
  readonly owner: string | null;
  readonly scope: Scope;
  readonly state: ComponentState;
  readonly confidence: Confidence;
  /** Kinds of proof and known file names ("package.json", "PATH", "extensions.json"), never contents. */
  readonly evidence: readonly string[];
  /** Only with tool null: why it looks like an AI tool. Left out for all else. */
  readonly candidate?: readonly CandidateReason[];
  /** Set by the inventory before evaluation, from other components of the same tool and owner. */
  readonly gateway?: string | null;
  readonly running?: boolean;
  readonly publisher?: string | null;
}
