/**
 * {@code bench}: load on any NSQ broker. A coordinator ({@link io.holdfast.tools.bench.BenchRun})
 * and one thread per connection; the hot loops allocate nothing.
 */
package io.holdfast.tools.bench;
