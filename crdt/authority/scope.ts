/** Whether `scope` is `outer` or lies in it. */
export const isWithin = (scope: string, outer: string): boolean =>
  scope === outer || scope.startsWith(outer === '/' ? '/' : `${outer}/`)

/** The scope directly above; undefined for `/`. */
export const parentScope = (scope: string): string | undefined =>
  scope === '/' ? undefined : scope.slice(0, scope.lastIndexOf('/')) || '/'
