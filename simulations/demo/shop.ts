import { existsSync, readFileSync } from 'node:fs'
import { buildArchive } from '../../runtime/index.ts'

/** Where Debian's busybox-static puts its one program. */
const busyboxPath = '/bin/busybox'

/** The same answers as busybox's httpd, for hosts that run images as plain processes. */
const processServer = `
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
const files = JSON.parse(process.env.SKERRY_FILES ?? '{}')
if (process.argv[2] === 'till') setInterval(() => console.log('till: counted'), 1000)
else {
  const page = readFileSync(files['/www/index.html'] ?? (files['/www'] + '/index.html'), 'utf8')
  createServer((_, response) => response.end(page)).listen(Number(process.env.SKERRY_PORT_8080), '127.0.0.1')
  console.log('web: listening')
}
`

export const imageName = 'demo/shop:1'

/** The OCI archive of the demo's image: Debian's busybox where it is installed, and a script for the process driver. */
export const shopArchive = (): Promise<Buffer> =>
  buildArchive({
    name: imageName,
    files: [
      ...(existsSync(busyboxPath)
        ? [
            { path: 'bin/busybox', data: readFileSync(busyboxPath), mode: 0o755 },
            ...['sh', 'cat', 'httpd', 'sleep', 'echo', 'wget', 'ps', 'ls'].map((name) => ({
              path: `bin/${name}`,
              linkTo: 'busybox',
            })),
          ]
        : []),
      { path: 'app/shop.mjs', data: processServer },
      { path: 'www/index.html', data: 'nothing here yet\n' },
      { path: 'tmp', directory: true, mode: 0o777 },
    ],
    config: {
      env: { PATH: '/bin' },
      labels: { 'skerry/process': JSON.stringify(['app/shop.mjs']) },
    },
  })

/** The application of the demo: a web service with a page from a config-map, and a till that only counts. */
export const shopSpecification = (version: '1' | '2', driver: 'containerd' | 'process'): string => {
  const containerd = driver === 'containerd'
  const web = containerd ? '\n        entrypoint: [/bin/httpd, -f, -v, -p, "8080", -h, /www]' : '\n        cmd: [web]'
  const till = containerd
    ? '\n        entrypoint: [/bin/sh, -c, "while true; do echo till: counted; sleep 1; done"]'
    : '\n        cmd: [till]'
  return `name: shop
version: "${version}"
services:
  - name: web
    mode: replicated
    replicas: 1
    volumes:
      - name: pages
        config-map:
          items:
            - name: index.html
              data: "hello from shop version ${version}\\n"
    network:
      ingress-ip-per-instance:
        protocols:
          - name: tcp
            port-ranges: "8080"
        access:
          allow-all: true
    containers:
      - name: httpd
        image: ${imageName}${web}
        memory: 64MiB
        cpus: 0.2
        shutdown-timeout: 2s
        mounts:
          - volume-name: pages
            mount-path: /www
        probes:
          readiness:
            tcp:
              port: 8080
            period: 1s
  - name: till
    mode: one-per-matching-host
    containers:
      - name: till
        image: ${imageName}${till}
        shutdown-timeout: 1s
`
}

export const shopDeployment = (version: '1' | '2'): string => `name: shop-everywhere
application: shop
application-version: "${version}"
placement:
  match-site-labels: system/type = edge
`

/** An application whose program is not in its image. */
export const brokenSpecification = (driver: 'containerd' | 'process'): string => `name: broken
version: "1"
services:
  - name: ghost
    mode: replicated
    replicas: 1
    containers:
      - name: ghost
        image: ${imageName}
        ${driver === 'containerd' ? 'entrypoint: [/bin/no-such-program]' : 'entrypoint: [node, no-such-program.mjs]'}
---
name: broken-everywhere
application: broken
application-version: "1"
placement: all-sites
`
