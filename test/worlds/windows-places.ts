/**
 * Who the people of the generated Windows machine are, where their things lie, and how Windows spells
 * a path of it. It builds nothing.
 */

export const people = ['ana', 'ben', 'Kim 100% Lima'] as const;
/** Where a person's things lie. */
export const home = (account: string): string => `Users/${account}`;
export const local = (account: string): string => `Users/${account}/AppData/Local`;
export const roaming = (account: string): string => `Users/${account}/AppData/Roaming`;
export const kim = people[2];

/** The path as Windows spells it. */
export function windowsPath(at: string): string {
  const drive = at.startsWith('D/') ? 'D:\\' : 'C:\\';
  return drive + at.replace(/^D\//, '').replaceAll('/', '\\');
}
