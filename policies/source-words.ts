/**
 * What the YAML parser says of a text, in the words of somebody who writes a policy: what to change, not
 * how a parser sees it. A message that is not here is passed on as it is.
 */

const words: readonly (readonly [RegExp, string])[] = [
  [
    /^Block scalar header includes extra characters/,
    'a value that begins with > or | must be in quotes',
  ],
  [
    /^Plain value cannot start with (?:reserved character|directive indicator character) (.)/,
    'a value that begins with $1 must be in quotes',
  ],
  [
    /^Plain value cannot start with (?:a tab|block scalar)/,
    'a value that begins so must be in quotes',
  ],
  [
    /^Nested mappings are not allowed in compact mappings|^Nested block sequences/,
    'a second ": " in one line; put the value in quotes, or begin the line above with "- "',
  ],
  [
    /^(?:Implicit keys need to be on a single line|Implicit map keys need to be followed by map values)/,
    'expected "name: value", with a space after the colon',
  ],
  [
    /^Unexpected scalar at node end/,
    'text after the end of a value; within quotes a quote is doubled or escaped',
  ],
  [/^Unexpected (.+) at node end/, 'something after the end of a value'],
  [/^Missing closing ("|')quote/, 'a quote $1 that is never closed'],
  [/^Tabs are not allowed as indentation/, 'a tab at the start of a line; use spaces'],
  [
    /^(?:Sequence item without - indicator|A sequence .* without - indicator)/,
    'this line is indented other than those it belongs to',
  ],
  [
    /^All (?:mapping|sequence|collection) items must start at the same column/,
    'this line is indented other than those it belongs to',
  ],
  [/^Source contains multiple documents/, 'a second document begins here; a file holds one'],
  [/^Unresolved tag: (?:tag:yaml\.org,2002:)?(.{0,40})/, 'the tag $1; write the value alone'],
  [/^Unresolved alias/, 'an alias of something that is named nowhere before it'],
  [/^Excessive alias count/, 'more aliases than a policy can need'],
  [
    /^Flow (sequence|map) in block collection must be sufficiently indented and end with a (.)/,
    'what begins here with a bracket must end with $2, and go on with spaces before it',
  ],
];

/** One clause for a message of the parser. */
export function wordsFor(message: string): string {
  for (const [pattern, own] of words) {
    const found = pattern.exec(message);
    if (found !== null) {
      return own.replace(/\$(\d)/g, (_, group: string) => found[Number(group)] ?? '');
    }
  }
  return message;
}
