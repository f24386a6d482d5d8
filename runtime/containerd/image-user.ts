import { constants } from 'node:fs'
import { lstat, open } from 'node:fs/promises'
import { join } from 'node:path'
import { ContainersError } from '../containers-error.ts'
import type { Mount } from './containerd-calls.ts'

export interface UserIds {
  readonly uid: number
  readonly gid: number
}

/** Directories of a file system that is not mounted yet, uppermost layer first. */
export const layerDirectories = (mounts: readonly Mount[]): readonly string[] =>
  mounts.flatMap(({ type, source, options }) => {
    if (type !== 'overlay') return [source]
    const value = (key: string) => options.find((option) => option.startsWith(`${key}=`))?.slice(key.length + 1)
    return [value('upperdir'), ...(value('lowerdir')?.split(':') ?? [])].filter((path) => path !== undefined)
  })

const maxFileBytes = 1024 * 1024

/** A file of the image, without following any link of it: those would be followed on the host. */
const readInside = async (layers: readonly string[], ...steps: string[]): Promise<string> => {
  for (const layer of layers) {
    const parent = await lstat(join(layer, ...steps.slice(0, -1))).catch(() => undefined)
    if (!parent?.isDirectory()) continue
    const file = await open(join(layer, ...steps), constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined)
    if (!file) continue
    try {
      const { size } = await file.stat()
      if (size <= maxFileBytes) return await file.readFile('utf8')
    } finally {
      await file.close()
    }
  }
  return ''
}

const rowNamed = (text: string, name: string, column: number): string[] | undefined =>
  text
    .split('\n')
    .map((line) => line.split(':'))
    .find((row) => row[column] === name)

const isNumber = (text: string): boolean => /^\d{1,10}$/.test(text)

/**
 * The user an image names (`uid`, `uid:gid`, `name`, `name:group`), looked up in its own passwd and group files.
 * @throws {ContainersError} `start-failed` when a name is not there.
 */
export const resolveUser = async (user: string, mounts: readonly Mount[]): Promise<UserIds> => {
  const [name = '', group] = user.split(':')
  if (name === '' || user === '0' || user === 'root') return { uid: 0, gid: 0 }
  const layers = layerDirectories(mounts)
  const passwd = await readInside(layers, 'etc', 'passwd')
  const row = rowNamed(passwd, name, isNumber(name) ? 2 : 0)
  const uid = isNumber(name) ? Number(name) : row?.[2]
  const unknown = (kind: string, what: string) =>
    new ContainersError(
      'start-failed',
      `the image names the ${kind} ${what}, which it does not hold; give user as uid:gid`,
    )
  if (uid === undefined) throw unknown('user', name)
  if (group === undefined) return { uid: Number(uid), gid: Number(row?.[3] ?? 0) }
  if (isNumber(group)) return { uid: Number(uid), gid: Number(group) }
  const gid = rowNamed(await readInside(layers, 'etc', 'group'), group, 0)?.[2]
  if (gid === undefined) throw unknown('group', group)
  return { uid: Number(uid), gid: Number(gid) }
}
