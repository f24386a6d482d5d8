/** The application a simulated tree runs: one container on every host of every site, the same but for its version. */
export const applicationName = 'shop'
export const deploymentName = 'shop-everywhere'
export const imageName = 'shop:1'

export const applicationText = (version: string): string =>
  [
    `name: ${applicationName}`,
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
