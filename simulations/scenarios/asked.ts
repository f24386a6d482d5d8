/** Who asks the nodes of a world. */
export const asked = {
  caller: { tenant: 'default', user: 'operator' },
  signal: new AbortController().signal,
} as const
