import { existsSync, readFileSync } from 'node:fs'
import { errorText, SkerryError } from '../../base/index.ts'
import type { NodeConfig } from '../config.ts'

/** SMBIOS serial (root only), then the id systemd gives an installation (machine-id(5)). */
const idFiles = ['/sys/class/dmi/id/product_serial', '/etc/machine-id']
/** What vendors write where they did not write a serial. */
const placeholders = /^(none|not specified|to be filled.*|default string|system serial number|0+|-)?$/i

/** What this machine is known by, in printable ASCII of at most 128 characters; `otherwise` where it says nothing. */
export const machineId = (otherwise: string): string => {
  for (const path of idFiles) {
    try {
      const id = readFileSync(path, 'utf8').trim()
      if (!placeholders.test(id) && /^[\x20-\x7e]{1,128}$/.test(id)) return id
    } catch {
      // Not there, or not for this user.
    }
  }
  return otherwise
}

/**
 * One-time tokens to join with, one a line; none when there is no file.
 * @throws {SkerryError} `no-token` when it cannot be read
 */
export const readJoinTokens = (path: string): readonly string[] => {
  if (path === '' || !existsSync(path)) return []
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
  } catch (error) {
    throw new SkerryError('no-token', `cannot read the join token ${path}: ${errorText(error)}`, { cause: error })
  }
}

/** systemd-timesyncd makes it once the clock is synchronised (systemd-timesyncd.service(8)). With others: `time: trusted`. */
const synchronisedFile = '/run/systemd/timesync/synchronized'

/** Whether this machine's time of day may be believed: as configured, by default at a tower that says it is synchronised. */
export const isTimeTrusted = ({ time, role }: Pick<NodeConfig, 'time' | 'role'>): boolean =>
  time === 'auto' ? role === 'tower' && existsSync(synchronisedFile) : time === 'trusted'
