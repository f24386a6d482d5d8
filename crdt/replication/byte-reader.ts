/** Reads forward through bytes. Whoever reads asks first how many are left. */
export const createByteReader = (source: Uint8Array) => {
  // A plain view: a slice of it is a copy, of a Buffer it would not be.
  const bytes = new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  return {
    left: () => bytes.length - at,
    /** The next `count` bytes, not copied. */
    take: (count: number): Uint8Array => {
      at += count
      return bytes.subarray(at - count, at)
    },
    /** Unsigned, big-endian. */
    u32: (): number => {
      at += 4
      return view.getUint32(at - 4)
    },
  }
}
