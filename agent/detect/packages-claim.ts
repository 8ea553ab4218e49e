/**
 * Which packages of a package system are reported, and the record that every such package gets. It
 * reads nothing.
 */
import type { IdentifierKind } from '../../policies/catalogue.js';
import type { Component } from '../../policies/component.js';
import { writePackageUrl } from '../../policies/package-url.js';
import { makeComponent, toolOf, type Found } from './component.js';
import type { World } from './index.js';

/** The package systems whose names are those of the catalogue's lists and of a policy's `package`. */
export type PackageSystem = Extract<
  IdentifierKind,
  'dpkg' | 'rpm' | 'apk' | 'pacman' | 'snap' | 'flatpak' | 'scoop' | 'chocolatey' | 'winget'
>;

export function isWholeChannel(world: World): boolean {
  return world.wholeChannels?.has('package') === true;
}

/** Every name that the catalogue or a rule has for a package system. */
export function wantedNames(system: PackageSystem, world: World): ReadonlySet<string> {
  const claimed = world.catalogue.tools.flatMap(({ identifiers }) => identifiers[system]);
  return new Set([...claimed, ...(world.named?.get(system) ?? [])]);
}

export function isWanted(system: PackageSystem, name: string, world: World): boolean {
  return isWholeChannel(world) || toolOf(world, system, name) !== 'unwanted';
}

/** The record of a package; its place and state are the caller's. */
export function packageComponent(
  system: PackageSystem,
  found: Pick<Found, 'name' | 'version' | 'path' | 'state' | 'confidence' | 'evidence'> & {
    readonly purl?: string | null;
    readonly owner?: string | null;
  },
  world: World,
): Component {
  const tool = toolOf(world, system, found.name);
  return makeComponent(world, {
    ...found,
    purl: found.purl ?? null,
    tool: tool === 'unwanted' ? null : tool,
    channel: 'package',
    manager: system,
  });
}

interface Addressed {
  readonly name: string;
  readonly version: string | null;
  readonly arch: string | null;
  /** Of rpm alone, whose package URL has it beside the version. */
  readonly epoch?: number | null;
}

/**
 * The package URL of a distribution's package (https://github.com/package-url/purl-spec, types deb, rpm,
 * apk and alpm); null when the name is none that its type allows.
 */
export function distributionUrl(
  type: 'deb' | 'rpm' | 'apk' | 'alpm',
  distribution: string,
  { name, version, arch, epoch = null }: Addressed,
): string | null {
  const qualifiers = {
    ...(arch === null ? {} : { arch }),
    ...(epoch === null ? {} : { epoch: String(epoch) }),
  };
  return writePackageUrl({ type, namespace: distribution, name, version, qualifiers });
}
