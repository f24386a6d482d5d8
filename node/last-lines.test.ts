import test from 'ava'
import { nodeHash } from '../crdt/index.ts'
import type { ApplicationStatus, HostStatus, Waiting } from '../runtime/index.ts'
import { joinLastLines, lastLinesHash, splitLastLines } from './last-lines.ts'

const waiting = (container: string, detail: string): Waiting => ({
  reason: 'crash-loop',
  instance: 'shop.web-1',
  container,
  detail,
  forMs: 10,
})
const application = (name: string, ...all: readonly Waiting[]): ApplicationStatus => ({
  tenant: 'default',
  application: name,
  version: '1',
  revision: 'r',
  deployment: 'd',
  phase: 'run',
  images: [],
  instances: [],
  waiting: all,
})
const status: HostStatus = {
  engine: { state: 'up', forMs: 1 },
  portRange: [1, 2],
  applications: [
    application(
      'shop',
      waiting('web', 'ended with exit 3, 1 restart; last line: secret; last line: still secret'),
      waiting('till', 'pulling'),
    ),
    application('depot', waiting('web', 'ended with exit 1, 2 restarts; last line: other')),
  ],
}

test('what a container wrote last is taken out of a status whole, and put back where it was', (t) => {
  const { status: rest, lines } = splitLastLines(status)
  t.notRegex(JSON.stringify(rest), /secret|other|last line/)
  t.deepEqual(
    lines.map(({ application, container, text }) => `${application} ${container}: ${text}`),
    ['shop web: secret; last line: still secret', 'depot web: other'],
  )
  t.deepEqual(joinLastLines(rest, lines), status)
  t.deepEqual(joinLastLines(rest, []), rest)
})

test('a line of something that no longer waits is left out', (t) => {
  const gone = { ...status, applications: [application('shop', waiting('till', 'pulling'))] }
  t.deepEqual(joinLastLines(gone, splitLastLines(status).lines), gone)
})

test('the hash of lines stands for these lines, and their salt keeps it from being guessed', (t) => {
  const { lines } = splitLastLines(status)
  const of = (salt: string, some = lines) => lastLinesHash({ salt, lines: [...some] }, nodeHash)
  t.is(of('00'), of('00'))
  t.not(of('00'), of('01'))
  t.not(of('00'), of('00', lines.slice(1)))
})
