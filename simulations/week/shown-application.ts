/** The application a simulated tree runs: one container on every host of every site, the same but for its version. */
export const applicationName = 'shop'
export const deploymentName = 'shop-everywhere'
export const imageName = 'shop:1'

/** A second one, which goes to the sites with a label of its own: what a change of labels moves. */
export const guestName = 'kiosk'
export const guestDeploymentName = 'kiosk-by-label'
export const guestLabel = { key: 'simulated-kiosk', value: 'yes' } as const

export const applicationText = (version: string, name = applicationName): string =>
  [
    `name: ${name}`,
    `version: "${version}"`,
    'services:',
    '  - name: main',
    '    mode: one-per-matching-host',
    '    containers:',
    '      - name: till',
    `        image: ${imageName}`,
    `        env: { VERSION: "${version}" }`,
    '',
  ].join('\n')

export const deploymentText = (version: string): string =>
  [
    `name: ${deploymentName}`,
    `application: ${applicationName}`,
    `application-version: "${version}"`,
    'placement: { all-sites: true }',
    '',
  ].join('\n')

export const guestDeploymentText = (version: string): string =>
  [
    `name: ${guestDeploymentName}`,
    `application: ${guestName}`,
    `application-version: "${version}"`,
    `placement: { match-site-labels: ${guestLabel.key} = ${guestLabel.value} }`,
    '',
  ].join('\n')
