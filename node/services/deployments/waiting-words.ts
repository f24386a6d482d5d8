import { formatSize, parseSizeBytes } from '../../../base/index.ts'
import type { Waiting, WaitingReason } from '../../../runtime/index.ts'
import type { ApplicationRevision } from './config-store.ts'
import type { PlacedInstance } from './spread.ts'

/** What is waited for, and where. */
interface Scene {
  readonly site: string
  readonly placed: PlacedInstance
  readonly revision: ApplicationRevision
  readonly waiting: Waiting
  readonly portRange: readonly [number, number]
}

const memoryLimit = ({ revision, waiting, placed }: Scene): string => {
  const service = revision.spec.services.find(({ name }) => name === placed.service)
  const memory = service?.containers.find(({ name }) => name === waiting.container)?.memory
  return memory === undefined ? 'no limit is set' : `its limit is ${formatSize(parseSizeBytes(memory))}`
}

const who = ({ waiting, placed }: Scene) => `container ${waiting.container ?? '?'} of ${placed.id} on ${placed.host}`

const logs = ({ waiting, placed, revision, site }: Scene) => {
  const container = waiting.container === undefined ? '' : ` --container ${waiting.container}`
  return `"skerry logs ${revision.spec.name} --instance ${placed.id}${container} --site ${site}"`
}

type Words = (scene: Scene) => { readonly text: string; readonly advice: string }

/** What each reason comes to in words, and what a person can do about it. */
export const waitingWords: Readonly<Record<WaitingReason, Words>> = {
  'engine-unavailable': ({ placed, waiting }) => ({
    text: `the container engine on ${placed.host} does not answer (${waiting.detail})`,
    advice: `On ${placed.host}, see that containerd runs and that its disk is not full; what runs keeps running`,
  }),
  'image-not-here': ({ placed, waiting }) => ({
    text: `an image is not on ${placed.host}: ${waiting.detail}`,
    advice: `See with "skerry nodes" that ${placed.host} reaches its parent, which hands it over; if the tower has lost it, hand it over again with "skerry images import FILE"`,
  }),
  'fetching-image': ({ placed, waiting }) => ({
    text: `${placed.host} is fetching the image: ${waiting.detail}`,
    advice: 'Wait until it is here; a broken download goes on where it stopped',
  }),
  'image-refused': ({ placed, waiting }) => ({
    text: `${placed.host} refused the image: ${waiting.detail}`,
    advice:
      'Build the archive again and hand it over with "skerry images import FILE", under a new version of the application',
  }),
  'needs-containerd': ({ placed, waiting }) => ({
    text: `${placed.host} runs only images made for the process driver: ${waiting.detail}`,
    advice: `Run the node on ${placed.host} with containerd, or use an image with the label skerry/process`,
  }),
  'disk-full': ({ placed, waiting }) => ({
    text: `the disk of ${placed.host} is full: ${waiting.detail}`,
    advice: `Free space on ${placed.host}`,
  }),
  'no-free-port': ({ placed, waiting, portRange }) => ({
    text: `no port of ${placed.host} is free for ${placed.id}: ${waiting.detail}`,
    advice: `The range ${portRange[0]}-${portRange[1]} is used up: give ${placed.host} a larger one, or retire an application there`,
  }),
  'port-taken': ({ placed, waiting }) => ({
    text: `a port on ${placed.host} is held by another program: ${waiting.detail}`,
    advice: `Stop that program on ${placed.host}, or move the port range of the node`,
  }),
  'network-failed': ({ placed, waiting }) => ({
    text: `${placed.id} got no network on ${placed.host}: ${waiting.detail}`,
    advice: `See the node's log on ${placed.host}; the CNI plugins and iptables must be there`,
  }),
  'start-failed': (scene) => ({
    text: `${who(scene)} could not be started: ${scene.waiting.detail}`,
    advice: 'Correct entrypoint, cmd or user of the container, and apply it as a new version',
  }),
  'stopping-old': ({ placed, waiting }) => ({
    text: `the former ${placed.id} on ${placed.host} is still stopping: ${waiting.detail}`,
    advice: 'Wait: it is killed when its shutdown-timeout is over',
  }),
  'crash-loop': (scene) => ({
    text: `${who(scene)} does not stay up: ${scene.waiting.detail}`,
    advice: `Read its last words with ${logs(scene)}`,
  }),
  'backing-off': (scene) => ({
    text: `${who(scene)} is about to be started again: ${scene.waiting.detail}`,
    advice: `Read its last words with ${logs(scene)}`,
  }),
  'out-of-memory': (scene) => ({
    text: `${who(scene)} ran out of memory, ${memoryLimit(scene)}: ${scene.waiting.detail}`,
    advice: 'Raise memory of the container and apply it as a new version, or find what it uses it for',
  }),
  starting: (scene) => ({
    text: `${who(scene)} is starting: ${scene.waiting.detail}`,
    advice: 'Wait for its startup and readiness probes',
  }),
  'probe-failing': (scene) => ({
    text: `${who(scene)} is running but not well: ${scene.waiting.detail}`,
    advice: `Read its log with ${logs(scene)}, or correct the probe`,
  }),
}
