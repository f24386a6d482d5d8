import test from 'ava'
import { createSeededRandom } from '../../base/index.ts'
import type { MeshLink, MeshStream } from '../../mesh/index.ts'
import { createNetwork, type Network } from './network.ts'
import { createScheduler, type Scheduler } from './scheduler.ts'
import { giveTurn } from './turn.ts'

interface Scene {
  readonly network: Network
  readonly scheduler: Scheduler
  /** Runs everything until then. */
  run(untilMs: number): Promise<void>
  near: MeshLink
  far: MeshLink
  /** What arrived at the far end, with its time, like `12 hello`. */
  readonly heard: string[]
  stream: MeshStream
  leave(how: 'farewell' | 'silence'): void
}

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString()

/** Two machines with one link and one stream on it, 10 ms apart. */
const join = async (quality = { latencyMs: 10, bytesPerMs: 1_000 }): Promise<Scene> => {
  const scheduler = createScheduler()
  const network = createNetwork({ scheduler, random: createSeededRandom(1), onFrame: () => {}, livenessMs: 5_000 })
  for (const [from, to] of [['near', 'far'] as const, ['far', 'near'] as const])
    network.paths.setQuality(from, to, quality)
  const run = async (untilMs: number) => {
    await giveTurn()
    for (let event = scheduler.take(untilMs); event; event = scheduler.take(untilMs)) {
      event.run()
      await giveTurn()
    }
  }
  const near = network.join({ node: 'near', peer: 'aa' })
  const far = network.join({ node: 'far', peer: 'bb' }, 'far')
  const heard: string[] = []
  let farLink: MeshLink | undefined
  const listen = async (stream: MeshStream) => {
    for await (const message of stream.messages)
      heard.push(`${Math.round(scheduler.nowMs())} ${stream.purpose} ${textOf(message).slice(0, 20)}`)
  }
  far.mesh.onLink((link) => {
    farLink = link
    far.mesh.onStream(link, (stream) => void listen(stream).catch(() => {}))
  })
  await far.mesh.start()
  const dialed = near.mesh.dial('far', { timeoutMs: 1_000 })
  await run(100)
  const nearLink = await dialed
  const stream = await nearLink.openStream('talk')
  if (!farLink) throw new Error('nobody answered')
  return { network, scheduler, run, near: nearLink, far: farLink, heard, stream, leave: far.leave }
}

const reasonOf = async (link: MeshLink): Promise<string | undefined> =>
  Promise.race([link.closed, giveTurn().then(() => undefined)])

test('a message takes the way its time, and what is sent together arrives in order', async (t) => {
  const { stream, run, heard } = await join()
  for (const text of ['one', 'two', 'three']) void stream.send(Buffer.from(text))
  await run(200)
  t.deepEqual(heard, ['110 talk one', '110 talk two', '110 talk three'])
})

test('a narrow way takes as long as the bytes need', async (t) => {
  const { stream, run, heard } = await join({ latencyMs: 10, bytesPerMs: 10 })
  void stream.send(new Uint8Array(10_000).fill(120))
  await run(5_000)
  t.regex(heard[0] ?? '', /^11\d\d talk x/)
})

test('what is sent into a closed way arrives once it is open again, in order and late', async (t) => {
  const { network, stream, run, heard } = await join()
  network.paths.close('near', 'far')
  void stream.send(Buffer.from('one'))
  await run(2_000)
  t.deepEqual(heard, [])
  void stream.send(Buffer.from('two'))
  network.paths.open('near', 'far')
  await run(3_000)
  t.deepEqual(heard, ['2010 talk one', '2010 talk two'])
})

test('a way that stays closed ends the link at the end that hears nothing, and then at the other', async (t) => {
  const { network, run, near, far } = await join()
  network.paths.close('near', 'far')
  await run(4_000)
  t.is(await reasonOf(far), undefined)
  await run(5_050)
  t.is(await reasonOf(near), undefined)
  await run(5_200)
  t.is(await reasonOf(far), 'nothing heard for 5000 ms')
  t.is(await reasonOf(near), 'closed by bb')
})

test('a process that is killed says farewell; a machine without power does not', async (t) => {
  const killed = await join()
  killed.leave('farewell')
  await killed.run(200)
  t.is(await reasonOf(killed.near), 'closed by bb')
  t.is(await reasonOf(killed.far), undefined, 'the dead end is told nothing')
  const dark = await join()
  dark.leave('silence')
  await dark.run(4_000)
  t.is(await reasonOf(dark.near), undefined)
  await dark.run(6_000)
  t.is(await reasonOf(dark.near), 'nothing heard for 5000 ms')
})

test('who writes to a machine that was dark and is back is told that the connection is gone', async (t) => {
  const { network, leave, stream, run, near } = await join()
  leave('silence')
  network.join({ node: 'far', peer: 'bb' }, 'far')
  void stream.send(Buffer.from('anybody?'))
  await run(200)
  t.is(await reasonOf(near), 'reset')
})

test('nobody listens, or no way leads there: a call fails at once, or when its time is over', async (t) => {
  const { network, scheduler, run } = await join()
  const caller = network.join({ node: 'near', peer: 'aa' }).mesh
  const failed = (address: string) =>
    caller.dial(address, { timeoutMs: 1_000 }).then(
      () => 'linked',
      (error: Error) => `${Math.round(scheduler.nowMs())} ${error.message}`,
    )
  network.paths.close('near', 'nowhere')
  network.paths.setQuality('near', 'absent', { latencyMs: 10, bytesPerMs: 1 })
  network.paths.setQuality('absent', 'near', { latencyMs: 10, bytesPerMs: 1 })
  const said = Promise.all([failed('absent'), failed('nowhere')])
  await run(2_000)
  t.deepEqual(await said, [
    '120 cannot reach absent: nobody listens there',
    '1100 cannot reach nowhere: no answer within 1000 ms',
  ])
})

