import type { Connection } from '@libp2p/interface'
import test from 'ava'
import { tearDown } from './tear-down.ts'

const connectionWhere = (said: string[], isMuxerClosed: boolean): Connection => {
  const maConn = { abort: ({ message }: Error) => void said.push(`socket: ${message}`) }
  const abort = (error: Error) => {
    if (isMuxerClosed) throw new Error('Cannot write to a stream that is closed')
    maConn.abort(error)
  }
  return { abort, maConn } as unknown as Connection
}

test('a connection is torn down once, also where its goodbye cannot be said any more', (t) => {
  for (const isMuxerClosed of [false, true]) {
    const said: string[] = []
    t.notThrows(() => tearDown(connectionWhere(said, isMuxerClosed), 'the caller gave up'))
    t.deepEqual(said, ['socket: the caller gave up'])
  }
})
