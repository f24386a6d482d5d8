import { createHash } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { fromHex } from '../authority/index.ts'

/** LEB128 without a sign, in its shortest form. */
export const unsigned = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) + 128, ...unsigned(Math.floor(value / 128))]

/** LEB128 with a sign, in its shortest form. */
export const signed = (value: number): number[] => {
  const low = ((value % 128) + 128) % 128
  const rest = Math.floor(value / 128)
  const isLast = (rest === 0 && low < 64) || (rest === -1 && low >= 64)
  return isLast ? [low] : [low + 128, ...signed(rest)]
}

/** A chunk of Automerge with a right checksum around any body. */
export const forgeChunk = (body: Uint8Array, options: { deflate?: boolean; kind?: number } = {}): Uint8Array => {
  const { deflate = false } = options
  const kind = options.kind ?? (deflate ? 2 : 1)
  const packed = deflate ? deflateRawSync(body) : body
  const plain = Buffer.concat([Uint8Array.of(deflate ? 1 : kind, ...unsigned(body.length)), body])
  const checksum = createHash('sha256').update(plain).digest().subarray(0, 4)
  return Buffer.concat([fromHex('856f4a83'), checksum, Uint8Array.of(kind, ...unsigned(packed.length)), packed])
}

export type Columns = readonly (readonly [id: number, bytes: readonly number[]])[]

/** Columns of `count` puts of `yes` under the key `a`, as short as they get. */
export const putColumns = (count: number): Columns => [
  [21, [...signed(count), 1, 0x61]],
  [52, unsigned(count)],
  [66, [...signed(count), 1]],
  [86, [...signed(count), 2]],
  [112, [...signed(count), 0]],
]

/** Columns of `count` puts of `yes`, each under a key of its own. */
export const distinctPuts = (count: number): Columns =>
  withColumns(putColumns(count), [
    21,
    [...signed(-count), ...Array.from({ length: count }, (_, n) => [4, ...Buffer.from(String(1_000 + n))]).flat()],
  ])

/** The columns with some replaced or added, in order. */
export const withColumns = (columns: Columns, ...others: Columns): Columns =>
  [...new Map([...columns, ...others])].toSorted(([a], [b]) => a - b)

export interface ForgedChange {
  readonly deps?: readonly string[]
  readonly actor?: readonly number[]
  readonly seq?: readonly number[]
  readonly startOp?: readonly number[]
  readonly time?: readonly number[]
  readonly message?: readonly number[]
  readonly others?: readonly (readonly number[])[]
  readonly columns?: Columns
  readonly extra?: readonly number[]
}

const ownActor = [16, ...new Array<number>(16).fill(0xaa)]

/** The body of a change with any fields; by default one that passes. */
export const forgeBody = (change: ForgedChange = {}): Uint8Array => {
  const { deps = [], actor = ownActor, seq = [1], startOp = [1], time = [0], message = [0], others = [] } = change
  const { columns = putColumns(1), extra = [] } = change
  return Uint8Array.from([
    ...unsigned(deps.length),
    ...deps.flatMap((dep) => [...fromHex(dep)]),
    ...actor,
    ...seq,
    ...startOp,
    ...time,
    ...message,
    ...unsigned(others.length),
    ...others.flat(),
    ...unsigned(columns.length),
    ...columns.flatMap(([id, bytes]) => [...unsigned(id), ...unsigned(bytes.length)]),
    ...columns.flatMap(([, bytes]) => [...bytes]),
    ...extra,
  ])
}

export const forgeChange = (change: ForgedChange = {}): Uint8Array => forgeChunk(forgeBody(change))
