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
  createServer((request, response) => {
    console.log('web: ' + request.url)
    response.end(page)
  }).listen(Number(process.env.SKERRY_PORT_8080), '127.0.0.1')
  console.log('web: listening')
}
`

export const imageName = 'demo/shop:1'

/** A label that both zones carry and let out. */
export const shopPlacement = 'region.example/name'

/**
 * The OCI archive of the demo's image: Debian's busybox where it is installed, and a script for the process driver.
 * @param name under which specifications refer to it
 * @param mark a file of its own makes it another image with another layer @default none
 */
export const shopArchive = (name = imageName, mark?: string): Promise<Buffer> =>
  buildArchive({
    name,
    ...(mark !== undefined && { moreLayers: [[{ path: 'mark', data: mark }]] }),
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

export interface ShopPage {
  /** @default the demo's image */
  readonly image?: string
  /** What the web service answers. @default names the version */
  readonly greeting?: string
}

/** The application of the demo: a web service with a page from a config-map, and a till that only counts. */
export const shopSpecification = (
  version: string,
  driver: 'containerd' | 'process',
  { image = imageName, greeting = `hello from shop version ${version}` }: ShopPage = {},
): string => {
  const containerd = driver === 'containerd'
  const web = containerd ? '\n        entrypoint: [/bin/httpd, -f, -vv, -p, "8080", -h, /www]' : '\n        cmd: [web]'
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
              data: "${greeting}\\n"
    network:
      ingress-ip-per-instance:
        protocols:
          - name: tcp
            port-ranges: "8080"
        access:
          allow-all: true
    containers:
      - name: httpd
        image: ${image}${web}
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
        image: ${image}${till}
        shutdown-timeout: 1s
`
}

export const shopDeployment = (version: string): string => `name: shop-everywhere
application: shop
application-version: "${version}"
placement:
  match-site-labels: ${shopPlacement}
`

/** Sites with this label are small shops: one in each zone, and only north lets its labels out. */
export const cornerPlacement = 'shop.example/size = small'

/** A second application, for small shops alone. */
export const cornerSpecification = (driver: 'containerd' | 'process'): string => `name: corner
version: "1"
services:
  - name: till
    mode: replicated
    replicas: 1
    containers:
      - name: till
        image: ${imageName}
        ${driver === 'containerd' ? 'entrypoint: [/bin/sh, -c, "while true; do echo till: counted; sleep 1; done"]' : 'cmd: [till]'}
        shutdown-timeout: 1s
---
name: corner-shops
application: corner
application-version: "1"
placement:
  match-site-labels: ${cornerPlacement}
`

/** An application whose program is not in its image: whoever starts it says so, with the name of the program. */
export const brokenSpecification = (
  name: string,
  program: string,
  driver: 'containerd' | 'process',
): string => `name: ${name}
version: "1"
services:
  - name: ghost
    mode: replicated
    replicas: 1
    containers:
      - name: ghost
        image: ${imageName}
        ${driver === 'containerd' ? `entrypoint: [/bin/${program}]` : `entrypoint: [node, ${program}.mjs]`}
---
name: ${name}-everywhere
application: ${name}
application-version: "1"
placement: all-sites
`
