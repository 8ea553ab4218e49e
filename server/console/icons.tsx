/**
 * The few drawings the console needs, as paths of its own. All are decoration: whoever uses one gives
 * the word beside it or a label around it.
 */
const paths = {
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 2v3M12 19v3M2 12h3M19 12h3M4.9 4.9 7 7M17 17l2.1 2.1M4.9 19.1 7 17M17 7l2.1-2.1',
  night: 'M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10Z',
  contrast: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM12 3v18M12 7.5l6.5 0M12 12h9M12 16.5h6.5',
  search: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM15.5 15.5 20 20',
  back: 'M14.5 5 7.5 12l7 7',
  arrow: 'M5 12h14M13 6l6 6-6 6',
} as const;

interface IconProps {
  readonly name: keyof typeof paths;
  readonly size?: number;
}

/** A line drawing in the colour of the text around it. */
export function Icon({ name, size = 16 }: IconProps) {
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={paths[name]} />
    </svg>
  );
}

/** The sign of Curfew. */
export function Moon({ size = 24 }: { readonly size?: number }) {
  return (
    <svg aria-hidden="true" width={size} height={size} viewBox="0 0 32 32">
      <rect width="32" height="32" rx="8" fill="#2f3e74" />
      <path
        d="M20.6 20.9A9.2 9.2 0 0 1 12.4 8.3a9.2 9.2 0 1 0 12.1 11.2 9 9 0 0 1-3.9 1.4Z"
        fill="#f4d58d"
      />
    </svg>
  );
}
