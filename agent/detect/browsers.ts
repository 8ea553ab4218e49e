/**
 * Extensions of browsers, one component per profile that has them. A root is one browser's folder of
 * one person; the two families keep their records in different ways. Profiles hold the most private
 * things a person has: of their files only what names an extension, its version, place and state is
 * looked at, and nothing else is kept.
 */
import { chromiumProfiles, readChromium } from './browsers-chromium.js';
import { firefoxProfiles, readFirefox } from './browsers-firefox.js';
import { browserPlaces, type BrowserPlace } from './browsers-places.js';
import type { Detector, Home, Root, World } from './index.js';

export const browsers: Detector = {
  channel: 'browser-extension',
  roots: (world) =>
    world.homes.flatMap((home) =>
      browserPlaces(home, world).map((place) => rootOf(place, home, world)),
    ),
  read: (root, world, reader) =>
    root.layout === 'firefox'
      ? readFirefox(root, world, reader)
      : readChromium(root, world, reader),
};

/** A profile's own folder changes all the time; that of its extensions when one comes or goes. */
function rootOf({ manager, family, path }: BrowserPlace, home: Home, world: World): Root {
  const boundary = { within: [home.path] };
  const reader = world.reader(boundary);
  const folders =
    family === 'firefox'
      ? firefoxProfiles(path, world, reader).map((profile) => {
          return world.path.join(profile.path, 'extensions');
        })
      : chromiumProfiles(path, world, reader).map((profile) => {
          return world.path.join(profile.path, 'Extensions');
        });
  return {
    id: `browser-extension:${path}`,
    channel: 'browser-extension',
    manager,
    layout: family,
    path,
    home,
    boundary,
    watch: folders.length === 0 ? [path] : folders,
  };
}
