/**
 * Text that came from a device, made safe to look at: control, format and direction characters,
 * unassigned code points and lone surrogates are written out as escapes, so that a name can neither
 * hide, reorder nor imitate what stands beside it. Markup is never a question: React sets text.
 */

/** Everything without a visible form of its own, the plain space excepted. */
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;

function escapeOf(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  return point > 0xffff
    ? `\\u{${point.toString(16)}}`
    : `\\u${point.toString(16).padStart(4, '0')}`;
}

/** The text with every invisible character written out, for titles, labels and announcements. */
export function visible(text: string): string {
  return text.replace(invisible, escapeOf);
}

/** Text from a device, isolated from the direction of its surroundings; escapes stand out. */
export function Shown({ text }: { readonly text: string }) {
  const pieces = text.split(invisible);
  if (pieces.length === 1) return <bdi>{text}</bdi>;
  const escapes = [...text.matchAll(invisible)].map(([character]) => escapeOf(character));
  return (
    <bdi>
      {pieces.map((piece, index) => (
        // The pieces of one text never move among themselves.
        <span key={index}>
          {piece}
          {escapes[index] === undefined ? null : <span className="escape">{escapes[index]}</span>}
        </span>
      ))}
    </bdi>
  );
}
