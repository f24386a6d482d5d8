import test from 'ava'
import fc from 'fast-check'
import { SkerryError } from './errors.ts'
import { formatDuration, formatSize, parseDurationMs, parseSizeBytes } from './units.ts'

test('durations are read with their units in order', (t) => {
  t.deepEqual(
    ['10s', '1m30s', '2h', '1d5h', '1y', '0s'].map(parseDurationMs),
    [10_000, 90_000, 7_200_000, 104_400_000, 31_536_000_000, 0],
  )
})

test('what is no duration is refused', (t) => {
  for (const text of ['', '10', '10 s', 's', '1s1m', '1.5s', '-1s', '99999999999999y'])
    t.is(t.throws(() => parseDurationMs(text), { instanceOf: SkerryError }, text)?.code, 'invalid-duration')
})

test('a duration of whole seconds reads back from its text', (t) => {
  t.is(formatDuration(90_000), '1m30s')
  t.is(formatDuration(400), '0s')
  t.is(formatDuration(-5), '0s')
  fc.assert(fc.property(fc.nat(), (seconds) => parseDurationMs(formatDuration(seconds * 1000)) === seconds * 1000))
})

test('sizes are read in decimal and binary units', (t) => {
  t.deepEqual(
    ['0', '12', '10B', '10kB', '1.5MB', '100 MB', '64MiB', '2GiB'].map(parseSizeBytes),
    [0, 12, 10, 10_000, 1_500_000, 100_000_000, 67_108_864, 2_147_483_648],
  )
})

test('what is no size is refused', (t) => {
  for (const text of ['', 'MB', '10XB', '-1MB', '1 0MB', '10mb', '9999999TB', '1e3'])
    t.is(t.throws(() => parseSizeBytes(text), { instanceOf: SkerryError }, text)?.code, 'invalid-size')
})

test('sizes are shown in the largest binary unit that fits', (t) => {
  t.deepEqual([0, 512, 1024, 67_108_864].map(formatSize), ['0 B', '512 B', '1.0 KiB', '64.0 MiB'])
})