test('on a busy way an urgent stream overtakes one that was opened before it, and both arrive', async (t) => {
  const { near, stream, run, heard } = await join({ latencyMs: 10, bytesPerMs: 10 })
  void stream.send(new Uint8Array(20_000).fill(120))
  const bulk = await near.openStream('bulk', { priority: 'bulk' })
  const urgent = await near.openStream('urgent')
  void bulk.send(Buffer.from('slow'))
  void urgent.send(Buffer.from('quick'))
  await run(10_000)
  t.deepEqual(
    heard.map((line) => line.split(' ')[1]),
    ['talk', 'urgent', 'bulk'],
  )
  t.is(await reasonOf(near), undefined)
})

test('a process that lost its connection tells nobody: who writes to it hears silence until its time is over', async (t) => {
  const { network, run, near, far, stream, heard } = await join()
  t.true(network.forget('far', 'near'))
  t.is(await reasonOf(far), 'the connection broke')
  void stream.send(Buffer.from('anybody?'))
  await run(5_050)
  t.is(await reasonOf(near), undefined)
  await run(5_200)
  t.is(await reasonOf(near), 'nothing heard for 5000 ms')
  t.deepEqual(heard, [])
  t.false(network.forget('far', 'near'), 'there is none any more')
})

test('a connection that carries nothing ends at both ends for silence; a new one works meanwhile', async (t) => {
  const { network, run, near, far, stream, heard } = await join()
  network.lose('near', 'far')
  void stream.send(Buffer.from('lost'))
  await run(200)
  const dialed = network.join({ node: 'near', peer: 'aa' }).mesh.dial('far', { timeoutMs: 1_000 })
  await run(300)
  void (await (await dialed).openStream('again')).send(Buffer.from('hello'))
  // Opening a way does not bring back what is lost.
  network.paths.close('near', 'far')
  network.paths.open('near', 'far')
  await run(5_050)
  t.deepEqual([await reasonOf(near), await reasonOf(far)], [undefined, undefined])
  await run(5_200)
  t.deepEqual([await reasonOf(near), await reasonOf(far)], Array(2).fill('nothing heard for 5000 ms'))
  t.deepEqual(heard, ['310 again hello'])
})

test('a clogged way holds its sender up by the room of its queue, and what it carries goes on when it is wide again', async (t) => {
  const { network, stream, run, heard } = await join()
  const mend = network.paths.setQuality('near', 'far', { latencyMs: 10, bytesPerMs: 0.05 })
  let sent = 0
  const flood = async () => {
    for (; sent < 40; sent++) await stream.send(new Uint8Array(30_000).fill(120))
  }
  const flooding = flood()
  await run(4_000)
  t.true(sent > 2 && sent < 20, `${sent} were taken`)
  t.deepEqual(heard, [])
  mend()
  mend()
  await run(8_000)
  await flooding
  t.is(heard.length, 40)
  t.is(network.paths.quality('near', 'far').bytesPerMs, 1_000)
})

test('a way that two closed is open when both opened it; of two qualities the last given counts until it is taken back', async (t) => {
  const { network } = await join()
  const { paths } = network
  paths.close('near', 'far')
  paths.close('near', 'far')
  paths.open('near', 'far')
  t.false(paths.isOpen('near', 'far'))
  paths.open('near', 'far')
  t.true(paths.isOpen('near', 'far'))
  const first = paths.setQuality('near', 'far', { latencyMs: 1, bytesPerMs: 1 })
  const second = paths.setQuality('near', 'far', { latencyMs: 2, bytesPerMs: 2 })
  first()
  t.is(paths.quality('near', 'far').latencyMs, 2)
  second()
  t.is(paths.quality('near', 'far').latencyMs, 10)
})

test('a machine that sleeps takes nothing and sends nothing; what came meanwhile reaches it when it wakes', async (t) => {
  const { network, stream, far, run, heard } = await join()
  const back = await far.openStream('back')
  await run(150)
  network.sleep('far')
  void stream.send(Buffer.from('one'))
  await run(3_000)
  t.deepEqual(heard, [])
  network.wake('far')
  await run(3_100)
  t.deepEqual(heard, ['3010 talk one'])
  void back.send(Buffer.from('awake'))
  await run(9_000)
  t.is(await reasonOf(far), undefined)
})

test('who hears nothing of a machine that sleeps ends the link; the sleeper learns of it when it wakes', async (t) => {
  const { network, near, far, run } = await join()
  network.sleep('far')
  await run(5_000)
  t.is(await reasonOf(near), undefined)
  await run(6_000)
  t.is(await reasonOf(near), 'nothing heard for 5000 ms')
  await run(60_000)
  t.is(await reasonOf(far), undefined)
  network.wake('far')
  await run(60_100)
  t.is(await reasonOf(far), 'closed by aa')
})

test('a call of a machine that falls asleep fails when it wakes, not before', async (t) => {
  const { network, run } = await join()
  const caller = network.join({ node: 'caller', peer: 'cc' }).mesh
  let said = ''
  caller.dial('far', { timeoutMs: 1_000 }).catch((error: Error) => {
    said = error.message
  })
  network.sleep('caller')
  await run(9_000)
  t.is(said, '')
  network.wake('caller')
  await run(9_100)
  t.is(said, 'cannot reach far: no answer within 1000 ms')
})
