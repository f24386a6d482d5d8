/** A line longer than this is cut in two, so that a log without line breaks cannot fill the memory. */
const longestLineBytes = 64 * 1024

const lineBreak = 0x0a

/** Puts `prefix` before each line of a byte stream, whatever its chunks; works on bytes, so no character is torn. */
export const createPrefixer = (prefix: string) => {
  let open: Uint8Array = new Uint8Array()
  const line = (bytes: Uint8Array) => Buffer.concat([Buffer.from(prefix), bytes, Buffer.from('\n')])
  return {
    /** The whole lines that came with `chunk`. */
    add(chunk: Uint8Array): Uint8Array {
      const done: Uint8Array[] = []
      let rest: Uint8Array = Buffer.concat([open, chunk])
      for (let at = rest.indexOf(lineBreak); at >= 0 || rest.length > longestLineBytes; at = rest.indexOf(lineBreak)) {
        const cut = at >= 0 && at <= longestLineBytes ? at : longestLineBytes
        done.push(line(rest.subarray(0, cut)))
        rest = rest.subarray(cut === at ? cut + 1 : cut)
      }
      open = rest
      return Buffer.concat(done)
    },
    /** The last line, where it had no end. */
    end(): Uint8Array {
      const last = open.length === 0 ? new Uint8Array() : line(open)
      open = new Uint8Array()
      return last
    },
  }
}
