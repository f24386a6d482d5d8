import test from 'ava'
import { nodeHash } from '../authority/index.ts'
import { createDigest } from '../digest/index.ts'
import { createMeeting } from './meeting.ts'
import type { Message } from './message.ts'
import { replicationLimits } from './replication-limits.ts'

const digestNow = () => createDigest({ networkId: '0'.repeat(64), scope: '/a', audience: 'link' }, nodeHash)

const meets = () => {
  const sent: Extract<Message, { kind: 'meet' }>[] = []
  const meeting = createMeeting({
    limits: replicationLimits,
    gives: true,
    digestNow,
    recordsHash: () => '0'.repeat(64),
    send: (message) => void (message.kind === 'meet' && sent.push(message)),
    askForRecords: () => {},
    tellHoldings: () => {},
    refuse: () => {},
    mayAsk: () => true,
    onInSync: () => {},
  })
  return { meeting, sent }
}

test('a meeting that takes the place of one that was to compare all compares all, and none after it does', (t) => {
  const { meeting, sent } = meets()
  meeting.begin(true)
  meeting.begin(false)
  const [, second] = sent
  t.deepEqual(
    sent.map(({ round, again }) => ({ round, again })),
    [
      { round: 1, again: true },
      { round: 2, again: true },
    ],
  )
  if (second) meeting.onMeet({ ...second, gives: false, again: false })
  meeting.begin(false)
  t.false(sent.at(-1)?.again)
})
