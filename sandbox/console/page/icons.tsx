const paths = {
  check: 'M4 10.5l4 4 8-9',
  cross: 'M5 5l10 10M15 5L5 15',
  down: 'M5 8l5 5 5-5',
  right: 'M8 5l5 5-5 5',
  send: 'M3 17l15-7L3 3v5.5l9 1.5-9 1.5z',
  eye: 'M1.5 10S4.5 4.5 10 4.5 18.5 10 18.5 10 15.500 15.5 10 15.5 1.500 10 1.500 10zM10 12.5a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z',
  thread: 'M3 4h14v9H9l-4 3.500V13H3zM6.500 7.500h7M6.500 10h4',
  alert: 'M10 2.500l8 14.500H2zM10 8v4M10 14.500v.100',
  hash: 'M7.500 3L6 17M14 3l-1.500 14M3.500 7.500h13.500M3 12.500h13.500',
  at: 'M13 10a3 3 0 1 1-6 0 3 3 0 0 1 6 0zm0 0v1.500a2 2 0 0 0 4 0V10a7 7 0 1 0-3 5.700',
  slash: 'M12.500 3l-5 14',
  clip: 'M14.500 6l-6.500 6.500a1.800 1.800 0 0 0 2.500 2.500l6-6a3.500 3.500 0 0 0-5-5l-6.500 6.500a5.200 5.200 0 0 0 7.400 7.400L17 13',
  file: 'M5 2.500h7l4 4v11H5zM12 2.500v4h4',
} as const;

export type IconName = keyof typeof paths;

/** A drawing without a name of its own: what it is for is said beside it. */
export const Icon = ({ name }: { name: IconName }) => (
  <svg className={`icon icon-${name}`} viewBox="0 0 20 20" aria-hidden="true">
    <path d={paths[name]} />
  </svg>
);
