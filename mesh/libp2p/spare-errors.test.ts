import test from 'ava'
import { spareErrors } from './spare-errors.ts'

const secured = () => {
  const asked: number[] = []
  const lengthDecoder = ({ byteLength }: { readonly byteLength: number }) => {
    asked.push(byteLength)
    if (byteLength < 2) throw new RangeError('short')
    return 7
  }
  return { asked, connection: { decoder: { lengthDecoder } } }
}

test('where the next length has not come the same error says so each time', (t) => {
  const { asked, connection } = spareErrors(secured() as never) as unknown as ReturnType<typeof secured>
  const caught = [0, 1].map((byteLength) =>
    t.throws(() => connection.decoder.lengthDecoder({ byteLength }), { instanceOf: RangeError }),
  )
  t.is(caught[0], caught[1])
  t.is(connection.decoder.lengthDecoder({ byteLength: 2 }), 7)
  t.deepEqual(asked, [2])
})

test('a connection that is made otherwise is not taken for one that can be spared', (t) => {
  t.throws(() => spareErrors({ connection: {} } as never), { message: /not what the mesh was made for/ })
})
