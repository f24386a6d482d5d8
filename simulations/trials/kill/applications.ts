import { imageName } from '../../demo/index.ts'

export type Driver = 'containerd' | 'process'
export type Version = '1' | '2'

/** Applications under load, alike but for their names. Each has a web service that changes with the version and a till that does not. */
export const changing: readonly string[] = ['shop', 'depot']
/** One that nobody ever changes. */
export const constant = 'steady'
export const applications: readonly string[] = [...changing, constant]

/** Services of an application, and whether their containers are other ones in another version. */
export const changesWithVersion: Readonly<Record<string, boolean>> = { web: true, till: false }

export const deploymentOf = (application: string): string => `${application}-everywhere`

/** What the web service of an application answers. */
export const pageOf = (application: string, version: Version): string => `hello from ${application} version ${version}`

/** A shell as the first process of a container ends at once when it is asked to: what is retired is gone soon. */
const shell = (script: string) => ['/bin/sh', '-c', `trap "exit 0" TERM; ${script}`]
const programs: Readonly<Record<Driver, Readonly<Record<'web' | 'till', object>>>> = {
  containerd: {
    web: { entrypoint: shell('/bin/httpd -f -p 8080 -h /www & wait') },
    till: { entrypoint: shell('while :; do sleep 5 & wait $!; done') },
  },
  process: { web: { cmd: ['web'] }, till: { cmd: ['till'] } },
}

/** One version of an application, as a document for `skerry apply`. JSON is YAML too. */
export const applicationDocument = (application: string, version: Version, driver: Driver): string =>
  JSON.stringify({
    name: application,
    version,
    services: [
      {
        name: 'web',
        mode: 'replicated',
        replicas: 1,
        volumes: [
          {
            name: 'pages',
            'config-map': { items: [{ name: 'index.html', data: `${pageOf(application, version)}\n` }] },
          },
        ],
        network: {
          'ingress-ip-per-instance': {
            protocols: [{ name: 'tcp', 'port-ranges': '8080' }],
            access: { 'allow-all': true },
          },
        },
        containers: [
          {
            name: 'httpd',
            image: imageName,
            ...programs[driver].web,
            'shutdown-timeout': '1s',
            mounts: [{ 'volume-name': 'pages', 'mount-path': '/www' }],
            probes: { readiness: { tcp: { port: 8080 }, period: '1s' } },
          },
        ],
      },
      {
        name: 'till',
        mode: 'one-per-matching-host',
        containers: [{ name: 'till', image: imageName, ...programs[driver].till, 'shutdown-timeout': '1s' }],
      },
    ],
  })

export const deploymentDocument = (application: string, version: Version): string =>
  JSON.stringify({
    name: deploymentOf(application),
    application,
    'application-version': version,
    placement: { 'match-site-labels': 'system/type = edge' },
  })
