import { connect, createServer, type Socket } from 'node:net'

/** A cable between two nodes that can be pulled: bytes go through it as they are, and nothing in it knows what they say. */
export interface TcpProxy {
  /** Where it accepts connections, as `host:port`. */
  readonly address: string
  /** From now on nothing gets through in either direction; whoever waits hears nothing, as at a pulled cable. */
  cut(): void
  /** What is still connected goes on where it stopped. */
  heal(): void
  /** What it did so far. */
  seen(): ProxySeen
  close(): Promise<void>
}

export interface ProxySeen {
  readonly listens: string
  readonly 'leads-to': string
  readonly connections: number
  /** Bytes from who dials to who is dialled, and back. */
  readonly 'bytes-up': number
  readonly 'bytes-down': number
  readonly cut: boolean
  readonly 'cut-ms': number
}

interface Pair {
  readonly near: Socket
  far?: Socket
}

/** @param target where it leads, as `host:port`, asked at each connection */
export const startProxy = async (target: () => string): Promise<TcpProxy> => {
  const pairs = new Set<Pair>()
  let [isCut, sinceMs, cutMs] = [false, 0, 0]
  const counts = { connections: 0, up: 0, down: 0 }

  const flow = (pair: Pair) => {
    for (const socket of [pair.near, pair.far]) {
      if (isCut) socket?.pause()
      else socket?.resume()
    }
  }
  const join = (pair: Pair, from: Socket, to: Socket, direction: 'up' | 'down') => {
    from.on('data', (bytes) => {
      counts[direction] += bytes.length
      if (!to.write(bytes)) from.pause()
    })
    to.on('drain', () => flow(pair))
    from.on('end', () => to.end())
    from.on('error', () => to.destroy())
    from.on('close', () => {
      to.destroy()
      pairs.delete(pair)
    })
  }
  const open = (pair: Pair) => {
    const [host = '', port = ''] = target().split(':')
    pair.far = connect({ host, port: Number(port) })
    join(pair, pair.near, pair.far, 'up')
    join(pair, pair.far, pair.near, 'down')
    flow(pair)
  }
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (near) => {
    counts.connections += 1
    const pair: Pair = { near }
    pairs.add(pair)
    near.on('error', () => pairs.delete(pair))
    if (!isCut) open(pair)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const bound = server.address()
  const address = `127.0.0.1:${typeof bound === 'object' ? bound?.port : ''}`
  return {
    address,
    cut: () => {
      if (!isCut) sinceMs = performance.now()
      isCut = true
      for (const pair of pairs) flow(pair)
    },
    heal: () => {
      if (isCut) cutMs += performance.now() - sinceMs
      isCut = false
      for (const pair of pairs) {
        if (pair.far === undefined) open(pair)
        else flow(pair)
      }
    },
    seen: () => ({
      listens: address,
      'leads-to': target(),
      connections: counts.connections,
      'bytes-up': counts.up,
      'bytes-down': counts.down,
      cut: isCut,
      'cut-ms': Math.round(cutMs + (isCut ? performance.now() - sinceMs : 0)),
    }),
    close: async () => {
      for (const { near, far } of pairs) {
        near.destroy()
        far?.destroy()
      }
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
