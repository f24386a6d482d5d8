import { readFileSync, statfsSync } from 'node:fs'
import { freemem } from 'node:os'

/** What one run needs of the machine. Bytes of memory and disk for all sites together. */
export interface Needs {
  readonly filesPerProcess: number
  readonly files: number
  readonly ports: number
  readonly memoryBytes: number
  readonly diskBytes: number
}

/** What the machine has. */
export type Haves = Needs

/** Sockets, logs, the store and its tables, and what Node opens itself. */
const filesBeside = 400
/** What the range that is advised here holds. */
const mostPorts = 55_000
const mb = 1_000_000
/** Tower, benchmark, and one aggregator with its process of edges before any site. */
const baseMb = 600
const zoneMb = 330
const siteMb = 1.1
const siteDiskMb = 0.15

/** @param mostPerProcess sites in the largest process */
export const needsOf = (sites: number, zones: number, mostPerProcess: number): Needs => ({
  filesPerProcess: mostPerProcess + filesBeside,
  // Each link is open at both ends.
  files: sites * 2 + zones * 2 * filesBeside,
  ports: sites + zones + 1_000,
  memoryBytes: (baseMb + zoneMb * zones + siteMb * sites) * mb,
  diskBytes: (200 + siteDiskMb * sites) * mb,
})

/** What is lacking, with what to do about it. */
export const lackingOf = (needs: Needs, haves: Haves): readonly string[] => [
  ...(haves.filesPerProcess < needs.filesPerProcess
    ? [
        `a process may open ${haves.filesPerProcess} files, ${needs.filesPerProcess} are needed: ulimit -n ${needs.filesPerProcess}`,
      ]
    : []),
  ...(haves.files < needs.files
    ? [
        `the machine may open ${haves.files} more files, ${needs.files} are needed: sysctl -w fs.file-max=${needs.files * 2}`,
      ]
    : []),
  ...(haves.ports < needs.ports
    ? [
        `${haves.ports} local ports may be used, ${needs.ports} are needed: ${needs.ports > mostPorts ? 'fewer --sites; one address has no more' : 'sysctl -w net.ipv4.ip_local_port_range="10000 65000"'}`,
      ]
    : []),
  ...(haves.memoryBytes < needs.memoryBytes
    ? [
        `${Math.round(haves.memoryBytes / mb)} MB of memory are free, about ${Math.round(needs.memoryBytes / mb)} MB are needed: fewer --sites, or a machine with more`,
      ]
    : []),
  ...(haves.diskBytes < needs.diskBytes
    ? [
        `${Math.round(haves.diskBytes / mb)} MB of disk are free, about ${Math.round(needs.diskBytes / mb)} MB are needed: make room in the project's folder`,
      ]
    : []),
]

const words = (path: string): readonly string[] => readFileSync(path, 'utf8').trim().split(/\s+/)

/** @param dir on the disk that will be written to */
export const havesOf = (dir: string): Haves => {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? '0'
  const [used = 0, , most = 0] = words('/proc/sys/fs/file-nr').map(Number)
  const [from = 0, to = 0] = words('/proc/sys/net/ipv4/ip_local_port_range').map(Number)
  const { bavail, bsize } = statfsSync(dir)
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]
  return {
    filesPerProcess: soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft),
    files: most - used,
    ports: to - from,
    memoryBytes: available === undefined ? freemem() : Number(available) * 1_024,
    diskBytes: bavail * bsize,
  }
}
