import test from 'ava'
import { createLog, createManualClock, createSeededRandom, SkerryError } from '../../base/index.ts'
import { createMemoryNetwork, type MeshLink } from '../../mesh/index.ts'
import { createFellows, type FellowsOptions } from './fellows.ts'
import { answer } from './link-messages.ts'
import { reportEveryMs } from './report-rest.ts'

const turns = async () => {
  for (let at = 0; at < 40; at++) await new Promise((resolve) => setImmediate(resolve))
}

const createScene = () => {
  const clock = createManualClock()
  const network = createMemoryNetwork()
  const logged: string[] = []
  const heard: string[] = []
  const start = async (name: string, peerKey: string, other: string, onReports?: FellowsOptions['onReports']) => {
    const mesh = network.createMesh(peerKey, name)
    let [links, messages] = [0, 0]
    const fellows = createFellows({
      mesh,
      clock,
      random: createSeededRandom(1),
      log: createLog((line) => logged.push(`${name}: ${line.message}`)),
      peerKey,
      addresses: [other],
      helloBytes: 1_000,
      answerBytes: 1_000,
      hello: () => ({}),
      judge: async () => ({ isFellow: true, answer: {} }),
      accept: async () => {},
      onDocuments: () => new Promise(() => {}),
      telling: () => {
        links += 1
        messages = 0
        return async () => `${name} ${links}.${++messages}`
      },
      onReports: onReports ?? ((_, value) => void heard.push(String(value))),
      onQuestion: async () => ({ head: 'answered' }),
    })
    mesh.onLink((link) => {
      let serve: ((stream: Parameters<typeof fellows.greet>[1]) => void) | undefined
      mesh.onStream(link, (stream) => {
        if (serve) return serve(stream)
        return void fellows.greet(link, stream, (serves) => {
          serve = serves
        })
      })
    })
    await mesh.start()
    fellows.start()
    return fellows
  }
  const pass = async (ms: number) => {
    clock.advance(ms)
    await turns()
  }
  return { clock, network, logged, heard, start, pass }
}
const [low, high] = ['aa'.repeat(32), 'bb'.repeat(32)]

test('each end tells the other of hosts: at once, on change, and at rest; on a new link from the beginning', async (t) => {
  const { network, heard, start, pass } = createScene()
  const one = await start('one', low, 'two')
  const two = await start('two', high, 'one')
  await pass(1_000)
  const told = () => heard.splice(0).toSorted()
  t.deepEqual(told(), ['one 1.1', 'two 1.1'])
  await pass(100)
  one.reportChanged()
  await turns()
  await pass(100)
  t.deepEqual(told(), ['one 1.2'])
  await pass(reportEveryMs)
  await pass(100)
  t.deepEqual(told(), ['one 1.3', 'two 1.2'])
  t.deepEqual(
    two.seen().map(({ peer, up }) => [peer, up]),
    [[low, true]],
  )
  network.cut(low, high)
  await turns()
  t.like(two.seen()[0], { peer: low, up: false, forMs: 0 })
  await pass(1_000)
  await pass(1_000)
  t.deepEqual(told(), ['one 2.1', 'two 2.1'])
  t.true(one.seen()[0]?.up)
})

test('one that does not listen to reports keeps its link, and is not told again on it', async (t) => {
  const { network, logged, start, pass } = createScene()
  // As the release before: it takes documents and questions, and refuses what it does not know.
  const mesh = network.createMesh(low, 'one')
  const refused: string[] = []
  let held: MeshLink | undefined
  mesh.onLink((link) => {
    held = link
    mesh.onStream(link, (stream) => {
      if (stream.purpose === 'fellow') void answer(stream, async () => ({ head: {} }))
      else if (stream.purpose !== 'documents') {
        refused.push(stream.purpose)
        stream.abort(`unknown purpose ${stream.purpose}`)
      }
    })
  })
  await mesh.start()
  const two = await start('two', high, 'one')
  await turns()
  t.deepEqual(two.linked(), [low])
  for (let at = 0; at < 5; at++) {
    two.reportChanged()
    await turns()
    await pass(reportEveryMs)
  }
  t.deepEqual(refused, ['reports'])
  t.deepEqual(two.linked(), [low])
  t.deepEqual(
    logged.filter((line) => line.includes('reports')),
    ['two: another aggregator of the zone hears no reports'],
  )
  void held?.close()
})

test('reports that cannot be read end their stream, and neither the link nor what goes the other way', async (t) => {
  const { heard, logged, start, pass } = createScene()
  const one = await start('one', low, 'two', () => {
    throw new SkerryError('bad-message', 'in no known form')
  })
  const two = await start('two', high, 'one')
  await pass(1_000)
  for (let at = 0; at < 3; at++) {
    two.reportChanged()
    one.reportChanged()
    await turns()
    await pass(reportEveryMs)
  }
  t.is(logged.filter((line) => line === 'one: reports are heard no longer').length, 1)
  t.deepEqual([one.linked(), two.linked()], [[high], [low]])
  t.true(heard.length > 2 && heard.every((said) => said.startsWith('one 1.')))
  t.is((await one.ask(high, 'versions', {})).head, 'answered')
})
