/**
 * `npm run demo-image -- FILE`: writes a small image as an OCI archive, so that a first application needs no other
 * tool. It is Debian's busybox where that is installed, and a script for hosts that run images as plain processes.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { buildArchive } from '../runtime/index.ts'

const imageName = 'demo/hello:1'
const busyboxPath = '/bin/busybox'

/** PID 1 has no default for SIGTERM: without the trap the container would only end by force. */
const serve = `#!/bin/sh
trap 'echo "hello: bye"; exit 0' TERM
echo "hello: \${GREETING:-nobody} on port 8080"
httpd -f -p 8080 -h /www &
wait
`

const serveAsProcess = `
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
const page = JSON.parse(process.env.SKERRY_FILES)['/www'] + '/index.html'
process.on('SIGTERM', () => {
  console.log('hello: bye')
  process.exit(0)
})
createServer((request, response) => response.end(readFileSync(page)))
  .listen(Number(process.env.SKERRY_PORT_8080), process.env.SKERRY_HOST)
console.log('hello: ' + (process.env.GREETING ?? 'nobody') + ' on port 8080')
`

const busybox = () =>
  existsSync(busyboxPath)
    ? [
        { path: 'bin/busybox', data: readFileSync(busyboxPath), mode: 0o755 },
        ...['sh', 'cat', 'httpd', 'ls', 'ps', 'sleep', 'wget'].map((name) => ({
          path: `bin/${name}`,
          linkTo: 'busybox',
        })),
      ]
    : []

const archive = () =>
  buildArchive({
    name: imageName,
    files: [
      ...busybox(),
      { path: 'app/hello.sh', data: serve, mode: 0o755 },
      { path: 'app/hello.mjs', data: serveAsProcess },
      { path: 'www/index.html', data: 'nothing here yet\n' },
      { path: 'tmp', directory: true, mode: 0o1777 },
    ],
    config: {
      entrypoint: ['/app/hello.sh'],
      env: { PATH: '/bin' },
      labels: { 'skerry/process': JSON.stringify(['app/hello.mjs']) },
    },
  })

const [file, ...more] = process.argv.slice(2)
if (file === undefined || more.length > 0) {
  process.stderr.write('Usage: npm run demo-image -- FILE\n')
  process.exitCode = 2
} else {
  // npm runs scripts in the folder of the package; the caller stood elsewhere.
  writeFileSync(resolve(process.env.INIT_CWD ?? '.', file), await archive())
  const engine = existsSync(busyboxPath) ? '' : `, for the process driver only: ${busyboxPath} is not installed`
  process.stdout.write(`wrote ${file}: image ${imageName}${engine}\n`)
}
