import { appendFile, readFile, rename, stat, writeFile } from 'node:fs/promises'
import type { ContainerdOptions } from './containerd-options.ts'

/** Some fifteen thousand starts; the younger half is kept. */
const maxBytes = 2 ** 20
const digest = /^[0-9a-f]{64}$/

const journalOf = ({ dataDir }: ContainerdOptions): string => `${dataDir}/shims`

/**
 * Notes the socket of a shim that is about to start. A shim that is killed while its container is taken away leaves a
 * socket that neither containerd nor a later list knows of: only who wrote its name down can remove it.
 * @param socket path of the socket, named by a sha256
 */
export const noteShim = async (options: ContainerdOptions, socket: string): Promise<void> => {
  const journal = journalOf(options)
  await appendFile(journal, `${socket.slice(-64)}\n`, { mode: 0o600 })
  if ((await stat(journal)).size <= maxBytes) return
  const lines = (await readFile(journal, 'utf8')).split('\n')
  await writeFile(`${journal}.new`, lines.slice(lines.length / 2).join('\n'), { mode: 0o600 })
  await rename(`${journal}.new`, journal)
}

/** Names of all sockets noted; a torn last line is none. */
export const notedShims = async (options: ContainerdOptions): Promise<readonly string[]> => {
  const text = await readFile(journalOf(options), 'utf8').catch(() => '')
  return [...new Set(text.split('\n'))].filter((line) => digest.test(line))
}
