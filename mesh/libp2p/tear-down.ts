import type { Connection, MultiaddrConnection } from '@libp2p/interface'

/** The connection below Noise. */
export const rawOf = (connection: Connection): MultiaddrConnection => {
  const { maConn } = connection as unknown as { maConn?: MultiaddrConnection }
  if (!maConn) throw new Error('a connection of libp2p is not what the mesh was made for')
  return maConn
}

/**
 * Ends a connection at once and never throws. libp2p's abort first says goodbye over the muxer: where the other end has just
 * closed, that throws, and the socket below stays open. From a handler of an event it would end the process.
 */
export const tearDown = (connection: Connection, why: string): void => {
  const reason = new Error(why)
  try {
    connection.abort(reason)
  } catch {
    rawOf(connection).abort(reason)
  }
}
