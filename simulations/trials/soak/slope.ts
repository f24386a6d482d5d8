export interface Point {
  readonly at: number
  readonly value: number
}

/** By how much a value grows for each 1 of `at`: least squares. Undefined for fewer than two points. */
export const slopeOf = (points: readonly Point[]): number | undefined => {
  if (points.length < 2) return undefined
  const mean = (of: (point: Point) => number) => points.reduce((sum, point) => sum + of(point), 0) / points.length
  const [at, value] = [mean((point) => point.at), mean((point) => point.value)]
  const spread = mean((point) => (point.at - at) ** 2)
  return spread === 0 ? undefined : mean((point) => (point.at - at) * (point.value - value)) / spread
}
