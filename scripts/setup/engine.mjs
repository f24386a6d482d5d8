import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { runQuietly, SetupError, say, withProgress } from './words.mjs'

const packages = ['containerd', 'runc', 'containernetworking-plugins', 'busybox-static']

/** As root on Debian without containerd: installs Debian's. Elsewhere: nothing; the tasks say what they do without. */
export const ensureEngine = async () => {
  if (process.platform !== 'linux' || process.getuid() !== 0) return
  if (inPath('containerd') || !inPath('apt-get')) return
  say(`no containerd in PATH; installing Debian's packages: ${packages.join(' ')}`)
  await aptGet('reading the package lists (apt-get update)', ['update'])
  const install = ['install', '-y', '--no-remove', '--no-install-recommends', ...packages]
  await aptGet('installing them (apt-get install --no-remove)', install)
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own placeholders
  const { output } = await runQuietly('dpkg-query', ['-W', '-f', '${Package} ${Version}, ', ...packages])
  say(`installed ${output.trim().replace(/,$/, '')}; no service was started`)
  if (existsSync('/run/systemd/system'))
    say('Debian starts containerd at the next boot; `systemctl disable containerd` if you do not want that')
}

const inPath = (name) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return statSync(path).isFile()
    } catch {
      return false
    }
  })

/**
 * Debian's package scripts start services only where they find a running systemd. It is hidden from them in a mount
 * namespace of this one call: no file is left behind, whatever happens, and no engine is started or reconfigured.
 */
const withoutServices = 'mount -t tmpfs -o mode=755 none /run/systemd && exec "$@"'

const aptGet = async (what, args) => {
  const command = ['apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300', ...args]
  const [program, ...rest] = existsSync('/run/systemd/system')
    ? ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', withoutServices, 'sh', ...command]
    : command
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_SUSPEND: '1', RUNLEVEL: '1' }
  const { code, output } = await withProgress(what, () => runQuietly(program, rest, { env }))
  if (code === 0) return
  const lines = output.trim().split('\n').slice(-12).join('\n')
  throw new SetupError(
    `${what} failed; nothing was removed. Mend it, or install ${packages.join(' ')} yourself, and run the command again:\n${lines}`,
  )
}
