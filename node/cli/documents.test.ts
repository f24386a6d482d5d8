import test from 'ava'
import { splitDocuments } from './documents.ts'

const file = `# a deployment first
name: rollout
application: shop
---
name: shop
services: []
`

test('documents keep the line numbers of their file, applications come first', (t) => {
  const [application, deployment, ...more] = splitDocuments(file, 'shop.yaml')
  t.is(more.length, 0)
  t.is(application?.kind, 'applications')
  t.is(application?.name, 'shop')
  t.is(application?.text.split('\n').indexOf('services: []'), file.split('\n').indexOf('services: []'))
  t.is(deployment?.kind, 'application-deployments')
  t.is(deployment?.text.split('\n').indexOf('application: shop'), 2)
})

test('a document without a usable name is sent without one, for the node to refuse', (t) => {
  t.is(splitDocuments('services: []\n', 'a.yaml')[0]?.name, undefined)
  t.is(splitDocuments('name: ../x\nservices: []\n', 'a.yaml')[0]?.name, undefined)
})

test('JSON is sent as JSON', (t) => {
  t.is(splitDocuments('{"name":"shop","services":[]}', 'a.json')[0]?.mediaType, 'application/json')
})

test('what is neither an application nor a deployment is refused with its line', (t) => {
  const neither = /^a\.yaml:3: is neither an application nor a deployment/
  t.throws(() => splitDocuments('\n\nname: shop\n', 'a.yaml'), { message: neither })
  t.throws(() => splitDocuments('name: a\nservices: []\napplication: b\n', 'a.yaml'), { message: /neither/ })
  t.throws(() => splitDocuments('', 'a.yaml'), { message: 'a.yaml: holds no document' })
  t.throws(() => splitDocuments('name: [a\n', 'a.yaml'), { message: /^a\.yaml:\d: / })
})
