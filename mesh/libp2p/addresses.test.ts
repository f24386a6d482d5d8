import test from 'ava'
import { MeshError } from '../mesh-error.ts'
import { toListenAddress, toMultiaddr, withPort } from './addresses.ts'

test('addresses people write become multiaddrs', (t) => {
  const written = [
    'hub.example:8443',
    '10.0.0.7:1',
    '[fd00::1]:65535',
    'ws://hub.example:8080',
    'ws://hub.example',
    'wss://hub.example',
    'wss://hub.example:8443/',
    '/dns4/hub.example/tcp/443/tls/ws',
  ]
  t.deepEqual(
    written.map((address) => toMultiaddr(address).toString()),
    [
      '/dns/hub.example/tcp/8443',
      '/ip4/10.0.0.7/tcp/1',
      '/ip6/fd00::1/tcp/65535',
      '/dns/hub.example/tcp/8080/ws',
      '/dns/hub.example/tcp/80/ws',
      '/dns/hub.example/tcp/443/tls/ws',
      '/dns/hub.example/tcp/8443/tls/ws',
      '/dns4/hub.example/tcp/443/tls/ws',
    ],
  )
})

for (const [address, words] of [
  ['hub.example', /write host:port/],
  ['http://hub.example', /write host:port/],
  ['hub.example:70000', /up to 65535/],
  ['300.1.1.1:80', /neither a name nor an IP address/],
  ['wss://hub.example/mesh', /a path is not supported/],
  ['/ip4/10.0.0.7/udp/1/quic-v1', /only TCP and WebSocket/],
  ['/ip4/10.0.0.7/tcp/1/p2p-circuit', /only TCP and WebSocket/],
] as const)
  test(`${address} is refused in words`, (t) => {
    const error = t.throws(() => toMultiaddr(address), { instanceOf: MeshError, message: words })
    t.is((error as MeshError).code, 'bad-address')
  })

test('a node listens over TCP and plain WebSocket, not with a certificate of its own', (t) => {
  t.is(toListenAddress('0.0.0.0:0').toString(), '/ip4/0.0.0.0/tcp/0')
  t.throws(() => toListenAddress('wss://hub.example'), { message: /put a proxy/ })
  t.throws(() => toListenAddress('/ip4/0.0.0.0/tcp/0/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'), {
    message: /leave out/,
  })
})

test('the address really had is written as people write it', (t) => {
  for (const address of ['10.0.0.7:99', '[fd00::1]:99', 'ws://hub.example:99'])
    t.is(withPort(toListenAddress(address), 99), address)
})
