import { answered, containerOf, type DemoStep, greetingOf, isSame, must, pidsOf, settled } from './step.ts'
import type { World } from './world.ts'

type Instances = Parameters<typeof pidsOf>[0]

export const tillPids = (instances: Instances) => pidsOf(instances.filter(({ service }) => service === 'till'))

/** Memory and processor bounds, read back inside the container that was started again. */
const limitsOf = async (world: World, instances: Instances): Promise<unknown> => {
  if (world.driver === 'process') return 'not proven here: plain processes have no limits'
  const web = instances.find(({ service }) => service === 'web')?.name ?? ''
  const read = async (...paths: string[]) => {
    const script = paths.map((path) => `cat ${path} 2>/dev/null`).join(' || ')
    const ran = await world.skerry(['exec', 'shop', '--instance', web, '--', '/bin/sh', '-c', script])
    return ran.stdout.trim()
  }
  const memory = await read('/sys/fs/cgroup/memory/memory.limit_in_bytes', '/sys/fs/cgroup/memory.max')
  const cpu = await read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us', '/sys/fs/cgroup/cpu.max')
  must(Number(memory) === 64 * 2 ** 20, `memory reads ${memory}, not 64 MiB`)
  must(cpu.startsWith('20000'), `the processor quota reads ${cpu}, not 20000 of 100000 µs`)
  return { 'memory-bytes': Number(memory), 'cpu-quota-us': cpu }
}

export const killedContainer: DemoStep = {
  name: 'killed-container',
  brief: 'started again, alone',
  proves: 'a killed container is started again, alone, and told as killed',
  run: async (world) => {
    const before = await settled(world, '1')
    const victim = containerOf(before, 'web')
    process.kill(victim.pid, 'SIGKILL')
    const after = await settled(world, '1', {
      accept: (instances) => containerOf(instances, 'web').pid !== victim.pid,
    })
    must(isSame(tillPids(after), tillPids(before)), 'a till was restarted too')
    const body = await answered(world, after, greetingOf('1'))
    const { 'last-exit': lastExit, 'total-restarts': restarts } = containerOf(after, 'web')
    must(lastExit?.reason === 'killed', `the exit was told as ${lastExit?.reason}, not as killed`)
    const limits = await limitsOf(world, after)
    return { before: pidsOf(before), after: pidsOf(after), 'last-exit': lastExit, restarts, body, limits }
  },
}
