/** The application most tests deploy: one container at each host, which is told its version. */
export const shop = (version: string, image = 'demo:1') => `name: shop
version: "${version}"
services:
  - name: web
    mode: one-per-matching-host
    containers:
      - name: web
        image: ${image}
        env: { VERSION: "${version}" }
`

/** Deploys a version of it, by default to every site. */
export const shopEverywhere = (version: string, placement = 'all-sites: true') => `name: everywhere
application: shop
application-version: "${version}"
placement: { ${placement} }
`
