import test from 'ava'
import * as z from 'zod'
import { InvalidInputError } from '../../base/index.ts'
import { answerMediaType, bodyMediaType, decodeBody, encodeAnswer, parseBody } from './body.ts'

const schema = z.strictObject({ cmd: z.array(z.string()).min(1) })
const refusalOf = (text: string, type: 'application/json' | 'application/yaml'): string => {
  try {
    parseBody(text, type, schema)
  } catch (error) {
    if (error instanceof InvalidInputError) return error.message
  }
  return 'accepted'
}

test('a body is read as JSON or YAML', (t) => {
  t.deepEqual(parseBody('{"cmd":["ls"]}', 'application/json', schema), { cmd: ['ls'] })
  t.deepEqual(parseBody('cmd: [ls]\n', 'application/yaml', schema), { cmd: ['ls'] })
})

test('a malformed body is refused with its line', (t) => {
  t.regex(refusalOf('{\n"cmd": [\n}', 'application/json'), /^body:3: is not JSON$/)
  t.regex(refusalOf('cmd:\n  - a\n b: c\n', 'application/yaml'), /^body:\d: /)
  t.regex(refusalOf('cmd: [a]\ncmd: [b]\n', 'application/yaml'), /^body:2: cmd: stands here twice/)
})

test('a body of another shape is refused field by field', (t) => {
  t.regex(refusalOf('{"cmd":[1]}', 'application/json'), /^body: cmd\[0\]: /)
  t.regex(refusalOf('{"cmd":["a"],"shell":true}', 'application/json'), /shell/)
  t.regex(refusalOf('', 'application/json'), /^body: cmd: /)
  t.regex(refusalOf('{"__proto__":{"cmd":["a"]}}', 'application/json'), /cmd/)
})

test('YAML aliases are refused, so that a few lines cannot stand for gigabytes', (t) => {
  const bomb = ['a: &a [x,x,x]', 'b: &b [*a,*a,*a]', 'cmd: [*b,*b]'].join('\n')
  t.regex(refusalOf(bomb, 'application/yaml'), /aliases .* are not accepted/)
})

test('bytes that are no UTF-8 are refused', (t) => {
  t.throws(() => decodeBody(Uint8Array.of(0xff, 0xfe), 'shop.yaml'), { message: 'shop.yaml: is not text in UTF-8' })
})

test('media types are taken from the headers', (t) => {
  t.is(bodyMediaType('text/yaml; charset=utf-8'), 'application/yaml')
  t.throws(() => bodyMediaType('application/x-www-form-urlencoded'), { code: 'unsupported-media-type' })
  t.throws(() => bodyMediaType(undefined), { code: 'unsupported-media-type' })
  t.is(answerMediaType('application/yaml, */*'), 'application/yaml')
  t.is(answerMediaType('text/html, */*'), 'application/json')
  t.is(encodeAnswer({ a: 1 }, 'application/yaml'), 'a: 1\n')
})
