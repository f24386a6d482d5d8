/** Runs demo-image.ts with a Node that is new enough. Plain JavaScript for Node 18. */
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureNode } from './setup/node.mjs'

const folder = dirname(fileURLToPath(import.meta.url))
const node = await ensureNode(dirname(folder))
if (node === process.execPath) await import('./demo-image.ts')
else
  spawn(node, [join(folder, 'demo-image.ts'), ...process.argv.slice(2)], { stdio: 'inherit' }).on('exit', (code) => {
    process.exitCode = code ?? 1
  })
