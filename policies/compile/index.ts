/**
 * A policy in the languages of other enforcers: the contract of a target and the list of all. Pure and
 * byte-stable: the same policy, catalogue and instant give the same bytes. A target writes nothing and
 * never locks everything out; what it cannot say it lists.
 */
import type { Catalogue } from '../catalogue.js';
import type { Policy } from '../document.js';
import { aiTools } from './ai-tools.js';
import { appcontrol } from './appcontrol.js';
import { applocker } from './applocker.js';
import { browserTargets } from './browsers.js';
import { fapolicyd } from './fapolicyd.js';
import { fleet } from './fleet.js';
import { jetbrains } from './jetbrains.js';
import { npmRegistry } from './registry.js';
import { santa } from './santa.js';
import { editorTargets } from './vscode.js';

export interface CompileInput {
  readonly policy: Policy;
  readonly catalogue: Catalogue;
  /** Epoch ms: denials in force at this instant are compiled; later ones are only named in `warnings`. */
  readonly at: number;
  /** IANA zone of `device-local` dates. */
  readonly zone: string;
  /** The admin asked this target for allow-list output; without it only denials are written. */
  readonly isAllowList: boolean;
  /** Without it a product that can watch before it blocks (audit, monitor) is told to watch. */
  readonly isEnforced?: boolean;
}

export interface CompiledFile {
  /** Relative to the output folder, with forward slashes: `santa/rules.json`. */
  readonly name: string;
  readonly text: string;
  /** Where it goes and how, in a clause for the admin. */
  readonly purpose: string;
}

/** A rule, or one tool of it, that the target cannot say. */
export interface NotExpressible {
  readonly rule: string;
  /** Catalogue id; null for the whole rule. */
  readonly tool: string | null;
  readonly reason: string;
}

export interface Compiled {
  readonly files: readonly CompiledFile[];
  readonly notExpressible: readonly NotExpressible[];
  readonly warnings: readonly string[];
}

export interface Target {
  /** As `--target` takes it. */
  readonly id: string;
  /** The product, as its maker writes it. */
  readonly title: string;
  /** Whether it can be asked for an allow-list. */
  readonly canAllowList: boolean;
  compile(input: CompileInput): Compiled;
}

/** Every target, in the order help lists them. */
export const targets: readonly Target[] = [
  ...[santa, applocker, appcontrol, fapolicyd],
  ...[...editorTargets, ...browserTargets, jetbrains],
  ...[npmRegistry, fleet, aiTools],
];
